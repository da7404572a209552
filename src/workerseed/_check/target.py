"""The program of ``workerseed check`` without a command: imports a loader and iterates it. It is run as a script."""

import importlib
import multiprocessing
import os
import random
import sys
import time
from contextlib import suppress
from typing import Any, Iterator, List

program: Any = importlib.import_module("_workerseed_of_check._check.program")  # the sitecustomize put it there


class TargetError(Exception):
    """Why a name does not lead to a loader with workers."""


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> Any:
        return sys.modules["numpy"].random.randint(0, 1000, 3)

    def __len__(self) -> int:
        return 16


def of_installation(start_methods: List[str]) -> Iterator[Any]:
    """Yield the article's loader, with each of the start methods."""
    from torch.utils.data import DataLoader

    sys.modules["torch"].manual_seed(0)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    for method in start_methods or [None]:  # type: ignore[list-item]
        multiprocessing.set_start_method(method, force=True)
        program.fixed_name = f"the article's dataset {method or ''}".strip()
        yield DataLoader(RandomDataset(), batch_size=2, num_workers=4)


def of_module(target: str) -> Iterator[Any]:
    """Yield what MODULE:LOADER or path/to/file.py:LOADER names, or what the function of that name returns."""
    path, _, name = target.rpartition(":")
    folder, file = os.path.split(os.path.abspath(path)) if path.endswith(".py") else (os.getcwd(), path)
    sys.path[0] = folder  # in place of this file's
    program.is_watching = False  # what starts workers during the import does not count
    found: Any = importlib.import_module(file[: -len(".py")] if path.endswith(".py") else path)
    program.is_watching, program.fixed_name = True, target
    loaders = [
        key for key, value in vars(found).items() if hasattr(value, "num_workers") and not isinstance(value, type)
    ]
    there = f"its loaders are {', '.join(loaders)}" if loaders else "it has no loader"
    for part in name.split("."):
        if not hasattr(found, part):
            raise TargetError(f"{path} has no {name}; {there}")
        found = getattr(found, part)
    if isinstance(found, type):
        raise TargetError(f"{target} is a class; name a loader or a function that returns one")
    if callable(found) and not hasattr(type(found), "__iter__"):
        found, target = found(), f"{target}()"
    if isinstance(found, (dict, list, tuple)):
        raise TargetError(f"{target} is a {type(found).__name__} of {len(found)}; name one loader")
    if not hasattr(type(found), "__iter__"):
        raise TargetError(f"{target} is {found!r:.60}, not a loader")
    yield found


def iterate(loaders: Iterator[Any]) -> None:
    """Iterate each loader, which the program then examines."""
    for loader in loaders:
        for _ in loader:
            break
        if not program.seen:
            text = "{} started no worker process through torch's DataLoader (num_workers is {})"
            raise TargetError(text.format(program.fixed_name, getattr(loader, "num_workers", "unknown")))


def first_epochs(target: str) -> Any:
    """Return a loader's first epoch from another process that imports it: an unseeded generator differs there."""
    fork: Any = importlib.import_module("_workerseed_of_check._check.fork")

    def load() -> Any:
        program.is_rerun = True
        iterate(of_module(target))
        return program.first_epochs

    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    sys.modules["torch"].manual_seed(2**40)  # the notes tell it from a seed of the user's
    with suppress(Exception):  # what is wrong shows again in this process
        return fork.in_fork(load, time.monotonic() + program.settings()["timeout"])
    return {}


def main(target: str, *start_methods: str) -> None:
    del sys.argv[1:]  # the user's module may read it
    if target:
        program.first_epochs = first_epochs(target)
    iterate(of_module(target) if target else of_installation(list(start_methods)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except TargetError as error:
        program.write({"problem": str(error)})
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        line, details = program.texts_of(error)
        is_missing = getattr(error, "name", None) in ("torch", "numpy", "wrapt")
        hint = "; run this with the Python that trains" if is_missing else ""
        if not program.seen:  # or the report says it
            program.write({"problem": f"{sys.executable} raised {line}{hint}", "details": details})
    sys.stdout.flush()
    os._exit(0)  # what the program started ends with it
