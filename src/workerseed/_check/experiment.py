"""The experiment: every worker loads the same items, in forks of the program, which itself does not change."""

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, Dict, Iterator, List, Optional

import wrapt

from .._attributes import attributes_of, taken
from .._options.ranks import find_rank
from . import program
from .advice import GLOBAL
from .fork import in_fork
from .verdict import WAYS
from .worker import Recorder

RANKED = ("num_replicas", "num_processes")  # what samplers know that give each rank its share: torch's, Accelerate's


def examine(cls: type, loader: Any, found: Dict[str, Any]) -> None:
    """Find what ``verdict.judge`` takes. Neither the loader nor anything it refers to changes.

    Args:
        cls: the class of iterators through which the program iterates the loader.
        loader: the program's.
        found: where to put it.
    """
    deadline = time.monotonic() + program.settings["timeout"]

    def load(way: str, epochs: int, shifted: List[str]) -> Any:
        return in_fork(lambda: records(cls, loader, way, epochs, shifted), deadline - time.monotonic())

    found["loader"] = describe(loader)
    found["rank"] = find_rank()
    found["status"] = sys.modules["workerseed"].status()._asdict() if "workerseed" in sys.modules else None
    again = program.again or {way: load(way, 1, [])["starts"] for way in WAYS}
    if program.is_rerun:
        program.again = again
        return
    found["runs"] = {way: dict(load(way, 2, []), again=again[way], unread=[]) for way in WAYS}
    for way, run in found["runs"].items():
        names = {name for start in run["starts"] for name in start["after"]}
        doubtful = {name for name in names if is_doubtful(name, run["starts"], found["loader"]["iterable"])}
        for group in [[name] for name in GLOBAL] + [sorted(doubtful.difference(GLOBAL))]:
            if doubtful.intersection(group):
                shifted = load(way, 1, group)["starts"]
                run["unread"] += [name for name in group if ends(shifted, name) == ends(run["starts"], name)]


def is_doubtful(name: str, starts: List[Dict[str, Any]], is_iterable: bool) -> bool:
    """Whether the batch may seed a source first: workers start in one state and end in several, or load other items."""
    pairs = {(start["started"].get(name), start["after"].get(name)) for start in starts}
    return len({started for started, _ in pairs}) < len(pairs) or (is_iterable and any(s != end for s, end in pairs))


def ends(starts: List[Dict[str, Any]], name: str) -> Any:
    """Return the first batches of the first epoch, and the states in which they leave a source."""
    return [(start["batches"][0], start["after"].get(name)) for start in starts if start["epoch"] == 0]


def describe(loader: Any) -> Dict[str, Any]:
    """Return what the verdict and its reader need to know about a loader."""
    batch_sampler = getattr(loader, "batch_sampler", None)
    samplers = [getattr(loader, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None)]
    shares = [getattr(sampler, name, None) for sampler in samplers for name in RANKED]
    return {
        "workers": loader.num_workers,
        "start_method": (getattr(loader, "multiprocessing_context", None) or multiprocessing).get_start_method(),
        # _DatasetKind.Iterable: each worker loads its own stream.
        "iterable": taken(attributes_of(loader), "dataset_kind") == 1,
        "distributed": any(isinstance(number, int) for number in shares),
        "seeds_torch": sys.modules["torch"].initial_seed() < 2**32,  # torch itself takes more bits
    }


# In a fork


