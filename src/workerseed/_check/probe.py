"""Iterates a loader in a fresh process and records what its workers drew; ``_check`` runs this file as a script.

The user's program is as its user has it: workerseed is installed only if ``_check`` asks for it, or the program does.
"""

import contextlib
import hashlib
import importlib
import json
import multiprocessing
import multiprocessing.queues
import os
import random
import sys
import traceback
import types
from typing import Any, Callable, Dict, List, NamedTuple, Optional

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCKS = 20000  # how far to follow a Mersenne Twister, in blocks of 624 words
RANKED = (("num_replicas", "rank"), ("num_processes", "process_index"))  # torch's samplers, Accelerate's
Results = Dict[str, Any]


class CheckError(Exception):
    """Why a loader cannot be judged; ``details`` is the traceback of an error in the user's code."""

    def __init__(self, message: str, details: Optional[str] = None) -> None:
        super().__init__(message)
        self.details = details


def main(path: str, options: Results) -> None:
    """Probe, and write the results to the file ``path``, as JSON."""
    sys.path[0] = os.getcwd()  # as `python -m` has it, and not this folder
    sys.path.append(os.path.dirname(PACKAGE))  # this workerseed, where it is not installed
    try:
        results = probe(os.path.dirname(path), options)
    except CheckError as error:
        details = traceback_of(error.__cause__) if error.__cause__ else error.details
        results = {"error": str(error), "details": details}
    with open(path, "w") as file:
        file.write(json.dumps(results))


def probe(folder: str, options: Results) -> Results:
    """Return the versions, what the loader is, and what its workers drew in each epoch."""
    results: Results = {"python": sys.version.split()[0], "torch": version("torch"), "numpy": version("numpy")}
    recorder = Recorder(folder)
    if options["workerseed"]:
        importlib.import_module("workerseed")
    for seed in ("random.seed", "numpy.random.seed", "torch.manual_seed"):
        module, _, name = seed.rpartition(".")
        getattr(importlib.import_module(module), name)(0)
    target = options["loader"]
    loader = import_loader(target) if target else loader_of_article(options["start_method"])
    results["epochs"] = [recorder.epoch(loader) for _ in range(options["epochs"])]
    workerseed = sys.modules.get("workerseed")
    results["status"] = workerseed.status()._asdict() if workerseed else None
    return dict(results, wrapt=version("wrapt"), **recorder.about)


def version(package: str) -> str:
    try:
        return str(importlib.import_module(package).__version__)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == package
        raise CheckError(
            f"{package} is not installed for {sys.executable}: run this with the Python that trains"
            if missing
            else f"{package} cannot be imported"
        ) from (None if missing else error)


def core(name: str) -> Any:
    """Import a module of workerseed's core as a private copy: the package itself would be installed by the import."""
    package = "_workerseed_of_check"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [PACKAGE]
    return importlib.import_module(f"{package}.{name}")


def traceback_of(error: BaseException) -> str:
    """Return the traceback of the user's error without our frames and those of Python's import."""
    ours = (PACKAGE + os.sep, "<frozen importlib", os.path.dirname(importlib.__file__))
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(theirs)] if theirs else []
    return "".join(lines + traceback.format_exception_only(type(error), error))


# The loader


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> Any:
        return sys.modules["numpy"].random.randint(0, 1000, 3)

    def __len__(self) -> int:
        return 16


def loader_of_article(start_method: Optional[str]) -> Any:
    from torch.utils.data import DataLoader

    if start_method:
        multiprocessing.set_start_method(start_method, force=True)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    return DataLoader(RandomDataset(), batch_size=2, num_workers=4)


def import_loader(target: str) -> Any:
    """Import what ``MODULE:LOADER`` or ``path/to/file.py:LOADER`` names; call it if it is a function."""
    module, _, name = target.rpartition(":")
    if not module or not name:
        raise CheckError(f"{target!r} names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER")
    if module.endswith(".py"):
        sys.path[0], file = os.path.split(os.path.abspath(module))
        module = file[: -len(".py")]
    doing = f"importing {module}"
    try:
        found: Any = importlib.import_module(module)
        doing = f"{target} cannot be found: reading it"
        for part in name.split("."):
            found = getattr(found, part)
        if not hasattr(type(found), "__iter__") and callable(found):
            doing = f"calling {target}"
            found = found()
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        raise CheckError(f"{doing} failed") from error
    if not hasattr(type(found), "__iter__"):
        raise CheckError(f"{target} is of type {type(found).__name__}: name a loader, or a function that returns one")
    return found


def ask(thing: Any, name: str) -> Any:
    """Return an attribute, or None if it is missing or raises."""
    with contextlib.suppress(Exception):
        return getattr(thing, name)
    return None


