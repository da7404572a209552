"""The program of ``workerseed check MODULE:LOADER``: imports a loader and iterates it; run as a script."""

import importlib
import multiprocessing
import os
import sys
from typing import Any, List

program: Any = importlib.import_module("_workerseed_of_check._check.program")  # the sitecustomize put it there


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> Any:
        return sys.modules["numpy"].random.randint(0, 1000, 3)

    def __len__(self) -> int:
        return 16


def check_installation(start_methods: List[str]) -> None:
    """Iterate the article's loader, with each of the start methods."""
    from torch.utils.data import DataLoader

    sys.modules["torch"].manual_seed(0)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    for method in start_methods or [None]:  # type: ignore[list-item]
        multiprocessing.set_start_method(method, force=True)
        program.fixed_name = f"the article's dataset {method or ''}".strip()
        next(iter(DataLoader(RandomDataset(), batch_size=2, num_workers=4)))


def check_loader(target: str) -> None:
    """Import and iterate what MODULE:LOADER or path/to/file.py:LOADER names; what starts on import does not count."""
    module, _, name = target.rpartition(":")
    sys.path[0] = os.getcwd()  # as `python -m` has it, and not this folder
    if module.endswith(".py"):
        sys.path[0], file = os.path.split(os.path.abspath(module))
        module = file[: -len(".py")]
    program.is_watching = False
    imported = importlib.import_module(module)
    program.is_watching, program.fixed_name = True, target
    found = named(imported, module, name)
    for _ in found:
        break
    if not program.seen:
        number = getattr(found, "num_workers", "unknown")
        raise LookupError(f"{target} started no worker process through torch's DataLoader (num_workers is {number})")


def named(module: Any, path: str, name: str) -> Any:
    """Return the loader of that name, or what the function of that name returns."""
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            loaders = [key for key, value in vars(module).items() if hasattr(value, "num_workers")]
            there = f"its loaders are {', '.join(loaders)}" if loaders else "it has no loader"
            raise LookupError(f"{path} has no {name}; {there}")
        found = getattr(found, part)
    if isinstance(found, type):
        raise LookupError(f"{path}:{name} is a class; name a loader or a function that returns one")
    if callable(found) and not hasattr(type(found), "__iter__"):
        found, name = found(), f"{name}()"
    if isinstance(found, (dict, list, tuple)):
        raise LookupError(f"{path}:{name} is a {type(found).__name__} of {len(found)}; name one loader")
    if not hasattr(type(found), "__iter__"):
        raise LookupError(f"{path}:{name} is {found!r:.60}, not a loader")
    return found


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    del sys.argv[1:]  # the user's module may read it when it is imported
    try:
        check_installation(arguments) if kind == "installation" else check_loader(arguments[0])
    except LookupError as error:
        program.write({"problem": str(error)})
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        line, details = program.texts_of(error)
        is_missing = getattr(error, "name", None) in ("torch", "numpy", "wrapt")
        hint = "; run this with the Python that trains" if is_missing else ""
        program.write({"problem": f"{sys.executable} raised {line}{hint}", "details": details})
    sys.stdout.flush()
    os._exit(0)  # what the program started ends with it
