"""Iterates a loader in a fresh process and records what its workers drew; ``_check`` runs this file as a script.

The user's program is as its user has it: workerseed is installed only if ``_check`` asks for it, or the program does.
"""

import contextlib
import hashlib
import importlib
import io
import json
import multiprocessing
import operator
import os
import pickle
import random
import sys
import traceback
from typing import Any, Callable, Dict, List, Optional

BATCH = "the batch"  # recorded in the way of a source: a digest of what was loaded
RANKED = (("num_replicas", "rank"), ("num_processes", "process_index"))  # torch's samplers, Accelerate's
Results = Dict[str, Any]


class CheckError(Exception):
    """Why a loader cannot be judged; ``details`` is what the user's program printed of it."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def main(path: str, options: Results) -> None:
    """Probe, and write the results to the file ``path``, as JSON."""
    sys.path[0] = os.getcwd()  # as `python -m` has it, and not this folder
    try:
        results = probe(os.path.dirname(path), options)
    except CheckError as error:
        results = {"error": str(error), "details": ""}
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        last_line = traceback.format_exception_only(type(error), error)[-1].splitlines()[0]
        advice = "; run this with the Python that trains" if isinstance(error, ModuleNotFoundError) else ""
        # Of the traceback, the last calls: the first ones are ours.
        results = {"error": f"{sys.executable} raised {last_line}{advice}", "details": traceback.format_exc(limit=-3)}
        kept = error  # noqa: F841
    with open(path, "w") as file:
        file.write(json.dumps(results))
    if "error" in results:
        # At once, with the error kept: torch raises that of a killed worker in a signal handler, which can leave the
        # lock of a queue held, and the iterator that goes with the error would wait for it for ever.
        os._exit(1)


def probe(folder: str, options: Results) -> Results:
    """Return the versions, what the loader is, and what its workers drew in each epoch."""
    versions = {name: importlib.import_module(name).__version__ for name in ("torch", "numpy", "wrapt")}
    recorder = Recorder(os.path.join(folder, "log"))
    if options["workerseed"]:
        importlib.import_module("workerseed")
    epochs: List[List[Results]] = [[] for _ in range(options["epochs"])]
    for method in options["start_methods"] or [None]:
        for seed in (random.seed, sys.modules["numpy"].random.seed, sys.modules["torch"].manual_seed):
            seed(options["seed"])
        loader = import_loader(options["loader"]) if options["loader"] else loader_of_article(method)
        states = {name: Snapshot(source).state for name, source in core("_options.rng").global_generators().items()}
        for epoch in epochs:
            epoch += recorder.epoch(loader, f" {method}" if method else "")
    return {
        "versions": dict(versions, python=sys.version.split()[0]),
        "status": sys.modules["workerseed"].status()._asdict() if options["workerseed"] else None,
        "loader": dict(recorder.about, workers=len(epochs[0])),
        "states": states,
        "epochs": epochs,
    }


def core(name: str) -> Any:
    """Import a module of workerseed's core as a private copy: the package itself would be installed by the import."""
    package = "_workerseed_of_check"
    if package not in sys.modules:
        sys.modules[package] = type(sys)(package)
        sys.modules[package].__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    return importlib.import_module(f"{package}.{name}")


# The loader


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> Any:
        return sys.modules["numpy"].random.randint(0, 1000, 3)

    def __len__(self) -> int:
        return 16


def loader_of_article(start_method: Optional[str]) -> Any:
    multiprocessing.set_start_method(start_method, force=True)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    return sys.modules["torch"].utils.data.DataLoader(RandomDataset(), batch_size=2, num_workers=4)


def import_loader(target: str) -> Any:
    """Import what ``MODULE:LOADER`` or ``path/to/file.py:LOADER`` names; call it if it is a function."""
    module, _, name = target.rpartition(":")
    if not module or not name:
        raise CheckError(f"{target!r} names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER")
    if module.endswith(".py"):
        sys.path[0], file = os.path.split(os.path.abspath(module))
        module = file[: -len(".py")]
    found = operator.attrgetter(name)(importlib.import_module(module))
    return found() if callable(found) and not hasattr(type(found), "__iter__") else found


