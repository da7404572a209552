"""The verdict on a loader: a function of what its workers recorded."""

from itertools import combinations, product
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from . import advice
from .advice import ELSE, is_flawed

Start = Dict[str, Any]  # of a worker, in one epoch
Comparison = Optional[Dict[str, Any]]  # None: not used
Points = Dict[Tuple[int, int], Set[Any]]  # by epoch and worker: two that have a point in common repeat each other

WAYS = ("as_it_is", "workerseed")
EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}
UNSEEN = "no known generator is used, and the check cannot detect others when workers load different items"
SEEDED = "{} is seeded or restored while items are loaded, and iterable-style workers load different items"
UNPICKLED = "its batches cannot be pickled, so the check cannot compare them"


def judge(*reports: Dict[str, Any]) -> Dict[str, Any]:
    """Compare what the workers of a loader draw, unchanged and with workerseed.

    Args:
        reports: what ``program.examine`` writes: from several ranks, or from two processes that import the loader, of
            which the second only loads the first epoch. Each of the ``runs`` has ``starts``, what each worker recorded
            in each of two epochs; ``again``, the first epoch once more, from the same seeds; ``unread``, the sources
            whose state at the start changes nothing in the batch, because it seeds them.

    Returns:
        ``verdict``, ``reasons`` if it cannot tell, ``sources``, each with a comparison ``as_it_is`` and with
        ``workerseed`` and with ``advice``, and ``notes``.
    """
    report, *others = sorted(reports, key=lambda each: "error" in each)
    found = {key: report[key] for key in ("name", "loader", "status", "options")}
    if "error" in report:
        reasons = [report["error"]]
        return dict(found, verdict="cannot tell", reasons=reasons, sources={}, notes=[], details=report["details"])
    found.update((key, other[key]) for other in others for key in other if key == "details")
    is_iterable, known = report["loader"]["iterable"], [other for other in others if "error" not in other]
    for rerun in (other["runs"] for other in known if other["rank"] == report["rank"]):
        report = dict(report, runs={way: dict(run, again=rerun[way]["starts"]) for way, run in report["runs"].items()})
    sources: Dict[str, Dict[str, Any]] = {}
    for way, run in report["runs"].items():
        ranks = [other["runs"][way]["starts"] for other in known if other["rank"] != report["rank"]]
        for name, comparison in compare_all(run, ranks, is_iterable).items():
            sources.setdefault(name, dict.fromkeys(WAYS))[way] = comparison
    before, after = (any(is_flawed(source[way]) for source in sources.values()) for way in WAYS)
    verdict, reasons = "not fixed" if after else "fixed" if before else "not affected", []
    if not after:
        unknown = [name for name in sources if "unknown" in (sources[name]["workerseed"] or {}).values()]
        reasons = [other["error"] for other in others if "error" in other] + [SEEDED.format(name) for name in unknown]
        reasons += [UNSEEN] * (is_iterable and not any(any(source.values()) for source in sources.values()))
        reasons += [UNPICKLED] * any(None in start["batches"] for start in report["runs"]["workerseed"]["starts"])
    for name, source in sources.items():
        is_gone = after and not source["workerseed"]  # its name has the number of a process or a seed in it
        source["advice"] = None if is_gone else advice.advise(name, source, report)
    found.update(verdict="cannot tell" if reasons else verdict, reasons=reasons, sources=sources)
    return dict(found, notes=advice.notes(sources, report))


def compare_all(run: Dict[str, Any], ranks: List[List[Start]], is_iterable: bool) -> Dict[str, Comparison]:
    """Return a comparison for each source of a run, None where no worker uses it."""
    found, loads = {}, (run["starts"], run["again"], *ranks)
    names = sorted({name for starts in loads for start in starts for name in (*start["started"], *start["after"])})
    points = {name: [points_of([name], starts, run["unread"]) for starts in loads] for name in names}
    states = {name: set().union(*(used for load in points[name] for used in load.values())) for name in names}
    of_groups: Dict[Tuple[str, ...], Comparison] = {}
    for name in names:
        # Workers may have one generator each, by number, with equal seeds: these repeat each other.
        alike = tuple(other for other in names if other == name or states[other] & states[name])
        if alike not in of_groups:
            of_groups[alike] = compare(*(points_of(alike, starts, run["unread"]) for starts in loads))
        found[name] = compared = dict(of_groups[alike] or {}) or None
        if compared and is_iterable and name in run["unread"]:
            compared.update((key, "unknown") for key in ("workers", "epochs") if compared[key] == "differ")
    is_explained = any(found.values())
    hidden = compare(*(batches_of(starts, is_explained) for starts in loads[:2]))
    firsts = [[start["batches"][0] for start in starts if start["epoch"] == 0] for starts in loads[:2]]
    if not hidden and firsts[0] != firsts[1] and all(not each or each["rerun"] == "equal" for each in found.values()):
        hidden = {"workers": "unknown", "epochs": "unknown", "ranks": None, "rerun": "varies"}
    return dict(found, **{ELSE: hidden}) if hidden else found


def compare(points: Points, again: Points, *ranks: Points) -> Comparison:
    """Compare all pairs of workers and of epochs; ``again`` has the first epoch, loaded once more."""
    if not points and not again:
        return None
    pairs = [(one[0] == other[0], bool(points[one] & points[other])) for one, other in combinations(points, 2)]
    workers = [is_shared for is_one_epoch, is_shared in pairs if is_one_epoch]
    firsts = [{key: load[key] for key in load if key[0] == 0} for load in (points, again)]
    others = [states for rank in ranks for states in rank.values()]
    return {
        "workers": "differ" if not any(workers) else "repeat" if all(workers) else "some",
        "epochs": "repeat" if (False, True) in pairs else "differ",
        "ranks": ("repeat" if set().union(*points.values()) & set().union(*others) else "differ") if ranks else None,
        "rerun": "equal" if firsts[0] == firsts[1] else "varies",
    }


def points_of(names: Sequence[str], starts: List[Start], unread: List[str]) -> Points:
    """Return the states of some sources, for the workers that use them.

    All workers load the same items. So two that start in the same state draw the same, unless the batch seeds the
    source first; and two that end in the same state have drawn the same, or were seeded with the same number.
    """
    points: Points = {}
    for start, name in product(starts, names):
        before, started, after = (start[when].get(name) for when in ("before", "started", "after"))
        found = {("after", after)} if started != after else set()
        has_init_drawn = before != started and name not in start["seeded"]
        if has_init_drawn or (found and started is not None and name not in unread):
            found.add(("started", started))
        if found:
            points.setdefault((start["epoch"], start["worker"]), set()).update(found)
    return points


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
