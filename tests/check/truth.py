"""What is true of each loader in loaders.py, found by iterating it: two epochs, and again in another process."""

import itertools
import json
import os
import random
import subprocess
import sys


def truths(names, extras=None):
    """The verdict that is true of each of these loaders, by its name.

    Args:
        names: of functions in loaders.py.
        extras: of workerseed, as in the variable.
    """
    as_it_is, again = iterate(names, "0"), iterate(names, "0")
    seeded, seeded_again = iterate(names, extras or "1"), iterate(names, extras or "1")
    return {
        name: verdict(is_flawed(as_it_is[name], again[name]), is_flawed(seeded[name], seeded_again[name]))
        for name in names
    }


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


def iterate(names, variable):
    """Run this file; return the items of two epochs of each loader."""
    environment = dict(os.environ, WORKERSEED=variable, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    command = [sys.executable, "-W", "ignore", os.path.abspath(__file__), *names]
    folder = os.path.dirname(os.path.abspath(__file__))
    printed = subprocess.check_output(command, env=environment, cwd=folder, universal_newlines=True)
    return dict(json.loads(line) for line in printed.splitlines())


def main(names):
    """Print the items of each loader, from a process of its own; each imports loaders.py itself."""
    import numpy as np
    import torch

    import workerseed  # noqa: F401

    for name in names:
        if os.fork():
            assert os.wait()[1] == 0, name
            continue
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(0)
        import loaders

        loader = getattr(loaders, name)()
        epochs = [[item for batch in loader for item in batch] for _ in range(2)]
        print(json.dumps([name, epochs]), flush=True)
        sys.exit()


if __name__ == "__main__":
    main(sys.argv[1:])
