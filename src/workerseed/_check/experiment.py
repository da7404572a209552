"""The experiment: every worker loads the same items, in forks of the program, which itself does not change."""

import itertools
import multiprocessing
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, Dict, Iterable, List, Optional

import wrapt

from .._options import ranks
from . import comparison, worker
from .fork import in_fork

RANKED = (("num_replicas", "rank"), ("num_processes", "process_index"))  # torch's samplers, Accelerate's

started: Optional[List[Any]] = None  # in the process of the experiment: the iterators that have started
WAYS = ("as_it_is", "workerseed")
Run = Dict[str, Any]


class Experiment:
    """Loads from copies of a loader, unchanged and with workerseed. Neither it nor anything it refers to changes.

    Args:
        iterator_class: the class through which the program iterates it.
        loader: the program's.
        options: of workerseed.
        timeout: in seconds, for the whole experiment.
    """

    def __init__(self, iterator_class: type, loader: Any, options: List[str], timeout: float) -> None:
        self.iterator_class, self.loader, self.options = iterator_class, loader, options
        self.deadline = time.monotonic() + timeout

    def report(self, again: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return what ``verdict.judge`` takes; ``again`` is what ``first_epochs`` returned in another process."""
        status = sys.modules["workerseed"].status()._asdict() if "workerseed" in sys.modules else None
        runs: Dict[str, Run] = {}
        report = {"loader": describe(self.loader), "status": status, "options": self.options, "runs": runs}
        try:
            again = again or self.first_epochs()
            for way in WAYS:
                run = dict(self.load(way, 2), again=again[way], shifted={})
                for names in comparison.doubtful(run["starts"], is_iterable(self.loader)):
                    run["shifted"].update(dict.fromkeys(names, self.load(way, 1, names)["starts"]))
                runs[way] = run
        except worker.UnknownError as error:
            report.update(zip(("error", "details"), error.args))
        return report

    def first_epochs(self) -> Dict[str, Any]:
        return {way: self.load(way, 1)["starts"] for way in WAYS}

    def load(self, way: str, epochs: int, shifted: Iterable[str] = ()) -> Run:
        options = self.options if way == "workerseed" else None
        return in_fork(lambda: records(self.iterator_class, self.loader, options, epochs, shifted), self.deadline)


def describe(loader: Any) -> Dict[str, Any]:
    """Return what the verdict and its reader need to know about a loader."""
    context = getattr(loader, "multiprocessing_context", None) or multiprocessing
    return {
        "workers": loader.num_workers,
        "start_method": context.get_start_method(),
        "iterable": is_iterable(loader),
        "distributed": has_ranks(loader),
        "seeds_torch": sys.modules["torch"].initial_seed() < 2**32,  # torch itself takes more bits
    }


def is_iterable(loader: Any) -> bool:
    """Whether each worker loads its own stream; ``_DatasetKind.Iterable`` is 1."""
    return getattr(loader, "_dataset_kind", 0) == 1


def has_ranks(part: Any, depth: int = 3) -> bool:
    """Whether a sampler, or one within it, gives each rank of a distributed job its share."""
    if any(all(isinstance(getattr(part, name, None), int) for name in names) for names in RANKED):
        return True
    return depth > 0 and any(has_ranks(getattr(part, name, None), depth - 1) for name in ("sampler", "batch_sampler"))


# In a fork


def records(iterator_class: Any, loader: Any, options: Optional[List[str]], epochs: int, shifted: Any) -> Run:
    """Return what the workers of a copy recorded; ``options`` is None without workerseed."""
    global started
    started, arrived, starts = [], [], []

    def collect(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
        arrived.extend(wrapped(*args, **kwargs))
        return arrived[-1:]

    owner = next(cls for cls in iterator_class.__mro__ if "__next__" in vars(cls))
    wrapt.wrap_function_wrapper(owner, "__next__", collect)
    status = None if options is None else install(options)
    same = copy_of(loader, shifted)
    needed = 1 if is_iterable(loader) else worker.ROUNDS
    for epoch in range(epochs):
        del arrived[:], started[:]
        iterator = start(same, iterator_class, epoch)
        found: Dict[int, Dict[str, Any]] = {}
        while len(found) < same.num_workers or min(len(each["batches"]) for each in found.values()) < needed:
            try:
                next(iterator)
            except StopIteration:
                break
            finally:
                for record in arrived:
                    first = found.setdefault(record["worker"], dict(record, epoch=epoch, batches=[]))
                    first["batches"] = [*first["batches"], record["batch"]][:needed]
                    first["moving"] = [
                        name for name in record["after"] if record["after"][name] != record["started"].get(name)
                    ]
                del arrived[:]
        if not found:
            raise worker.UnknownError("its workers loaded no batch")
        starts += [found[number] for number in sorted(found)]
        del iterator
    return {"starts": starts, "status": status, "rank": ranks.find_rank()}


def install(options: List[str]) -> Dict[str, Any]:
    """Install workerseed in this process: the program's own, with its marks, if it has it, or a private copy."""
    os.environ["WORKERSEED"] = ",".join(options) or "1"
    core = "workerseed" if "workerseed" in sys.modules else __package__.rpartition(".")[0]
    module = import_module(f"{core}._install")
    module.install(options)
    status: Dict[str, Any] = module.status()._asdict()
    return status


def copy_of(loader: Any, shifted: Any) -> Any:
    """Return a copy of the loader whose workers record what they do, all with the same items."""
    same = object.__new__(type(loader))
    roots = {name: getattr(loader, name) for name in ("dataset", "collate_fn", "worker_init_fn")}
    changed = {
        "worker_init_fn": worker.Start(loader.worker_init_fn, roots, shifted),
        "collate_fn": worker.Collate(loader.collate_fn, not is_iterable(loader)),
        "pin_memory": False,
        "_iterator": None,
        "in_order": True,
    }
    if not is_iterable(loader):
        name = "sampler" if loader.batch_sampler is None else "batch_sampler"
        indices = list(itertools.islice(getattr(loader, name), 1))
        if not indices:
            raise worker.UnknownError("its sampler yields nothing")
        changed[name] = indices * worker.ROUNDS * loader.num_workers
    vars(same).update(vars(loader), **{name: changed[name] for name in changed if name in vars(loader)})
    return same


def start(same: Any, iterator_class: Any, epoch: int) -> Any:
    """Start an epoch of the copy: the first as the program has just done, the second with the loader's ``__iter__``."""
    if epoch == 0:
        with suppress(TypeError):  # torchdata's takes more
            iterator = iterator_class(same)
            if getattr(same, "persistent_workers", False):
                vars(same)["_iterator"] = iterator
            return iterator
    distributed = sys.modules.get("torch.distributed")
    if not (distributed and distributed.is_available() and distributed.is_initialized()):  # it may talk to ranks
        with suppress(Exception):
            outer = iter(same)
            if isinstance(outer, iterator_class):
                return outer
            if not started:
                next(outer)
    return started[-1] if started else iterator_class(same)