def has_ranks(part: Any, depth: int = 3) -> bool:
    """Return whether a sampler, or one within it, gives each rank of a distributed job its share."""
    if any(all(isinstance(getattr(part, name, None), int) for name in names) for names in RANKED):
        return True
    return depth > 0 and any(has_ranks(getattr(part, name, None), depth - 1) for name in ("sampler", "batch_sampler"))


# The process that iterates it


class Recorder:
    """Has each worker record what it draws, in a log: a line as it starts, and one for each batch.

    It does so where workerseed gives a worker iterator the seeded init function. A copy of workerseed's core patches
    torch for that; the program's own workerseed, if any, patches it as well.
    """

    def __init__(self, log: str) -> None:
        self.log = log
        self.about: Results = {}  # the loader whose workers started first
        self.starts: List[int] = []  # how many workers an iterator has started, each time
        self.starts_before = self.lines_before = 0  # this epoch
        patch = core("_patch")
        patch.seeded_init = self.recording
        state, reason = patch.patch(importlib.import_module("torch.utils.data.dataloader"), (), None, always=True)
        if state != "active":
            raise CheckError(reason)

    def recording(self, loader: Any, init_fn: Optional[Callable[[int], Any]]) -> "RecordStates":
        """Return what the workers of a loader, which start now, call in place of ``init_fn``."""
        self.starts.append(loader.num_workers)
        roots = {name: getattr(loader, name, None) for name in ("dataset", "collate_fn")}
        roots["worker_init_fn"] = getattr(init_fn, "worker_init_fn", init_fn)  # the user's, within workerseed's
        self.about = self.about or {
            "start_method": (getattr(loader, "multiprocessing_context", None) or multiprocessing).get_start_method(),
            "num_workers": self.starts[0],
            "worker_init_fn": roots["worker_init_fn"] is not None,
            "iterable": "IterableDataset" in [cls.__name__ for cls in type(roots["dataset"]).__mro__],
            "distributed": has_ranks(loader),
        }
        return RecordStates(init_fn, self.log, len(self.starts), roots)

    def epoch(self, loader: Any, suffix: str) -> List[Results]:
        """Iterate until each worker has loaded a batch; return, by worker and source, from which states it drew."""
        for _ in loader:
            if sum(map(bool, self.workers())) >= sum(self.starts[self.starts_before :] or self.starts):
                break
        workers = self.workers()
        if not any(workers):
            number = getattr(loader, "num_workers", "not known")
            none = f"it started no worker process through torch's DataLoader (num_workers is {number})"
            raise CheckError("its workers loaded no batch" if self.lines() else none)
        self.starts_before, self.lines_before = len(self.starts), len(self.lines())
        names = {name: name + suffix * (name != BATCH) for batches in workers for batch in batches for name in batch}
        return [
            {named: [batch[name] for batch in batches if batch.get(name)] for name, named in names.items()}
            for batches in workers
        ]

    def workers(self) -> List[List[Results]]:
        """Return what each worker has recorded in this epoch: of its first batch, or of all if it runs on from before.

        How many more it has loaded by now differs from run to run.
        """
        running_on = len(self.starts) == self.starts_before
        workers: Dict[Any, List[Results]] = {}
        for number, (start, worker_id, batch) in enumerate(self.lines()):
            if running_on or start > self.starts_before:
                batches = workers.setdefault((start, worker_id), [])
                if batch and (number >= self.lines_before if running_on else not batches):
                    batches.append(batch)
        return [workers[key] for key in sorted(workers)]

    def lines(self) -> List[Any]:
        with open(self.log, "a+") as file:
            file.seek(0)
            return [json.loads(line) for line in file if line.endswith("\n")]


# The workers


