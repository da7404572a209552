"""The verdict on a loader: a function of what its workers recorded."""

from typing import Any, Dict

from . import advice, comparison

EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}
UNSEEN = (
    "nothing that the check knows draws. In an iterable-style dataset it does not see other generators, because "
    "workers load different items"
)
SEEDED = "{} is seeded or restored while items are loaded, and workers of an iterable-style dataset load different ones"
UNPICKLED = "its batches cannot be pickled, so the check cannot compare them"


def judge(report: Dict[str, Any], *others: Dict[str, Any]) -> Dict[str, Any]:
    """Compare what the workers of a loader draw, unchanged and with workerseed.

    Args:
        report: what ``experiment.examine`` returned. Each of its ``runs`` has ``starts``, what each worker recorded in
            each of two epochs; ``again``, the first epoch in another process with the same seeds; ``shifted``, by
            source, the first epoch with that source moved on before the first batch.
        others: the reports of the same loader from other processes, which may be other ranks.

    Returns:
        ``verdict``, ``reasons`` if it cannot tell, ``sources``, each with a comparison ``as_it_is`` and with
        ``workerseed`` and with ``advice``, and ``notes``.
    """
    found = {key: report[key] for key in ("name", "loader", "status", "options")}
    if "error" in report:
        found.update(reasons=[report["error"]], details=report["details"])
        return dict(found, verdict="cannot tell", sources={}, notes=[])
    is_iterable, compared = report["loader"]["iterable"], {}
    for way, run in report["runs"].items():
        ranks = [other["runs"][way] for other in others if "error" not in other]
        compared[way] = comparison.compare_all(
            run, [other for other in ranks if other["rank"] != run["rank"]], is_iterable
        )
    names = [*compared["as_it_is"], *(name for name in compared["workerseed"] if name not in compared["as_it_is"])]
    sources: Dict[str, Dict[str, Any]] = {name: {way: compared[way].get(name) for way in compared} for name in names}
    before, after = (any(map(comparison.is_flawed, compared[way].values())) for way in ("as_it_is", "workerseed"))
    verdict, reasons = "not fixed" if after else "fixed" if before else "not affected", []
    if not after:
        reasons = [SEEDED.format(name) for name in names if "unknown" in (sources[name]["workerseed"] or {}).values()]
    if verdict == "not affected":
        if is_iterable and not any(any(source.values()) for source in sources.values()):
            reasons.append(UNSEEN)
        if any(None in start["batches"] for start in report["runs"]["workerseed"]["starts"]):
            reasons.append(UNPICKLED)
    for name, source in sources.items():
        source["advice"] = advice.advise(name, source, report)
    found.update(verdict="cannot tell" if reasons else verdict, reasons=reasons, sources=sources)
    return dict(found, notes=advice.notes(sources, report))
