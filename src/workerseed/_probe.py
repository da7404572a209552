"""Starts DataLoader workers in a fresh process and takes down what they would draw; ``_check`` runs it as a script.

It imports workerseed only where it is told to, or when nothing is left to be drawn: a process is to be as its user has
it.
"""

import importlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from typing import Any, Dict, List, Optional, Tuple

PACKAGE = os.path.dirname(os.path.abspath(__file__))
WORKERS = 4
ITEMS = 16  # of the article's data set, in an epoch

Facts = Dict[str, Any]


class CannotTellError(Exception):
    """What keeps us from comparing anything, for the user; ``details`` is the traceback of an error of theirs."""

    def __init__(self, message: str, details: Optional[str] = None) -> None:
        super().__init__(message)
        self.details = details


def main(result: str, what: Facts) -> None:
    """Find out what ``_check`` asks for, and write the facts to the file ``result``, as JSON."""
    sys.path[0] = os.getcwd()  # and not this folder: as `python -m` has it
    sys.path.append(os.path.dirname(PACKAGE))  # this workerseed, where it is not installed
    try:
        facts = facts_of(what)
    except CannotTellError as error:
        details = error.details if error.__cause__ is None else traceback_of(error.__cause__)
        facts = {"error": str(error), "details": details}
    with open(result, "w") as file:
        json.dump(facts, file)


def facts_of(what: Facts) -> Facts:
    if what["workerseed"]:
        import workerseed  # noqa: F401
    facts: Facts = {"python": sys.version.split()[0]}
    facts.update(torch=version("torch"), numpy=version("numpy"))
    if "loader" in what:
        facts.update(facts_of_loader(what["loader"], what["epochs"]))
    else:
        facts.update(facts_of_article(what["start_method"], what["epochs"]))
    ours = sys.modules.get("workerseed")
    facts["workerseed"] = dict(ours.status()._asdict()) if ours else None
    try:
        facts["wrapt"] = version("wrapt") if what["workerseed"] else None
    except CannotTellError:
        facts["wrapt"] = None  # why that counts, if it does, is in workerseed's status
    return facts


def version(package: str) -> str:
    try:
        return str(importlib.import_module(package).__version__)
    except ModuleNotFoundError as error:
        if error.name == package:
            raise CannotTellError(
                f"{package} is not installed for {sys.executable}: run this with the Python that trains"
            ) from None
        raise CannotTellError(f"{package} cannot be imported: install what it misses") from error
    except Exception as error:
        raise CannotTellError(f"{package} cannot be imported: install it again") from error


