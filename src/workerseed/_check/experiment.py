"""The experiment: every worker loads the same items, in forks of the program, which stays as it was."""

import gc
import itertools
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any, Callable, Dict, Iterator, List, Optional

import wrapt

from .._options import ranks
from . import program, verdict, worker

RANKED = (("num_replicas", "rank"), ("num_processes", "process_index"))  # torch's samplers, Accelerate's
ROUNDS = 3  # one natural, two from the same states

started: Optional[List[Any]] = None  # in the process of the experiment: the iterators that started
Run = Dict[str, Any]


def examine(iterator_class: type, loader: Any, settings: Dict[str, Any]) -> Dict[str, Any]:
    """Load from a copy of ``loader`` as it is and with workerseed, each again from the same seeds.

    Args:
        iterator_class: through which the program iterates it.
        loader: the program's; it is left alone, as all that it refers to.
        settings: ``options`` of workerseed, and ``timeout`` in seconds for the whole experiment.
    """
    deadline = time.monotonic() + settings["timeout"]
    status = sys.modules["workerseed"].status()._asdict() if "workerseed" in sys.modules else None
    report: Dict[str, Any] = {"loader": describe(loader), "status": status, "options": settings["options"], "runs": {}}
    try:
        for way, options in (("as_it_is", None), ("workerseed", settings["options"])):
            experiment = Experiment(iterator_class, loader, options, deadline)
            run = experiment.load(2)
            run.update(again=experiment.load(1)["epochs"], shifted={})
            for names in verdict.to_shift(run, is_iterable(loader)):
                run["shifted"].update(dict.fromkeys(names, experiment.load(1, names)["epochs"][0]))
            report["runs"][way] = run
    except worker.UnknownError as error:
        reason, details = error.args
        return dict(report, error=reason, details=details)
    return report


def describe(loader: Any) -> Dict[str, Any]:
    """Return what the verdict and its reader need to know of a loader."""
    context = getattr(loader, "multiprocessing_context", None) or multiprocessing
    init_fn = getattr(loader, "worker_init_fn", None)
    return {
        "workers": loader.num_workers,
        "start_method": context.get_start_method(),
        "worker_init_fn": None if init_fn is None else getattr(init_fn, "__qualname__", type(init_fn).__name__),
        "iterable": is_iterable(loader),
        "distributed": has_ranks(loader),
        "seeds_torch": sys.modules["torch"].initial_seed() < 2**32,  # torch itself takes more bits
    }


def is_iterable(loader: Any) -> bool:
    """Whether each worker loads its own stream; ``_DatasetKind.Iterable`` is 1."""
    return getattr(loader, "_dataset_kind", 0) == 1


def has_ranks(part: Any, depth: int = 3) -> bool:
    """Return whether a sampler, or one within it, gives each rank of a distributed job its share."""
    if any(all(isinstance(getattr(part, name, None), int) for name in names) for names in RANKED):
        return True
    return depth > 0 and any(has_ranks(getattr(part, name, None), depth - 1) for name in ("sampler", "batch_sampler"))


class Same:
    """In place of a sampler: the same indices for each worker, in each round."""

    def __init__(self, sampler: Any, count: int) -> None:
        self.sampler, self.indices, self.count = sampler, next(iter(sampler)), count

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(self.indices, self.count)

    def __len__(self) -> int:
        return self.count


