"""What to do about the sources of a loader, without harm."""

from typing import Any, Dict, List, Optional

GLOBAL = ("np.random", "random", "torch")
ELSE = "something else"

SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
MEANT = "If an item or a worker is meant to get the same random numbers every time, leave it."
SPLIT = "If workers rely on it to shuffle identically and then split the items, they would lose items."
UNKNOWN = (
    "It may come from OpenCV, numba, C++ code, a clock, a counter or buffer of the dataset, or a generator that the "
    "dataset creates and discards. workerseed does not reseed these."
)
UNREACHED = f"workerseed does not see how the loader's iterator takes worker_init_fn. Seed it there with {SEED}."
OPTION = "turn on the option `{0}` (WORKERSEED={0}, or `workerseed run --{0}`)."
RANKS = (
    f"Its sampler gives each rank a share. If the ranks call torch.manual_seed with the same number, "
    f"{OPTION.format('ranks')} If some ranks must load the same batch, as in tensor parallelism, call "
    'workerseed.install(["ranks"], rank=...) with the data-parallel rank.'
)
UNSEEDED = "With workerseed, torch's seed decides what np.random draws: call torch.manual_seed for repeatable runs."


def is_flawed(compared: Optional[Dict[str, Any]]) -> bool:
    """Whether something repeats, or another process with the same seeds draws something else."""
    return any(word in ("repeat", "some", "varies") for word in (compared or {}).values())


def advise(name: str, source: Dict[str, Any], report: Dict[str, Any]) -> Optional[str]:
    """Return what to do about one source, or None if there is nothing to do."""
    run, after, is_iterable = report["runs"]["workerseed"], source["workerseed"], report["loader"]["iterable"]
    starts, status = run["starts"], run["status"]
    is_once = not any(name in start["moving"] for start in starts)  # drawn from once, and not again
    if not is_flawed(after):
        command = " ".join(["workerseed run", *(f"--{option}" for option in report["options"])])
        text = f"import workerseed, or start the program with `{command}`."
        text += f" {SPLIT} Shuffle such an order with a separate seed." * (is_iterable or is_once)
        return text if is_flawed(source["as_it_is"]) else None
    if name == ELSE:
        return UNKNOWN
    if any(name not in start["before"] for start in starts):
        return f"it is created in the worker, where no option reaches it: seed it with {SEED}. {MEANT}"
    before, started, end = ([start[when].get(name) for start in starts] for when in ("before", "started", "after"))
    again = [start["started"].get(name) for start in run["again"]]
    varies = name in GLOBAL and after["rerun"] == "varies" and started[: len(again)] == again  # only after the start
    if varies or name in run["unread"] or len(set(end)) < len(set(zip(started, end))):
        return f"it is seeded while items are loaded: seed it once in each worker, with {SEED}. {MEANT}"
    is_set = len(set(started)) < len(set(before)) or any(name in start["seeded"] for start in starts)
    if before != started and is_set:
        return f"worker_init_fn seeds it or sets its state: seed it with {SEED}, or not at all. {MEANT}"
    if name in GLOBAL:
        if len({start["before"].get("torch") for start in starts}) < len(starts):
            return "torch itself is seeded with the same number before each epoch: seed it once."
        if after["ranks"] == "repeat" and "ranks" not in report["options"]:
            return OPTION.format("ranks")
        is_unreached = status["state"] == "active" and len(set(before)) < len(before)
        return UNREACHED if is_unreached else "workerseed is {state}: {reason}.".format(**status)
    is_on = "generators" in status["options"]
    texts = [] if is_on else [OPTION.format("generators")]
    if is_iterable:
        texts.append(f"Call workerseed.reseed with the loader. {SPLIT}")
    elif is_once:
        texts.append("It is drawn from once and not again: if that makes an order, a split or a task, leave it.")
    elif is_on and is_flawed(dict(after, rerun="equal")):
        texts.append("workerseed.keep excludes it, or worker_init_fn restores it.")
    return " ".join(texts + ["Create it with a seed."] * (after["rerun"] == "varies"))


def notes(sources: Dict[str, Any], report: Dict[str, Any]) -> List[str]:
    """Return what else to know about a loader."""
    before = sources.get("np.random", {}).get("as_it_is")
    is_ranked = report["loader"]["distributed"] and "ranks" not in report["options"]
    return [RANKS] * is_ranked + [UNSEEDED] * (is_flawed(before) and not report["loader"]["seeds_torch"])
