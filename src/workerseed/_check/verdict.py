"""The verdict on a loader, from records of what its workers drew."""

from typing import Any, Dict, NamedTuple, Optional

EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}
SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
SHARES = "unless its workers shuffle one order with it and take a share each: they would lose items"
RANKS = (
    "Its sampler gives each rank a share. Ranks that call torch.manual_seed with one number draw the same: turn on the "
    "`ranks` extra (WORKERSEED=ranks, or `workerseed run --ranks`). If several ranks must load the same batch, as in "
    'tensor parallelism, call workerseed.install(["ranks"], rank=...) with the data-parallel rank. Seeding torch with '
    "seed + rank would break a shuffle that ranks share."
)
Results = Dict[str, Any]


class Pair(NamedTuple):
    """The records of two processes that did the same, as ``probe.probe`` returns them.

    ``epochs`` has, for each epoch, worker and source, the states from which the worker drew in its first batch. None if
    it did not draw; such as begin with "seeded" if it was seeded while loading.
    """

    first: Results
    again: Results


def judge(as_it_is: Pair, workerseed: Pair) -> Results:
    """Compare what workers drew without and with workerseed.

    Returns:
        ``verdict``; ``status`` and ``loader`` as recorded; ``sources``, each with the number of workers that ``used``
        it, a comparison ``as_it_is`` and with ``workerseed`` (None if not used), and ``advice``; and ``notes``.
    """
    record = workerseed.first
    sources: Results = {}
    for name in sorted({*as_it_is.first["epochs"][0][0], *record["epochs"][0][0]}):
        used = max(sum(bool(worker.get(name)) for worker in pair.first["epochs"][0]) for pair in (as_it_is, workerseed))
        before, after = compare(name, as_it_is), compare(name, workerseed)
        sources[name] = {"used": used, "as_it_is": None, "workerseed": None, "advice": None}
        if used:
            sources[name].update(as_it_is=before, workerseed=after, advice=advise(name, before, after, record))
    used_sources = [source for source in sources.values() if source["used"]]
    verdict = "not affected" if all(is_fine(source["as_it_is"]) for source in used_sources) else "fixed"
    if not all(is_fine(source["workerseed"]) for source in used_sources):
        verdict = "not fixed"
    ranks = record["loader"]["distributed"] and "ranks" not in record["status"]["extras"]
    return {
        "verdict": verdict,
        "status": record["status"],
        "loader": dict(record["loader"], workers=len(record["epochs"][0])),
        "sources": sources,
        "notes": [RANKS] if ranks else [],
    }


def compare(name: str, pair: Pair) -> Results:
    """Compare the states from which one source drew, between workers, epochs and processes."""
    first, second = ([worker.get(name, []) for worker in epoch] for epoch in pair.first["epochs"])
    states = [state for worker in first for state in set(worker)]
    distinct = len(set(states))
    return {
        "workers": "differ" if distinct == len(states) else "same" if distinct == 1 else "some same",
        "epochs": "same" if any(set(one) & set(other) for one, other in zip(first, second)) else "differ",
        "repeatable": first == [worker.get(name, []) for worker in pair.again["epochs"][0]],
    }


def is_repeated(comparison: Results) -> bool:
    return not comparison["workers"] == comparison["epochs"] == "differ"


def is_fine(comparison: Results) -> bool:
    return bool(comparison["repeatable"]) and not is_repeated(comparison)


# Advice


def advise(name: str, before: Results, after: Results, record: Results) -> Optional[str]:
    """Return what to do about one source, or None if there is nothing to do."""
    status, loader = record["status"], record["loader"]
    if is_fine(after):
        options = "".join(f" --{extra}" for extra in status["extras"])
        return None if is_fine(before) else f"import workerseed, or start the program with `workerseed run{options}`"
    if any(state.startswith("seeded") for worker in record["epochs"][0] for state in worker.get(name, [])):
        return f"it is seeded or created while items are loaded: do it once in each worker, from {SEED}"
    if name == "np.random" and record["get_state_workaround"]:
        return (
            "the worker_init_fn seeds it from np.random.get_state()[1][0], which is 2**31 on this torch whatever the "
            "seed: remove that, torch seeds NumPy itself"
        )
    if name in ("np.random", "random", "torch"):
        if loader["worker_init_fn"]:
            return f"the worker_init_fn seeds it: remove that, or seed it with {SEED}"
        return "workerseed is {state}: {reason}".format(**status)
    if not is_repeated(after):
        return "not reproducible: it is created without a seed; give it one"
    return advise_on_stored(status, loader) + ("" if after["repeatable"] else "; and create it with a seed")


def advise_on_stored(status: Results, loader: Results) -> str:
    """Return what to do about a generator that is not global and that workers or epochs repeat."""
    turn_on = "turn on the `generators` extra (WORKERSEED=generators, or `workerseed run --generators`)"
    if "generators" not in status["extras"]:
        return f"{turn_on} and call workerseed.reseed with the loader, {SHARES}" if loader["iterable"] else turn_on
    if status["state"] != "active":
        return "workerseed is {state}: {reason}".format(**status)
    if loader["iterable"]:
        return f"call workerseed.reseed with the loader, {SHARES}"
    seeds = "the worker_init_fn seeds it, or " if loader["worker_init_fn"] else ""
    return f"{seeds}workerseed.keep leaves it as it is"
