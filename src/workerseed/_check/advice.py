"""What to do about the sources of a loader, without harm."""

from typing import Any, Dict, List, Optional

from . import comparison

SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
MEANT = "If you fix the draws of an item or a worker on purpose, leave it."
SPLIT = "If workers rely on it to shuffle identically and then split the items, they would lose items."
UNKNOWN = (
    "batches differ although every known generator was in the same state. OpenCV, numba, C++, a generator made "
    "and dropped, the operating system or a clock may be the reason; workerseed does not reseed these."
)
GENERATORS = "turn on the option `generators` (WORKERSEED=generators, or `workerseed run --generators`). "
RANKS = (
    "Its sampler gives each rank a share. Ranks that call torch.manual_seed with the same number draw the same: "
    "turn on the option `ranks` (WORKERSEED=ranks, or `workerseed run --ranks`). If several ranks must load the same "
    'batch, as in tensor parallelism, call workerseed.install(["ranks"], rank=...) with the data-parallel rank.'
)
UNSEEDED = (
    "The program has not seeded torch. With workerseed, as on torch 1.9 and later, torch's seed decides what workers "
    "draw from np.random: call torch.manual_seed if runs are to be repeatable."
)


def advise(name: str, source: Dict[str, Any], report: Dict[str, Any]) -> Optional[str]:
    """Return what to do about one source, or None if there is nothing to do."""
    run, after, options = report["runs"]["workerseed"], source["workerseed"], report["options"]
    starts, is_iterable = run["starts"], report["loader"]["iterable"]
    if not comparison.is_flawed(after):
        if not comparison.is_flawed(source["as_it_is"]):
            return None
        command = " ".join(["workerseed run", *(f"--{option}" for option in options)])
        text = f"import workerseed, or start the program with `{command}`."
        return f"{text} {SPLIT} Shuffle such an order with a separate seed." if is_iterable else text
    if name == comparison.ELSE:
        return UNKNOWN
    if any(name not in start["before"] for start in starts):
        return f"it is created in the worker, where no option reaches it: seed it with {SEED}. {MEANT}"
    ends = {(start["started"].get(name), start["after"].get(name)) for start in starts}
    if len({after for _, after in ends}) < len(ends) or not all(
        comparison.does_start_count(name, run, start) for start in starts
    ):
        return f"it is seeded while items are loaded: seed it once in each worker, with {SEED}. {MEANT}"
    if any(start["before"][name] != start["started"].get(name) for start in starts):
        return f"worker_init_fn seeds it: seed it with {SEED}, or not at all. {MEANT}"
    if name in comparison.GLOBAL:
        if len({start["before"].get("torch") for start in starts}) < len(starts):
            return "torch itself is seeded alike before each epoch: seed it once."
        if after and after["ranks"] == "same" and "ranks" not in options:
            return "turn on the option `ranks` (WORKERSEED=ranks, or `workerseed run --ranks`)."
        return "workerseed is {state}: {reason}.".format(**run["status"])
    is_on = "generators" in run["status"]["options"]
    text = "" if is_on else GENERATORS
    if is_iterable:
        text += f"Call workerseed.reseed with the loader. {SPLIT}"
    elif any(len(start["batches"]) > 2 for start in starts) and not any(name in start["moving"] for start in starts):
        text += "It is drawn from once and not again: if that makes an order, a split or a task, leave it."
    elif is_on:
        text += "workerseed.keep or worker_init_fn leaves it unchanged."
    return text.strip() + ("" if after and after["repeatable"] else " Create it with a seed.")


def notes(sources: Dict[str, Any], report: Dict[str, Any]) -> List[str]:
    """Return what else to know about a loader."""
    before = sources.get("np.random", {}).get("as_it_is")
    is_ranked = report["loader"]["distributed"] and "ranks" not in report["options"]
    is_unseeded = comparison.is_flawed(before) and not report["loader"]["seeds_torch"]
    return [RANKS] * is_ranked + [UNSEEDED] * is_unseeded
