"""The verdict on a loader, from records of what its workers drew."""

from typing import Any, Dict, List, NamedTuple, Optional

GLOBAL = ("np.random", "random", "torch")
EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}

Results = Dict[str, Any]


class Pair(NamedTuple):
    """What two processes recorded that did the same: results of ``probe.probe``."""

    first: Results
    again: Results


def judge(as_it_is: Pair, workerseed: Pair) -> Results:
    """Compare what workers drew without and with workerseed.

    ``epochs`` of a record holds, for each epoch and worker, by source: ``streams``, the states from which the worker
    drew in its first batch, none if it did not, and ``reseeded``, whether it was seeded while loading.

    Returns:
        ``verdict``; ``status`` and ``loader`` as recorded; ``sources``, each with how many workers ``used`` it, a
        comparison ``as_it_is`` and with ``workerseed`` (None if it is not used), and ``advice``; and ``notes``.
    """
    record = workerseed.first
    sources: Results = {}
    for name in sorted({name for pair in (as_it_is, workerseed) for worker in pair.first["epochs"][0] for name in worker}):
        before, after = compare(name, as_it_is), compare(name, workerseed)
        used = max(before["used"], after["used"])
        advice = advise(name, before, after, record) if used else None
        sources[name] = {
            "used": used,
            "as_it_is": comparison(before) if used else None,
            "workerseed": comparison(after) if used else None,
            "advice": advice,
        }
    used_sources = [source for source in sources.values() if source["used"]]
    if not all(is_fine(source["workerseed"]) for source in used_sources):
        verdict = "not fixed"
    else:
        verdict = "not affected" if all(is_fine(source["as_it_is"]) for source in used_sources) else "fixed"
    return {
        "verdict": verdict,
        "status": record["status"],
        "loader": dict(record["loader"], workers=len(record["epochs"][0])),
        "sources": sources,
        "notes": notes(as_it_is.first, record, sources),
    }


def compare(name: str, pair: Pair) -> Results:
    """Compare the streams of one source between workers, epochs and processes."""
    first, second = ([of_worker(worker, name) for worker in epoch] for epoch in pair.first["epochs"])
    again = [of_worker(worker, name) for worker in pair.again["epochs"][0]]
    streams = [stream for worker in first for stream in set(worker["streams"])]
    distinct = len(set(streams))
    workers = "differ" if distinct == len(streams) else "same" if distinct == 1 else "some same"
    is_repeated = any(set(one["streams"]) & set(other["streams"]) for one, other in zip(first, second))
    return {
        "workers": workers,
        "epochs": "same" if is_repeated else "differ",
        "repeatable": [worker["streams"] for worker in first] == [worker["streams"] for worker in again],
        "used": sum(bool(worker["streams"]) for worker in first),
        "reseeded": any(worker["reseeded"] for worker in first),
    }


def of_worker(worker: Results, name: str) -> Results:
    return worker.get(name) or {"streams": [], "reseeded": False}


def comparison(found: Results) -> Results:
    return {key: found[key] for key in ("workers", "epochs", "repeatable")}


def is_repeated(found: Results) -> bool:
    return not found["workers"] == found["epochs"] == "differ"


def is_fine(found: Results) -> bool:
    return bool(found["repeatable"]) and not is_repeated(found)


# Advice

SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
SHARES = (
    "unless its workers shuffle one order with it and take a share each: these would lose items and repeat others"
)


def advise(name: str, before: Results, after: Results, record: Results) -> Optional[str]:
    """Return what to do about one source, or None if nothing has to be done."""
    status = record["status"]
    if is_fine(after):
        options = "".join(f" --{extra}" for extra in status["extras"])
        advice = f"import workerseed, or start the program with `workerseed run{options}`"
        return None if is_fine(before) else advice
    if after["reseeded"]:
        return f"it is seeded or created while items are loaded: remove that, or seed it with {SEED}"
    if name == "np.random" and record["get_state_workaround"]:
        return (
            "the worker_init_fn seeds it from np.random.get_state()[1][0], which this torch leaves at 2**31 whatever "
            "the seed: remove that, torch seeds NumPy itself"
        )
    if name in GLOBAL:
        if record["loader"]["worker_init_fn"]:
            return f"the worker_init_fn seeds it: remove that, or seed it with {SEED}"
        return "workerseed is {state}: {reason}".format(**status)
    if not is_repeated(after):
        return "not reproducible: it is created without a seed; give it one"
    return "; ".join(advise_on_repeated(record)) + ("" if after["repeatable"] else "; and create it with a seed")


def advise_on_repeated(record: Results) -> List[str]:
    """Say what to do about a generator that is not global and that workers repeat."""
    status, loader = record["status"], record["loader"]
    if "generators" not in status["extras"]:
        turn_on = "turn on the `generators` extra (WORKERSEED=generators, or `workerseed run --generators`)"
        return [turn_on + (f" and call `workerseed.reseed` with the loader, {SHARES}" if loader["iterable"] else "")]
    if status["state"] != "active":
        return ["workerseed is {state}: {reason}".format(**status)]
    if loader["iterable"]:
        return [f"the loader's dataset is iterable: call `workerseed.reseed` with the loader, {SHARES}"]
    if loader["worker_init_fn"]:
        return ["the worker_init_fn seeds it, or `workerseed.keep` leaves it as it is"]
    return ["`workerseed.keep` leaves it as it is"]


def notes(as_it_is: Results, record: Results, sources: Results) -> List[str]:
    """Return what the user has to know besides, about ranks and seeds."""
    found = []
    if record["loader"]["distributed"] and "ranks" not in record["status"]["extras"]:
        found.append(
            "Its sampler gives each rank a share. Ranks that call torch.manual_seed with one number draw the same: turn "
            "on the `ranks` extra (WORKERSEED=ranks, or `workerseed run --ranks`). Where several ranks have to load the "
            'same batch, as in tensor parallelism, call workerseed.install(["ranks"], rank=...) with the data-parallel '
            "rank. torch.manual_seed(seed + rank) does it, too, unless ranks share a shuffle that torch's seed decides."
        )
    numpy = sources.get("np.random")
    if as_it_is["seeds_numpy_alone"] and numpy and numpy["used"]:
        found.append(
            "The program calls np.random.seed and not torch.manual_seed. With workerseed, as on torch 1.9 and later, "
            "torch's seed decides what workers draw: call torch.manual_seed, or no run repeats another."
        )
    return found
