"""What is true of loaders, found by iterating them: two epochs, and again in another process."""

import importlib
import itertools
import json
import os
import random
import sys
import tempfile


def true_verdict(forks, target, extras):
    """The verdict that is true of a loader.

    Args:
        forks: where to iterate it.
        target: the function that returns it, as MODULE:LOADER; each item is a pair: the worker, and what it drew.
        extras: of workerseed, as in the variable.
    """
    as_it_is, again = iterate(forks, target, "0"), iterate(forks, target, "0")
    seeded, seeded_again = iterate(forks, target, extras or "1"), iterate(forks, target, extras or "1")
    return verdict(is_flawed(as_it_is, again), is_flawed(seeded, seeded_again))


def verdict(flawed_as_it_is, flawed_with_workerseed):
    return "not fixed" if flawed_with_workerseed else "fixed" if flawed_as_it_is else "not affected"


def is_flawed(epochs, again):
    """Whether a draw is another worker's in the same epoch, or of another epoch, or not what the other process drew."""
    by_worker = [
        {worker: {str(draw) for _, draw in items if draw is not None} for worker, items in grouped(epoch)}
        for epoch in epochs
    ]
    across_workers = any(
        draws & others for epoch in by_worker for draws, others in itertools.combinations(epoch.values(), 2)
    )
    across_epochs = any(by_worker[0][worker] & by_worker[1].get(worker, set()) for worker in by_worker[0])
    return across_workers or across_epochs or sorted(map(str, epochs[0])) != sorted(map(str, again[0]))


def grouped(epoch):
    items = sorted(epoch, key=lambda item: item[0])
    return [(worker, list(group)) for worker, group in itertools.groupby(items, key=lambda item: item[0])]


def iterate(forks, target, variable, seed=0):
    """Run this file in another process; return the items of two epochs of a loader."""
    with tempfile.NamedTemporaryFile("r") as file:
        forks.run(os.path.abspath(__file__), target, file.name, str(seed), WORKERSEED=variable)
        return json.load(file)


def main(target, path, number):
    """Write down the items of two epochs."""
    import numpy as np
    import torch

    import workerseed  # noqa: F401

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(int(number))
    sys.path[0] = os.getcwd()
    module, name = target.split(":")
    loader = getattr(importlib.import_module(module), name)()
    epochs = [[item for batch in loader for item in batch] for _ in range(2)]
    with open(path, "w") as file:
        json.dump(epochs, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