def has_ranks(sampler: Any, depth: int = 3) -> bool:
    """Return whether a sampler, or one within it, gives each rank of a distributed job its share."""
    if any(all(isinstance(ask(sampler, name), int) for name in names) for names in RANKED):
        return True
    return depth > 0 and any(has_ranks(ask(sampler, name), depth - 1) for name in ("sampler", "batch_sampler"))


# The process that iterates it


class Recorder:
    """Has each worker record what it draws, in a log: a line as it starts, and one for each batch.

    It does so where workerseed gives a worker iterator the seeded init function. A copy of workerseed's core patches
    torch for that; the program's own workerseed, if any, patches it as well.
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "logs")  # which outlives this process, as its workers may
        os.mkdir(self.folder)
        self.about: Results = {}  # the loader whose workers started first
        self.expected: List[int] = []  # the number of workers of each start in this epoch
        self.starts = 0
        self.seen: Dict[str, int] = {}  # the number of lines in each log after the epochs before
        try:
            patch = core("_patch")
            patch.seeded_init = self.recording
            state, reason = patch.patch(importlib.import_module("torch.utils.data.dataloader"), (), None, always=True)
        except Exception as error:
            raise CheckError("workerseed does not work here") from error
        if state != "active":
            raise CheckError(reason)

    def recording(self, loader: Any, init_fn: Optional[Callable[[int], Any]]) -> "RecordStates":
        """Return what the workers of a loader, which start now, call in place of ``init_fn``."""
        self.starts += 1
        self.expected.append(ask(loader, "num_workers"))
        roots = {name: ask(loader, name) for name in ("dataset", "collate_fn")}
        roots["worker_init_fn"] = getattr(init_fn, "worker_init_fn", init_fn)  # the user's, within workerseed's
        about = {
            "start_method": (ask(loader, "multiprocessing_context") or multiprocessing).get_start_method(),
            "num_workers": self.expected[0],
            "worker_init_fn": roots["worker_init_fn"] is not None,
            "iterable": "IterableDataset" in [cls.__name__ for cls in type(roots["dataset"]).__mro__],
            "distributed": has_ranks(loader),
        }
        self.about = self.about or {"loader": about}
        return RecordStates(init_fn, os.path.join(self.folder, f"{self.starts:05}-"), roots)

    def epoch(self, loader: Any) -> List[Results]:
        """Iterate until each worker has loaded a batch; return, by worker and source, from which states it drew."""
        try:
            for _ in loader:
                loaded = [name for name, lines in self.logs().items() if len(lines) >= self.seen.get(name, 0) + 2]
                if len(loaded) >= (sum(self.expected) or len(self.seen)):
                    break
        except Exception as error:
            self.logs()
            if str(error).startswith("DataLoader worker ("):
                raise CheckError(f"a worker died: {error}") from None
            if "pickle" in repr(error):
                raise CheckError(
                    f"its workers cannot be started, for they get what cannot be pickled: {error!r}"
                ) from None
            raise CheckError("loading from it failed") from error
        logs = self.logs()
        new = {name: lines[1:2] for name, lines in logs.items() if name not in self.seen}
        running_on = {name: lines[self.seen.get(name, 0) :] for name, lines in logs.items()}
        workers = list((new or running_on).values())
        if not any(workers):
            raise CheckError(self.why_nothing(loader))
        self.expected, self.seen = [], {name: len(lines) for name, lines in logs.items()}
        self.about["get_state_workaround"] = all(lines[0]["constant"] for lines in logs.values())
        sources = sorted({source for batches in workers for batch in batches for source in batch})
        return [
            {source: [batch[source] for batch in batches if batch.get(source)] for source in sources}
            for batches in workers
        ]

    def logs(self) -> Dict[str, List[Results]]:
        logs = {}
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name)) as file:
                logs[name] = [json.loads(line) for line in file if line.endswith("\n")]
            for line in logs[name]:
                if "failed" in line:
                    raise CheckError(f"the worker_init_fn failed in worker {int(name[-5:])}", line["failed"])
        return logs

    def why_nothing(self, loader: Any) -> str:
        if self.seen or self.logs():
            return "its workers loaded no batch"
        if ask(loader, "num_workers") == 0:
            return "it has num_workers=0 and starts no workers, so no worker can repeat another"
        return "it started no workers through torch's DataLoader; workerseed does not reach threads and other processes"


# The workers


class RecordStates:
    """A ``worker_init_fn`` that calls another one, and then records what each batch of this worker draws.

    Args:
        init_fn: the user's own, or workerseed's.
        log: how the names of the log files begin.
        roots: where to search for generators, as ``_search`` wants them.
    """

    def __init__(self, init_fn: Optional[Callable[[int], Any]], log: str, roots: Dict[str, Any]) -> None:
        self.init_fn, self.log, self.roots = init_fn, log, roots
        self.parent = os.getpid()

    def __call__(self, worker_id: int) -> None:
        log = f"{self.log}{worker_id:05}"
        is_process = os.getpid() != self.parent  # MONAI's workers may be threads
        try:
            if self.init_fn is not None:
                self.init_fn(worker_id)
        except BaseException as error:
            if is_process:
                write(log, {"failed": traceback_of(error)})
            raise
        if not is_process:
            return
        frames: List[Any] = [sys._getframe(1)]  # of the worker loop, and of what called it
        while frames[-1].f_back is not None:
            frames.append(frames[-1].f_back)
        snapshots = self.snapshots()
        # np.random.seed(np.random.get_state()[1][0] + worker_id), where seeding by an array has left 2**31 there
        constant = core("_rng").state_of(sys.modules["numpy"].random.RandomState(2**31 + worker_id))
        write(log, {"constant": snapshots["np.random"].state == constant})
        queues: Any = multiprocessing.queues
        put = queues.Queue.put

        def recording_put(queue: Any, item: Any, *args: Any, **kwargs: Any) -> None:
            nonlocal snapshots
            is_batch = isinstance(item, tuple) and isinstance(item[0], int)  # not the sign that a worker is ready
            if is_batch and sys._getframe(1) in frames:
                before, snapshots = snapshots, self.snapshots()
                write(log, {path: drawn(before.get(path), now) for path, now in snapshots.items()})
            put(queue, item, *args, **kwargs)

        queues.Queue.put = recording_put

    def snapshots(self) -> "Dict[str, Snapshot]":
        rng, found = core("_rng"), {}
        for path, generator in dict(rng.global_generators(), **core("_search").find_generators(self.roots)).items():
            with contextlib.suppress(Exception):  # one odd generator hides no other
                words = words_of(generator)
                mark = twister_of(generator) if isinstance(words, tuple) else words
                found[path] = Snapshot(generator, rng.state_of(generator), mark)
        return found


def write(log: str, line: Results) -> None:
    with open(log, "a") as file:
        file.write(json.dumps(line) + "\n")


class Snapshot(NamedTuple):
    """A generator, a digest of its state, and a copy of a Mersenne Twister or the seed of a ``torch.Generator``."""

    generator: Any
    state: str
    mark: Any


def words_of(generator: Any) -> Any:
    """Return what draws do not change: the seed of a torch.Generator, 623 words of a Mersenne Twister, or None."""
    if isinstance(generator, random.Random):
        return random.Random.getstate(generator)[1][1:-1]
    if hasattr(generator, "initial_seed"):
        return generator.initial_seed()
    state = generator.get_state() if hasattr(generator, "get_state") else ()
    return tuple(state[1][1:].tolist()) if isinstance(state, tuple) and state[:1] == ("MT19937",) else None


def twister_of(generator: Any) -> Any:
    """Return an independent Mersenne Twister of the same state; a copy of NumPy's shares what draws."""
    if isinstance(generator, random.Random):
        twister: Any = random.Random()
        twister.setstate(random.Random.getstate(generator))
    else:
        twister = sys.modules["numpy"].random.RandomState()
        twister.set_state(generator.get_state())
    return twister


def drawn(before: Optional[Snapshot], now: Snapshot) -> Optional[str]:
    """Return from which state a generator drew since the snapshot before, or None if it did not.

    Workers that draw from one state repeat each other, even if one draws more. A generator that was seeded or created
    since then drew from what it was seeded with.
    """
    if before is not None and before.state == now.state:
        return None
    words = words_of(now.generator)
    if before is not None and goes_on(before, now, words):
        return before.state
    return "seeded " + (now.state if words is None else hashlib.sha256(repr(words).encode()).hexdigest()[:16])


def goes_on(before: Snapshot, now: Snapshot, words: Any) -> bool:
    """Return whether a generator comes from the one state to the other if it only draws."""
    if not isinstance(words, tuple):
        return before.generator is now.generator and before.mark == words
    twister = before.mark
    for _ in range(BLOCKS if hasattr(twister, "seed") else 0):
        if words_of(twister) == words:
            return True
        twister.getrandbits(32 * 624) if isinstance(twister, random.Random) else twister.bytes(4 * 624)
    return False


if __name__ == "__main__":
    path, options = sys.argv[1:]
    del sys.argv[1:]  # the user's module may read it when it is imported
    main(path, json.loads(options))
