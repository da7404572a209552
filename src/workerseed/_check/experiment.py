"""The experiment: every worker loads the same items, in forks of the program, which itself does not change."""

import itertools
import multiprocessing
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, Callable, Dict, Iterator, List, Optional

import wrapt

from .._attributes import attributes_of, taken
from .._options.ranks import find_rank
from . import program
from .advice import GLOBAL
from .fork import in_fork
from .verdict import WAYS
from .worker import Recorder

RANKED = ("num_replicas", "num_processes")  # what samplers know that give each rank its share: torch's, Accelerate's


def examine(start: Callable[[Any], Any], loader: Any, found: Dict[str, Any]) -> None:
    """Find what ``verdict.judge`` takes. Neither the loader nor anything it refers to changes.

    Args:
        start: returns an iterator of a loader, made as the program makes this loader's.
        loader: the program's.
        found: where to put it.
    """
    deadline = time.monotonic() + program.settings["timeout"]

    def load(way: str, epochs: int, shifted: List[str]) -> Any:
        return in_fork(
            lambda deliver: records(start, loader, way, epochs, shifted, deliver), deadline - time.monotonic()
        )

    found["rank"] = find_rank()
    found["loader"] = describe(loader)
    found["status"] = sys.modules["workerseed"].status()._asdict() if "workerseed" in sys.modules else None
    found["runs"] = {way: dict(load(way, program.epochs, []), again=[], unread=[]) for way in WAYS}
    if program.epochs == 1:
        return
    for way, run in found["runs"].items():
        run["again"] = load(way, 1, [])["starts"]
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


def records(start: Any, loader: Any, way: str, epochs: int, shifted: List[str], deliver: Any) -> Dict[str, Any]:
    """Return what the workers of a copy recorded; of two epochs, ``deliver`` it."""
    started: List[Any] = []
    starts: List[Dict[str, Any]] = []
    program.started = started  # from now on: the copy's sampler may start workers of another loader
    status = install(program.settings["options"]) if way == "workerseed" else None
    rounds = 1 if describe(loader)["iterable"] else 3
    items = SameItems(loader, rounds * loader.num_workers)
    same = copy_of(loader, Recorder(loader, rounds, shifted), items if rounds > 1 else None)

    def load(iterator: Any, epoch: int) -> Dict[str, Any]:
        batches = (batch for _, batch in zip(range(rounds * loader.num_workers), iterator))
        arrived = [part for batch in batches for part in batch if type(part) is dict]  # EDSR-PyTorch's workers add some
        complete = [record for record in arrived if len(record["batches"]) == rounds]
        if not complete:
            raise program.UnknownError("its workers loaded no batch")
        if rounds > 1 and items.epochs <= epoch:
            raise program.UnknownError("its iterator loads other batches than those of its sampler")
        firsts = {record["worker"]: dict(record, epoch=epoch) for record in reversed(complete)}
        starts.extend(firsts[number] for number in sorted(firsts))
        return {"starts": starts, "status": status}

    def take_over(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
        if any(own is iterator for of, own in started if of is same):  # and not another loader's
            started.clear()
            deliver(lambda: load(iterator, 1))
        return wrapped(*args, **kwargs)

    first = vars(same)["_iterator"] = start(same)  # where the loader's __iter__ looks for persistent workers
    found = load(first, 0)
    if epochs == 1:
        return found
    # The loader's own code starts the second epoch, in whatever thread. Records replace batches, which that code would
    # not understand: it runs until it wants the first.
    wrapt.wrap_function_wrapper(next(c for c in type(first).__mro__ if "__next__" in vars(c)), "__next__", take_over)
    distributed = sys.modules.get("torch.distributed")
    if not (distributed and distributed.is_available() and distributed.is_initialized()):  # it may talk to ranks
        with suppress(BaseException):
            next(iter(same))
    return next(start(same))


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