def traceback_of(error: BaseException) -> str:
    """Return the traceback of the user's error without our frames and those of what imports modules."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = (PACKAGE + os.sep, "<frozen importlib", os.path.dirname(importlib.__file__))
    theirs = [frame for frame in frames if not frame.filename.startswith(ours)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(theirs)] if theirs else []
    return "".join(lines + traceback.format_exception_only(type(error), error))


def seed_everything(seed: int) -> None:
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


# The article's data set


class RandomDataset:
    """The data set of the article, with the worker that drew each item."""

    def __getitem__(self, index: int) -> Tuple[int, List[int]]:
        import numpy

        return os.getpid(), numpy.random.randint(0, 1000, 3).tolist()

    def __len__(self) -> int:
        return ITEMS


def facts_of_article(start_method: str, epochs: int) -> Facts:
    """Return what each worker draws in each epoch."""
    from torch.utils.data import DataLoader

    default = multiprocessing.get_start_method()
    multiprocessing.set_start_method(start_method, force=True)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # what a program that imports them at its top has there
    loader: Any = DataLoader(RandomDataset(), batch_size=2, num_workers=WORKERS, collate_fn=list)
    seed_everything(0)
    drawn = []
    try:
        for _ in range(epochs):
            of_workers: Dict[int, List[Any]] = {}
            for batch in loader:
                for worker, draw in batch:
                    of_workers.setdefault(worker, []).append(draw)
            drawn.append(list(of_workers.values()))
    except Exception as error:
        raise CannotTellError(
            f"a worker started by {start_method} failed: look for limits on memory, processes or /dev/shm"
        ) from error
    return {"default": default == start_method, "epochs": drawn}


# The user's loader


def facts_of_loader(target: str, epochs: int) -> Facts:
    """Return what the loader is, and, of each epoch and worker, the state of each source of randomness at its start."""
    from torch.utils.data import DataLoader
    from torch.utils.data.distributed import DistributedSampler

    loader = import_loader(target)
    if not isinstance(loader, DataLoader):
        raise CannotTellError(
            f"{target} is of type {type(loader).__name__}, neither a DataLoader nor a function that returns one"
        )
    facts = {
        "num_workers": loader.num_workers,
        "workers": loader.num_workers or 2,
        "worker_init_fn": loader.worker_init_fn is not None,
        "distributed": isinstance(getattr(loader, "sampler", None), DistributedSampler),
    }
    context = getattr(loader, "multiprocessing_context", None) or multiprocessing
    facts["start_method"] = context.get_start_method()
    seed_everything(0)
    facts["epochs"] = [states_in_workers(loader, facts["workers"]) for _ in range(epochs)]
    import numpy

    from workerseed._sources import state_of

    # np.random.seed(np.random.get_state()[1][0] + worker_id), where seeding by an array has left 2**31 there
    fixed = [state_of(numpy.random.RandomState(2**31 + worker_id)) for worker_id in range(facts["workers"])]
    facts["get_state_workaround"] = [worker["np.random"] for worker in facts["epochs"][0]] == fixed
    return facts


def import_loader(target: str) -> Any:
    """Import what ``MODULE:LOADER`` or ``path/to/file.py:LOADER`` names; call it if it is not a loader itself."""
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name:
        raise CannotTellError(f"{target!r} names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER")
    if module.endswith(".py"):
        if not os.path.isfile(module):
            raise CannotTellError(f"there is no file {module}")
        folder, file = os.path.split(os.path.abspath(module))
        sys.path[0] = folder
        module = file[: -len(".py")]
    try:
        found: Any = importlib.import_module(module)
    except BaseException as error:  # also what a script without a main guard exits with
        if isinstance(error, ModuleNotFoundError) and error.name and (module + ".").startswith(error.name + "."):
            raise CannotTellError(f"there is no module {error.name!r}, neither here nor installed") from None
        raise CannotTellError(f"importing {module} failed") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise CannotTellError(f"{module} has no {name!r}")
        found = getattr(found, part)
    from torch.utils.data import DataLoader

    if isinstance(found, DataLoader) or not callable(found):
        return found
    import inspect

    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise CannotTellError(f"{target} cannot be called without arguments ({error})") from None
    except ValueError:  # a builtin without a signature
        pass
    try:
        return found()
    except Exception as error:
        raise CannotTellError(f"calling {target} failed") from error


def states_in_workers(loader: Any, workers: int) -> List[Dict[str, str]]:
    """Start the loader's workers up to where they would load, and return the states that each has then."""
    import copy

    from torch.utils.data import DataLoader

    probed = copy.copy(loader)
    # Into vars, past what DataLoader.__setattr__ refuses to change.
    vars(probed).update(num_workers=workers)
    if getattr(probed, "prefetch_factor", 2) is None:  # torch 2 without workers
        vars(probed).update(prefetch_factor=2)
    if getattr(probed, "persistent_workers", False):
        vars(probed).update(persistent_workers=False)
    with tempfile.TemporaryDirectory() as folder:
        probed.worker_init_fn = TakeDown(folder, loader)
        try:
            # That of torch itself: a subclass may keep workers that run already, as timm's MultiEpochsDataLoader does.
            iterator = DataLoader.__iter__(probed)
            found = [taken_down(worker_id, os.path.join(folder, str(worker_id))) for worker_id in range(workers)]
        except CannotTellError:
            raise
        except Exception as error:
            if str(error).startswith("DataLoader worker"):  # of torch, from its handler for dead workers, at any point
                raise CannotTellError(f"a worker died before it could load anything: {error}") from None
            raise CannotTellError(
                f"the workers cannot be started: {error!r}; to be started by spawn or forkserver, the data set, the "
                "collate_fn and the worker_init_fn have to be picklable"
            ) from None
        del iterator
    for worker_id, states in enumerate(found):
        if "failed" in states:
            raise CannotTellError("{} failed in worker {}".format(states["failed"], worker_id), states["details"])
    return found


def taken_down(worker_id: int, path: str) -> Dict[str, str]:
    """Wait for what a worker has taken down, and read it."""
    while not os.path.exists(path):
        if not multiprocessing.active_children() and not os.path.exists(path):
            raise CannotTellError(f"worker {worker_id} ended before it could load anything")
        time.sleep(0.01)
    with open(path) as file:
        return json.load(file)  # type: ignore[no-any-return]


class TakeDown:
    """A ``worker_init_fn`` that calls the user's own, takes down the state of every generator, and ends the worker."""

    def __init__(self, folder: str, loader: Any) -> None:
        self.folder = folder
        self.roots = {name: getattr(loader, name) for name in ("dataset", "collate_fn", "worker_init_fn")}

    def __call__(self, worker_id: int) -> None:
        doing = "the worker_init_fn"
        try:
            if self.roots["worker_init_fn"] is not None:
                self.roots["worker_init_fn"](worker_id)
            doing = "looking for generators"
            from workerseed._sources import states_of

            states = states_of(self.roots)
        except BaseException as error:
            states = {"failed": doing, "details": traceback_of(error)}
        path = os.path.join(self.folder, str(worker_id))
        with open(path + ".part", "w") as file:
            json.dump(states, file)
        os.rename(path + ".part", path)
        os._exit(0)  # with 0, torch's handler for dead workers keeps quiet


if __name__ == "__main__":
    result, what = sys.argv[1:]
    del sys.argv[1:]  # the user's module may read it when it is imported
    main(result, json.loads(what))
