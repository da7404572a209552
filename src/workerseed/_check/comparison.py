"""Compares what the workers of a loader recorded, source by source."""

from itertools import combinations
from typing import Any, Dict, List, Optional, Set, Tuple

Start = Dict[str, Any]  # of a worker, in one epoch
Run = Dict[str, Any]
Comparison = Optional[Dict[str, Any]]  # None: not used
Points = Dict[Tuple[int, int], Set[Any]]  # by epoch and worker: two that have a point in common repeat each other

GLOBAL = ("np.random", "random", "torch")
ELSE = "something else"


def is_flawed(compared: Comparison) -> bool:
    """Whether something repeats, or another process with the same seeds draws something else."""
    if compared is None:
        return False
    repeats = [compared[key] in ("same", "some same") for key in ("workers", "epochs", "ranks")]
    return any(repeats) or not compared["repeatable"]


def compare_all(run: Run, ranks: List[Run], is_iterable: bool) -> Dict[str, Comparison]:
    """Return a comparison for each source of a run, None where no worker uses it."""
    starts, again, result = run["starts"], run["again"], {}
    for name in sorted({name for start in starts for when in ("started", "after") for name in start[when]}):
        points = points_of(name, run, starts)
        result[name] = compared = compare(points, points_of(name, run, again))
        if compared is None:
            continue
        if ranks:
            others = [states for other in ranks for states in points_of(name, other, other["starts"]).values()]
            repeats = set().union(*points.values()) & set().union(*others)
            compared["ranks"] = "same" if repeats else "differ"
        if is_iterable and not all(does_start_count(name, run, start) for start in starts):
            for key in ("workers", "epochs"):
                compared[key] = "unknown" if compared[key] == "differ" else compared[key]
    is_explained = any(result.values())
    batches = batches_of(starts, is_explained)
    hidden = compare(batches, batches_of(again, is_explained))
    firsts, firsts_again = ([start["batches"][0] for start in each if start["epoch"] == 0] for each in (starts, again))
    if hidden is None and firsts != firsts_again and all(not found or found["repeatable"] for found in result.values()):
        hidden = {"workers": "unknown", "epochs": "unknown", "ranks": None, "repeatable": False}
    return dict(result, **{ELSE: hidden}) if hidden else result


def compare(points: Points, again: Points) -> Comparison:
    """Compare all pairs of workers and of epochs; ``again`` is the first epoch in another process."""
    if not points:
        return None
    pairs = [(one[0] == other[0], bool(points[one] & points[other])) for one, other in combinations(points, 2)]
    workers = [is_shared for is_one_epoch, is_shared in pairs if is_one_epoch]
    return {
        "workers": "differ" if not any(workers) else "same" if all(workers) else "some same",
        "epochs": "same" if (False, True) in pairs else "differ",
        "ranks": None,
        "repeatable": {key: points[key] for key in points if key[0] == 0} == again,
    }


def points_of(name: str, run: Run, starts: List[Start]) -> Points:
    """Return the states of one source, for the workers that use it.

    All workers load the same items. So two that start in the same state draw the same, and two that end in the same
    state have drawn the same, or were seeded with the same number.
    """
    points: Points = {}
    for start in starts:
        before, started, after = (start[when].get(name) for when in ("before", "started", "after"))
        has_init_drawn = before != started and name not in start["seeded"]
        found = {("after", after)} if started != after else set()
        if has_init_drawn or (found and started is not None and does_start_count(name, run, start)):
            found.add(("started", started))
        if found:
            points[start["epoch"], start["worker"]] = found
    return points


def does_start_count(name: str, run: Run, start: Start) -> bool:
    """Whether the batch depends on the state before it. It does not if the source is seeded before it is drawn from.

    A worker that has the source in another state then loads the same batch, and ends in the same state.
    """
    natural, shifted = (
        [
            (other["batches"][0], other["after"].get(name))
            for other in starts
            if (other["epoch"], other["worker"]) == (0, start["worker"])
        ]
        for starts in (run["starts"], run["shifted"].get(name, ()))
    )
    return not shifted or natural != shifted


def batches_of(starts: List[Start], is_explained: bool) -> Points:
    """Return the batches, if something draws that is not a known source.

    A worker loads its second and third batch with all known sources in the same states. Its first may differ from
    these because of a known source, even one that has not moved: its state may have been restored.
    """
    starts = [start for start in starts if len(start["batches"]) > 2]
    number = int(any(start["batches"][1] != start["batches"][2] for start in starts))
    if number == 0 and (is_explained or all(start["batches"][0] == start["batches"][1] for start in starts)):
        return {}
    return {(start["epoch"], start["worker"]): {start["batches"][number]} for start in starts}


def doubtful(starts: List[Start], is_iterable: bool) -> List[List[str]]:
    """Return the sources whose state before the batch may not count, in the groups in which to move them on."""
    found = []
    for name in sorted({name for start in starts for name in start["started"]}):
        states = {(start["started"].get(name), start["after"].get(name)) for start in starts}
        moves = {pair for pair in states if pair[0] != pair[1]}
        if moves and (is_iterable or len({started for started, _ in moves}) < len(moves)):
            found.append(name)
    stored = [name for name in found if name not in GLOBAL]
    return [[name] for name in found if name in GLOBAL] + [stored] * bool(stored)