class RecordStates:
    """A ``worker_init_fn`` that calls another one, and then records what each batch of this worker draws.

    Args:
        init_fn: the user's own, or workerseed's.
        log: the file to write to.
        start: which start of workers this is.
        roots: where to search for generators, as ``_options.search`` wants them.
    """

    def __init__(self, init_fn: Optional[Callable[[int], Any]], log: str, start: int, roots: Dict[str, Any]) -> None:
        self.init_fn, self.log, self.start, self.roots = init_fn, log, start, roots
        self.parent = os.getpid()

    def __call__(self, worker_id: int) -> None:
        if self.init_fn is not None:
            self.init_fn(worker_id)
        if os.getpid() == self.parent:  # MONAI's workers may be threads
            return

        def write(batch: Optional[Results]) -> None:
            with open(self.log, "a") as file:
                file.write(json.dumps([self.start, worker_id, batch]) + "\n")

        write(None)
        loop = sys._getframe(1)
        snapshots = self.snapshots()
        queues: Any = multiprocessing.queues
        put = queues.Queue.put

        def recording_put(queue: Any, item: Any, *args: Any, **kwargs: Any) -> None:
            nonlocal snapshots
            is_batch = isinstance(item, tuple) and isinstance(item[0], int)  # not the sign that a worker is ready
            if is_batch and sys._getframe(1) is loop:
                before, snapshots = snapshots, self.snapshots()
                states = {path: now.drawn_since(before.get(path)) for path, now in snapshots.items()}
                write(dict(states, **{BATCH: digest(item[1:])}))
            put(queue, item, *args, **kwargs)

        queues.Queue.put = recording_put

    def snapshots(self) -> "Dict[str, Snapshot]":
        named = dict(core("_options.rng").global_generators(), **core("_options.search").find_generators(self.roots))
        found = {}
        for path, generator in named.items():
            with contextlib.suppress(Exception):  # one odd generator hides no other
                found[path] = Snapshot(generator)
        return found


class Snapshot:
    """What a generator is about to draw from."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self.state = core("_options.rng").state_of(generator)
        self.twister = twister_of(generator)
        initial_seed = getattr(generator, "initial_seed", lambda: None)  # of torch
        # The seed of a twister is its key, which also changes every 624 draws.
        self.seed = digest(self.twister.get_state()[1][1:]) if self.twister else initial_seed()

    def drawn_since(self, before: "Optional[Snapshot]") -> Optional[str]:
        """Return from which state the generator has drawn since an earlier snapshot, or None if it has not.

        Workers that draw from one state repeat each other, even if one draws more. A generator that was seeded or
        created since then drew from what it was seeded with.
        """
        if before is not None and before.state == self.state:
            return None
        return str(before.state) if before is not None and self.follows(before) else f"seeded {self.seed or self.state}"

    def follows(self, before: "Snapshot") -> bool:
        """Return whether mere draws have led here."""
        if before.twister is None or self.twister is None:
            return self.generator is before.generator and self.seed == before.seed
        next_words, passed = twister_of(self.twister).bytes(32), b""
        for _ in range(64):  # MiB: how far to follow it
            passed = passed[-32:] + before.twister.bytes(2**20)
            if next_words in passed:
                return True
        return False


def twister_of(generator: Any) -> Any:
    """Return a RandomState that draws the words that a Mersenne Twister draws next; None for other generators."""
    twister = sys.modules["numpy"].random.RandomState()
    state: Any = generator.get_state() if isinstance(generator, type(twister)) else None
    if isinstance(generator, random.Random):
        *key, position = random.Random.getstate(generator)[1]
        state = "MT19937", key, position
    if not isinstance(state, tuple):
        return None
    twister.set_state(state)
    return twister


def digest(value: Any) -> str:
    """Return a digest of a batch, or of what of it can be pickled; the pickles of tensors contain addresses."""
    buffer = io.BytesIO()
    pickler: Any = pickle.Pickler(buffer)
    tensor = sys.modules["torch"].Tensor
    pickler.persistent_id = lambda part: part.detach().numpy().tobytes() if isinstance(part, tensor) else None
    with contextlib.suppress(Exception):
        pickler.dump(value)
    return hashlib.sha256(buffer.getvalue()).hexdigest()[:16]


if __name__ == "__main__":
    path, options = sys.argv[1:]
    del sys.argv[1:]  # the user's module may read it when it is imported
    main(path, json.loads(options))