def records(cls: Any, loader: Any, way: str, epochs: int, shifted: List[str]) -> Dict[str, Any]:
    """Return what the workers of a copy recorded."""
    arrived: List[Dict[str, Any]] = []
    reached: List[Any] = []  # the iterators that the loader's own code begins to iterate
    iterator: Any = None  # the one that this function iterates

    def collect(wrapped: Any, of_batches: Any, args: Any, kwargs: Any) -> Any:
        is_own = any(of_batches is own for of, own in program.started or () if of is same)  # and not another loader's
        if is_own and of_batches is not iterator:  # see start: that code would not understand records
            reached.append(of_batches)
            main: Any = threading.main_thread()
            signal.pthread_kill(main.ident, signal.SIGINT)  # it may be waiting for this thread
            raise SystemExit
        batch = wrapped(*args, **kwargs)
        if is_own:
            arrived.extend(part for part in batch if type(part) is dict)  # EDSR-PyTorch's worker loop adds to it
        return batch

    program.started = []  # from now on: the copy's sampler may start workers of another loader
    status = install(program.settings["options"]) if way == "workerseed" else None
    rounds = 1 if describe(loader)["iterable"] else 3
    items = SameItems(loader, rounds * loader.num_workers)
    same = copy_of(loader, Recorder(loader, rounds, shifted), items if rounds > 1 else None)
    wrapt.wrap_function_wrapper(next(base for base in cls.__mro__ if "__next__" in vars(base)), "__next__", collect)
    starts: List[Dict[str, Any]] = []
    for epoch in range(epochs):
        arrived.clear()
        iterator = None
        iterator = start(same, cls, epoch, reached)
        for _ in zip(range(rounds * loader.num_workers), iterator):
            pass
        complete = [record for record in arrived if len(record["batches"]) == rounds]
        if not complete:
            raise program.UnknownError("its workers loaded no batch")
        if rounds > 1 and items.epochs <= epoch:
            raise program.UnknownError("its iterator loads other batches than those of its sampler")
        firsts = {record["worker"]: dict(record, epoch=epoch) for record in reversed(complete)}
        starts += [firsts[number] for number in sorted(firsts)]
    return {"starts": starts, "status": status}


def install(options: List[str]) -> Any:
    """Install workerseed in this process: the program's own, with its marks, if it has it, or a private copy."""
    os.environ["WORKERSEED"] = ",".join(options) or "1"
    core = "workerseed" if "workerseed" in sys.modules else __package__.rpartition(".")[0]
    vars(import_module(f"{core}._import_hook"))["variable"] = "0"  # only the options of the command count
    module = import_module(f"{core}._install")
    module.install(options)
    return module.status()._asdict()


def copy_of(loader: Any, recorder: Recorder, items: "Optional[SameItems]") -> Any:
    """Return a copy of the loader whose workers record what they do, all with the same items."""
    changed: Dict[str, Any] = {"worker_init_fn": recorder.start, "collate_fn": recorder.collate}
    changed.update(pin_memory=False, _iterator=None, in_order=True)
    if items is not None:
        changed[items.name] = items
    same = object.__new__(type(loader))
    vars(same).update(vars(loader), **{name: changed[name] for name in changed if name in vars(loader)})
    return same


class SameItems:
    """Starts a loader's sampler in each epoch, as the program does, but yields the first batch of the first one."""

    def __init__(self, loader: Any, count: int) -> None:
        self.name = "sampler" if loader.batch_sampler is None else "batch_sampler"
        self.sampler, self.count, self.epochs = getattr(loader, self.name), count, 0
        self.batch: List[Any] = []

    def __iter__(self) -> Iterator[Any]:
        self.epochs += 1
        first = list(itertools.islice(self.sampler, 1))
        self.batch = self.batch or first
        yield from self.batch * self.count

    def __len__(self) -> int:
        return self.count


def start(same: Any, cls: Any, epoch: int, reached: List[Any]) -> Any:
    """Start an epoch of the copy: the first as the program has just done, the second with the loader's ``__iter__``.

    ``collect`` stops that code before its first batch, which it may take in a thread. What it raises does not matter.
    """
    if epoch == 0:
        with suppress(TypeError):  # torchdata's takes more
            vars(same)["_iterator"] = cls(same)  # where the loader's __iter__ looks for persistent workers
            return same._iterator
    distributed = sys.modules.get("torch.distributed")
    if not (distributed and distributed.is_available() and distributed.is_initialized()):  # it may talk to ranks
        with suppress(BaseException):
            outer = iter(same)
            if isinstance(outer, cls):
                return outer
            next(outer)
    return reached[0] if reached else cls(same)
