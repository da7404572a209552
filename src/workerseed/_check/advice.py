"""What to do about the sources of a loader, without harm."""

from typing import Any, Dict, List, Optional

SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
MEANT = "If you fix the draws of an item or a worker on purpose, leave it."
SPLIT = "If workers rely on it to shuffle identically and then split the items, they would lose items."
GENERATORS = "turn on the option `generators` (WORKERSEED=generators, or `workerseed run --generators`)"
RANKS = (
    "Its sampler gives each rank a share. Ranks that call torch.manual_seed with the same number draw the same: "
    "turn on the option `ranks` (WORKERSEED=ranks, or `workerseed run --ranks`). If several ranks must load the same "
    'batch, as in tensor parallelism, call workerseed.install(["ranks"], rank=...) with the data-parallel rank.'
)
UNSEEDED = (
    "The program has not seeded torch. With workerseed, as on torch 1.9 and later, torch's seed decides what workers "
    "draw from np.random: call torch.manual_seed if runs are to be repeatable."
)
RESTARTS = (
    "torch is in the same state whenever this loader starts its workers, so they get the same seeds each epoch. Call "
    "torch.manual_seed once, before the first epoch."
)


def advise(name: str, source: Dict[str, Any], report: Dict[str, Any]) -> Optional[str]:
    """Return what to do about one source, or None if there is nothing to do."""
    from .verdict import ELSE, GLOBAL, is_flawed  # they import each other

    loader, run = report["loader"], report["runs"]["workerseed"]
    status = run["status"]
    before, after = source.get("as_it_is"), source.get("workerseed")
    firsts = [rounds[0] for workers in run["epochs"] for rounds in workers]
    if not is_flawed(after):
        if not is_flawed(before):
            return None
        options = "".join(f" --{option}" for option in report["options"] if option != "verbose")
        text = f"import workerseed, or start the program with `workerseed run{options}`."
        return f"{text} {SPLIT} Shuffle such an order with a seed of its own." if loader["iterable"] else text
    if name == ELSE:
        return (
            "batches differ although every known generator was in the same state. OpenCV, numba, C++, a generator made "
            "and dropped, the operating system or a clock may be the reason; workerseed does not reseed these."
        )
    if any(name in first["made"] for first in firsts) or any(name not in first["started"] for first in firsts):
        return f"it is created in the worker, where no option reaches it: seed it with {SEED}. {MEANT}"
    if is_seeded_while_loading(name, run):
        return f"it is seeded while items are loaded: seed it once in each worker, with {SEED}. {MEANT}"
    if name in GLOBAL:
        if any(first["before"].get(name) != first["started"].get(name) for first in firsts):
            return f"worker_init_fn seeds it: seed it with {SEED}, or not at all. {MEANT}"
        if len({str(first["before"].get("torch")) for first in firsts}) < len(firsts):
            return "torch itself is seeded alike before each epoch: seed it once."
        if after and after["ranks"] == "same" and "ranks" not in report["options"]:
            return "turn on the option `ranks` (WORKERSEED=ranks, or `workerseed run --ranks`)."
        return f"workerseed is {status['state']}: {status['reason']}." if status else None
    if after and dict(after, repeatable=True) == after and not before:
        return None
    steps = [] if "generators" in status["options"] else [f"{GENERATORS}. "]
    if loader["iterable"]:
        steps.append(f"Call workerseed.reseed with the loader. {SPLIT}")
    elif moves_once(name, run):
        steps.append("It is drawn from once and not again: if that makes an order, a split or a task, leave it.")
    elif not steps:
        steps.append("workerseed.keep or worker_init_fn leaves it as it is.")
    return "".join(steps).strip() + ("" if after and after["repeatable"] else " Create it with a seed.")


def is_seeded_while_loading(name: str, run: Dict[str, Any]) -> bool:
    """Whether two workers that began in different states ended in the same, or moving it on changed nothing."""
    shifted = run["shifted"].get(name)
    pairs = list(zip(run["epochs"][0], shifted or ()))
    if any(one[0]["after"].get(name) == other[0]["after"].get(name) for one, other in pairs):
        return True
    firsts = [rounds[0] for workers in run["epochs"] for rounds in workers]
    ends = {(first["started"].get(name), first["after"].get(name)) for first in firsts}
    return len({end for _, end in ends}) < len(ends)


def moves_once(name: str, run: Dict[str, Any]) -> bool:
    """Whether a source moves in the first round and not in the last."""
    rounds = [found for workers in run["epochs"] for found in workers if len(found) > 2]
    return bool(rounds) and all(found[2]["started"].get(name) == found[2]["after"].get(name) for found in rounds)


def notes(sources: Dict[str, Any], report: Dict[str, Any]) -> List[str]:
    """Return what else to know about a loader."""
    from .verdict import is_flawed

    found = []
    if report["loader"]["distributed"] and "ranks" not in report["options"]:
        found.append(RANKS)
    if is_flawed((sources.get("np.random") or {}).get("as_it_is")) and not report["loader"]["seeds_torch"]:
        found.append(UNSEEDED)
    if report.get("restarts"):
        found.append(RESTARTS)
    return found