class Experiment:
    """Loads from one loader, in one way; ``options`` is None as it is, else what workerseed does beyond torch 1.9."""

    def __init__(self, iterator_class: Any, loader: Any, options: Optional[List[str]], deadline: float) -> None:
        self.iterator_class, self.loader, self.options, self.deadline = iterator_class, loader, options, deadline

    def load(self, epochs: int, shifted: Any = ()) -> Run:
        """Return the records of so many epochs, by epoch, worker and round; or an ``error`` and its ``details``."""
        return in_fork(lambda: self.records(epochs, shifted), self.deadline)

    def records(self, epochs: int, shifted: Any) -> Run:
        global started
        started = []
        arrived: List[Any] = []

        def collect(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
            batch = wrapped(*args, **kwargs)
            arrived.append(batch)
            return batch

        owner = next(cls for cls in self.iterator_class.__mro__ if "__next__" in vars(cls))
        wrapt.wrap_function_wrapper(owner, "__next__", collect)
        status = None if self.options is None else install(self.options)
        same = self.copy(shifted)
        found = []
        for epoch in range(epochs):
            del arrived[:], started[:]
            iterator = self.iterator(same, epoch == 0)
            records: Dict[int, List[Any]] = {}
            needed = 1 if is_iterable(same) else ROUNDS
            while len(records) < same.num_workers or min(map(len, records.values())) < needed:
                try:
                    next(iterator)
                except StopIteration:
                    break
                finally:
                    for (record,) in arrived:
                        records.setdefault(record["worker"], []).append(record)
                    del arrived[:]
            if not records:
                raise worker.UnknownError("its workers loaded no batch")
            found.append([records[number][:needed] for number in sorted(records)])
            del iterator
        return {"epochs": found, "status": status, "rank": ranks.find_rank()}

    def copy(self, shifted: Any) -> Any:
        """Return a copy of the loader whose workers record what they do, with the same items for each."""
        attributes = vars(self.loader)
        same = object.__new__(type(self.loader))
        init_fn = self.loader.worker_init_fn
        roots = {name: getattr(self.loader, name, None) for name in ("dataset", "collate_fn")}
        roots["worker_init_fn"] = init_fn
        changed = {
            "worker_init_fn": worker.Start(init_fn, roots, shifted),
            "pin_memory": False,
            "_iterator": None,
            "in_order": True,
        }
        changed["collate_fn"] = worker.Collate(self.loader.collate_fn, not is_iterable(self.loader))
        if not is_iterable(self.loader):
            name = "batch_sampler" if self.loader.batch_sampler is not None else "sampler"
            try:
                changed[name] = Same(getattr(self.loader, name), ROUNDS * self.loader.num_workers)
            except StopIteration:
                raise worker.UnknownError("its sampler yields nothing") from None
        vars(same).update(attributes, **{name: changed[name] for name in changed if name in attributes})
        return same

    def iterator(self, same: Any, is_first: bool) -> Any:
        """Start an epoch of the copy: the first as the program just does, others through the loader's ``__iter__``."""
        if is_first:
            with suppress(TypeError):  # torchdata's takes more
                iterator = self.iterator_class(same)
                if getattr(same, "persistent_workers", False):
                    vars(same)["_iterator"] = iterator
                return iterator
        distributed = sys.modules.get("torch.distributed")
        if not (distributed and distributed.is_available() and distributed.is_initialized()):  # it may talk to ranks
            with suppress(Exception):
                outer = iter(same)
                if isinstance(outer, self.iterator_class):
                    return outer
                if not started:
                    next(outer)
        return started[-1] if started else self.iterator_class(same)


def install(options: List[str]) -> Dict[str, Any]:
    """Install workerseed in this process: the program's own, if it has it, with its marks, or a private copy."""
    os.environ["WORKERSEED"] = ",".join(options) or "1"
    core = "workerseed" if "workerseed" in sys.modules else __package__.rpartition(".")[0]
    module = import_module(f"{core}._install")
    module.install(options)
    status: Dict[str, Any] = module.status()._asdict()
    return status


# A process of its own


def in_fork(task: Callable[[], Run], deadline: float) -> Run:
    """Return what ``task`` returns in a fork of this process; whatever it draws, changes or breaks stays there."""
    for stream in (sys.stdout, sys.stderr):  # or the fork's workers would flush what waits here a second time
        with suppress(Exception):
            stream.flush()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 3.12 and later: other threads run
        output, results = os.path.join(folder, "output"), os.path.join(folder, "results")
        pid = os.fork()
        if pid == 0:
            _fork(task, output, results, deadline)
        try:
            with suppress(ChildProcessError):  # the program ignores SIGCHLD
                os.waitpid(pid, 0)
        finally:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)  # its workers
        if os.path.exists(results):
            with open(results) as file:
                found: Run = json.load(file)
        else:
            with open(output, errors="replace") as file:
                details = file.read()
            late = time.monotonic() > deadline
            found = {"error": "it took too long; --timeout sets the limit" if late else "its process died"}
            found["details"] = details
    if "error" in found:
        raise worker.UnknownError(found["error"], found["details"])
    return found


def _fork(task: Callable[[], Run], output: str, results: str, deadline: float) -> None:
    try:
        parent = os.getppid()
        os.setpgid(0, 0)

        def guard() -> None:
            while os.getppid() == parent and time.monotonic() < deadline:
                time.sleep(0.05)
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=guard, daemon=True).start()
        gc.disable()  # what the program dropped, and we did not, is not ours to shut down
        sys.stdout = sys.stderr = open(output, "w", 1)  # noqa: SIM115
        for number in (1, 2):
            os.dup2(sys.stdout.fileno(), number)
        server: Any = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
        if server is not None:  # the program's is not our child
            server._forkserver_pid = server._forkserver_address = server._forkserver_alive_fd = None
        sys.modules["torch"].set_num_threads(1)  # OpenMP's threads do not survive a fork
        try:
            found = task()
        except worker.UnknownError as error:
            found = {"error": error.args[0], "details": ""}
        except BaseException as error:
            line, details = program.texts_of(error)
            found = {"error": f"it raised {line}", "details": details}
        with open(results + ".part", "w") as file:
            json.dump(found, file)
        os.rename(results + ".part", results)
    finally:
        os._exit(0)
