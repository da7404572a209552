"""The verdict on a loader, from records of what its workers drew."""

from typing import Optional, Tuple

from .probe import BATCH, Results

Pair = Tuple[Results, Results]

EXIT_CODES = {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}
FINE = (None, {"workers": "differ", "epochs": "differ", "repeatable": True})  # None: not used
SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
SHARES = "unless its workers shuffle one order with it and take a share each: they would lose items"
GENERATORS = "turn on the `generators` option (WORKERSEED=generators, or `workerseed run --generators`)"
RANKS = (
    "Its sampler gives each rank a share. Ranks that call torch.manual_seed with one number draw the same: turn on the "
    "`ranks` option (WORKERSEED=ranks, or `workerseed run --ranks`). If several ranks must load the same batch, as in "
    'tensor parallelism, call workerseed.install(["ranks"], rank=...) with the data-parallel rank. Seeding torch with '
    "seed + rank would break a shuffle that ranks share."
)
NUMPY_ALONE = (
    "While it was imported, the program seeded NumPy but not torch. With workerseed, and on torch 1.9 and later, "
    "torch's seed decides what workers draw from np.random: call torch.manual_seed, too, or every run differs."
)
UNSEEN = "Another process with the same seeds loads other batches, and no source that the check sees explains it."


def judge(as_it_is: Pair, workerseed: Pair) -> Results:
    """Compare what workers drew without and with workerseed.

    Each is a pair: the records of two processes that did the same, as ``probe.probe`` returns them. ``epochs`` has, for
    each epoch, worker and source, the states from which the worker drew in its first batch. One that begins with
    "seeded" comes from seeding while loading.

    Args:
        as_it_is: without workerseed.
        workerseed: with it, from other seeds; a state that is the same nevertheless was seeded by the program.

    Returns:
        ``verdict``; ``status`` and ``loader`` as recorded; ``sources``, each with the number of workers that ``used``
        it, a comparison ``as_it_is`` and with ``workerseed`` (None if not used), and ``advice``; and ``notes``.
    """
    record = workerseed[0]
    status, loader = record["status"], record["loader"]
    workers = as_it_is[0]["epochs"][0] + record["epochs"][0]
    sources: Results = {}
    for name in sorted({name for worker in workers for name in worker} - {BATCH}):
        before, after = compare(name, as_it_is), compare(name, workerseed)
        used = max(sum(bool(worker.get(name)) for worker in pair[0]["epochs"][0]) for pair in (as_it_is, workerseed))
        advice = advise(name, before, after, record)
        sources[name] = {"used": used, "as_it_is": before, "workerseed": after, "advice": advice}
    batches = compare(BATCH, workerseed)
    verdict, notes = "not affected", []
    if any(source["workerseed"] not in FINE for source in sources.values()):
        verdict = "not fixed"
    elif batches and not batches["repeatable"]:
        verdict, notes = "cannot tell", [UNSEEN]
    elif any(source["as_it_is"] not in FINE for source in sources.values()):
        verdict = "fixed"
    if loader["distributed"] and "ranks" not in status["options"]:
        notes.append(RANKS)
    seeded = [name for name, state in record["states"].items() if state == as_it_is[0]["states"][name]]
    if "np.random" in seeded and "torch" not in seeded and sources["np.random"]["used"]:
        notes.append(NUMPY_ALONE)
    return {"verdict": verdict, "status": status, "loader": loader, "sources": sources, "notes": notes}


def compare(name: str, pair: Pair) -> Optional[Results]:
    """Compare the states from which one source drew, between workers, epochs and processes; None if it did not."""
    epochs = [*pair[0]["epochs"], pair[1]["epochs"][0]]
    first, second, again = ([worker.get(name, []) for worker in epoch] for epoch in epochs)
    if not any(first + second + again):
        return None
    states = [state for worker in first for state in set(worker)]
    distinct = len(set(states))
    return {
        "workers": "differ" if distinct == len(states) else "same" if distinct == 1 else "some same",
        "epochs": "same" if any(set(one) & set(other) for one, other in zip(first, second)) else "differ",
        "repeatable": first == again,
    }


def advise(name: str, before: Optional[Results], after: Optional[Results], record: Results) -> Optional[str]:
    """Return what to do about one source, or None if there is nothing to do."""
    status, loader = record["status"], record["loader"]
    if after is None or after in FINE:
        options = "".join(f" --{option}" for option in status["options"])
        return None if before in FINE else f"import workerseed, or start the program with `workerseed run{options}`"
    if any(state.startswith("seeded") for worker in record["epochs"][0] for state in worker.get(name, [])):
        return f"it is seeded or created while items are loaded: do it once in each worker, from {SEED}"
    if name.split()[0] in ("np.random", "random", "torch"):
        if loader["worker_init_fn"]:
            return f"the worker_init_fn seeds it: remove that, or seed it with {SEED}"
        return "workerseed is {state}: {reason}".format(**status)
    if dict(after, repeatable=True) in FINE:
        return "not reproducible: it is created without a seed; give it one"
    steps = [] if "generators" in status["options"] else [GENERATORS]
    if loader["iterable"]:
        steps.append(f"call workerseed.reseed with the loader, {SHARES}")
    if not steps:
        seeds = "the worker_init_fn seeds it, or " if loader["worker_init_fn"] else ""
        steps = [f"{seeds}workerseed.keep leaves it as it is"]
    return " and ".join(steps) + ("" if after["repeatable"] else "; and create it with a seed")
