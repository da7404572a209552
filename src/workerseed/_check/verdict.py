"""The verdict on a loader: a function of the records of its workers."""

import itertools
from typing import Any, Dict, List, Optional, Set, Tuple

from . import advice

Run = Dict[str, Any]
Comparison = Optional[Dict[str, Any]]  # None: not used
Points = Dict[Tuple[int, int], Set[Any]]  # by epoch and worker, the states that make two of them the same

GLOBAL = ("np.random", "random", "torch")
ELSE = "something else"
EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}
UNSEEN = (
    "nothing that the check knows draws. In an iterable-style dataset it does not see other generators, because "
    "workers load different items"
)
SEEDED = "{} is seeded or restored while items are loaded, and workers of an iterable-style dataset load different ones"


def judge(report: Dict[str, Any], *others: Dict[str, Any]) -> Dict[str, Any]:
    """Compare what the workers of a loader drew, as it is and with workerseed.

    Args:
        report: of ``experiment.examine``. Each of its ``runs`` has ``epochs``, the records by epoch, worker and round;
            ``again``, one epoch in another process with the same seeds; ``shifted``, by source, one epoch in which that
            source was moved on before the first batch; or an ``error``.
        others: the reports of the same loader in other processes, which may be other ranks.

    Returns:
        ``verdict``, ``reasons`` where it cannot tell, ``sources``, each with a comparison ``as_it_is`` and with
        ``workerseed`` and with ``advice``, and ``notes``.
    """
    loader, runs = report["loader"], report["runs"]
    found = {key: report[key] for key in ("name", "loader", "status", "options")}
    if "error" in report:
        found.update(reasons=[report["error"]], details=report["details"])
        return dict(found, verdict="cannot tell", sources={}, notes=[])
    sources: Dict[str, Dict[str, Any]] = {}
    for way, run in runs.items():
        ranks = [other["runs"][way] for other in others if "error" not in other]
        ranks = [other for other in ranks if other["rank"] != run["rank"]]
        for name, compared in compare_all(run, ranks, loader["iterable"]).items():
            sources.setdefault(name, {})[way] = compared
    ways = [[source.get(way) for source in sources.values()] for way in ("as_it_is", "workerseed")]
    before, after = (any(map(is_flawed, compared)) for compared in ways)
    verdict, reasons = "not fixed" if after else "fixed" if before else "not affected", []
    if verdict != "not fixed":
        reasons = [SEEDED.format(name) for name in sources if is_unknown(sources[name].get("workerseed"))]
        if not any(map(bool, itertools.chain(*ways))) and loader["iterable"]:
            reasons = [UNSEEN]
        if any(record["batch"] is None for _, rounds in each_worker(runs["workerseed"]) for record in rounds):
            reasons += ["its batches cannot be pickled, so the check cannot compare them"] * (verdict == "not affected")
    verdict = "cannot tell" if reasons else verdict
    for name, source in sources.items():
        source["advice"] = advice.advise(name, source, report)
    return dict(found, verdict=verdict, reasons=reasons, sources=sources, notes=advice.notes(sources, report))


def is_flawed(compared: Comparison) -> bool:
    """Whether something is repeated, or another process with the same seeds draws something else."""
    return compared is not None and (
        compared["workers"] in ("same", "some same")
        or compared["epochs"] == "same"
        or compared["ranks"] == "same"
        or not compared["repeatable"]
    )


def is_unknown(compared: Comparison) -> bool:
    return compared is not None and "unknown" in compared.values()


def each_worker(run: Run) -> List[Any]:
    """Return ((epoch, worker), rounds) of each."""
    numbered = enumerate(run["epochs"])
    return [((epoch, rounds[0]["worker"]), rounds) for epoch, workers in numbered for rounds in workers]


