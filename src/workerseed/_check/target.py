"""The program of ``workerseed check`` without a command: imports a loader and iterates it. It is run as a script."""

import importlib
import multiprocessing
import os
import random
import sys
from operator import attrgetter
from typing import Any

program: Any = importlib.import_module("_workerseed_of_check._check.program")  # the sitecustomize put it there


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> Any:
        return sys.modules["numpy"].random.randint(0, 1000, 3)

    def __len__(self) -> int:
        return 16


def of_article(start_method: str) -> Any:
    """Return the article's loader."""
    program.fixed_name = "the article's dataset"
    torch: Any = importlib.import_module("torch.utils.data")
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    multiprocessing.set_start_method(start_method, force=True)
    sys.modules["torch"].manual_seed(0)
    return torch.DataLoader(RandomDataset(), batch_size=2, num_workers=2)


def of_module(target: str) -> Any:
    """Return what MODULE:LOADER or path/to/file.py:LOADER names, or what the function of that name returns."""
    path, _, name = target.rpartition(":")
    folder, module = os.path.split(path[: -len(".py")]) if path.endswith(".py") else ("", path)
    sys.path[0] = os.path.abspath(folder)  # in place of this file's
    program.fixed_name = None  # what starts workers during the import does not count
    found = attrgetter(name)(importlib.import_module(module))
    program.fixed_name = target  # now: some loaders start their workers when they are built
    found = found() if callable(found) else found
    if not hasattr(found, "num_workers"):
        expected = "a DataLoader, or a function without arguments that returns one"
        raise program.UnknownError(f"{target} leads to an object of type {type(found).__name__}; expected {expected}")
    return found


if __name__ == "__main__":
    _, target, start_method = sys.argv
    sys.argv[:] = [target.rpartition(":")[0]]  # the user's module may read it
    os.environ["WORKERSEED"] = "on"  # its own `import workerseed` does what it does elsewhere
    try:
        importlib.import_module("_workerseed_of_check._options.rng")  # and with it torch and numpy.random
        state = random.getstate()
        if target and os.fork():  # two processes import the loader, from the same seeds
            program.epochs = 2 if os.wait()[1] else 1
        random.setstate(state)  # Python 3.7 and later seed it in each fork
        next(iter(of_module(target) if target else of_article(start_method)))  # the program examines it, and ends
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        program.write(program.fixed_name or target, program.reason_of(error, sys.executable))
    program.end(1)