def compare_all(run: Run, ranks: List[Run], is_iterable: bool) -> Dict[str, Comparison]:
    """Return a comparison for each source of a run, None where no worker uses it."""
    names = {name for _, rounds in each_worker(run) for when in ("started", "after") for name in rounds[0][when]}
    result: Dict[str, Comparison] = {}
    for name in sorted(names):
        points = points_of(name, run)
        result[name] = compare(points, points_of(name, dict(run, epochs=run["again"])))
        if points and ranks:
            others = [set().union(*points_of(name, other).values()) for other in ranks]
            same = any(set().union(*points.values()) & other for other in others)
            result[name]["ranks"] = "same" if same else "differ"  # type: ignore[index]
        if is_iterable and result[name] and any(not is_counted(name, run, worker) for worker in run["epochs"][0]):
            for key in ("workers", "epochs"):
                if result[name][key] == "differ":  # type: ignore[index]
                    result[name][key] = "unknown"  # type: ignore[index]
    batches = batches_of(run, any(result.values()))
    if batches:
        result[ELSE] = compare(batches, batches_of(dict(run, epochs=run["again"]), any(result.values())))
    elif all(compared is None or compared["repeatable"] for compared in result.values()):
        first, again = ([rounds[0]["batch"] for rounds in workers] for workers in (run["epochs"][0], run["again"][0]))
        if first != again:  # and no source explains it
            result[ELSE] = {"workers": "unknown", "epochs": "unknown", "ranks": None, "repeatable": False, "used": 0}
    return result


def compare(points: Points, again: Points) -> Comparison:
    """Compare workers and epochs, each with each other; ``again`` is the first epoch in another process."""
    if not points:
        return None
    pairs = [(one[0] == other[0], points[one] & points[other]) for one, other in itertools.combinations(points, 2)]
    workers = [bool(shared) for is_one_epoch, shared in pairs if is_one_epoch]
    return {
        "workers": "differ" if not any(workers) else "same" if all(workers) else "some same",
        "epochs": "same" if any(shared for is_one_epoch, shared in pairs if not is_one_epoch) else "differ",
        "ranks": None,
        "repeatable": {key: points[key] for key in points if key[0] == 0} == again,
        "used": len({worker for _, worker in points}),
    }


def points_of(name: str, run: Run) -> Points:
    """Return the states of one source that make workers the same, for those workers that use it.

    All workers load the same items. So those that start in one state draw the same, and those that end in one state
    have drawn the same, or were seeded alike.
    """
    points: Points = {}
    for key, rounds in each_worker(run):
        first = rounds[0]
        before, started, after = (first[when].get(name) for when in ("before", "started", "after"))
        found = set()
        if before != started and name not in first["seeded"] and name not in first["made"]:
            found.add(("started", started))  # worker_init_fn has drawn from it
        if started != after:
            found.add(("after", after))
            if started is not None and is_counted(name, run, rounds):
                found.add(("started", started))
        if found:
            points[key] = found
    return points


def is_counted(name: str, run: Run, rounds: Any) -> bool:
    """Whether it matters in which state a source was before the batch: not if it was seeded before it was drawn from.

    Then a worker that had it in another state loads the same batch, and ends in the same state.
    """
    shifted = run["shifted"].get(name)
    for other in shifted or ():
        if other[0]["worker"] == rounds[0]["worker"]:
            natural = next(one[0] for one in run["epochs"][0] if one[0]["worker"] == rounds[0]["worker"])
            return any(natural[key] != other[0][key] for key in ("batch",)) or (
                natural["after"].get(name) != other[0]["after"].get(name)
            )
    return True


def batches_of(run: Run, is_explained: bool) -> Points:
    """Return the batches, if something draws that is no known source.

    The second and the third batch of a worker were loaded with all known sources in the same states. The first may
    differ from them because of a known source, which need not have moved: its state may have been restored.
    """
    rounds = [found for _, found in each_worker(run) if len(found) > 2]
    number = 1 if any(found[1]["batch"] != found[2]["batch"] for found in rounds) else 0
    if number == 0 and (is_explained or all(found[0]["batch"] == found[1]["batch"] for found in rounds)):
        return {}
    return {key: {found[number]["batch"]} for key, found in each_worker(run) if len(found) > 2}


def to_shift(run: Run, is_iterable: bool) -> List[List[str]]:
    """Return the sources whose state before the batch may not matter; all stored generators are tried at once."""
    workers = [rounds[0] for _, rounds in each_worker(run)]
    doubtful = []
    for name in sorted({name for first in workers for name in first["started"]}):
        moved = [first for first in workers if first["started"].get(name) != first["after"].get(name)]
        ends: Dict[Any, Set[Any]] = {}
        for first in moved:
            ends.setdefault(first["started"].get(name), set()).add(first["after"].get(name))
        if moved and (is_iterable or any(len(states) > 1 for states in ends.values())):
            doubtful.append(name)
    stored = [name for name in doubtful if name not in GLOBAL]
    return [[name] for name in doubtful if name in GLOBAL] + ([stored] if stored else [])
