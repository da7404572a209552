"""Iterates a loader in a fresh process and records what its workers drew; ``_check`` runs this file as a script.

The user's program is as its user has it: workerseed is installed only if ``_check`` asks for it, or the program does.
"""

import contextlib
import hashlib
import importlib
import inspect
import json
import multiprocessing
import multiprocessing.queues
import os
import random
import sys
import tempfile
import traceback
import types
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEED = 56488  # no program seeds with it, so one that seeds itself is recognised
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
        results = probe(options)
    except CheckError as error:
        details = error.details if error.__cause__ is None else traceback_of(error.__cause__)
        results = {"error": str(error), "details": details}
    with open(path + ".part", "w") as file:
        json.dump(results, file)
    os.rename(path + ".part", path)


def probe(options: Results) -> Results:
    """Return the versions, what the loader is, and what its workers drew in each epoch."""
    results: Results = {"python": sys.version.split()[0], "torch": version("torch"), "numpy": version("numpy")}
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(folder)
        if options["workerseed"]:
            import workerseed  # noqa: F401
        seed_everything()
        target = options["loader"]
        loader = import_loader(target) if target else loader_of_article(options["start_method"])
        results["seeds_numpy_alone"] = seeds_numpy_alone()
        results["epochs"] = [recorder.epoch(loader, target) for _ in range(options["epochs"])]
        results.update(recorder.results())
    results["wrapt"] = version("wrapt")
    return results


def core(name: str) -> Any:
    """Import a module of workerseed's core as a copy of our own: that installs nothing in the user's program."""
    package = "_workerseed_of_check"
    if package not in sys.modules:
        module: Any = types.ModuleType(package)
        module.__path__ = [PACKAGE]
        sys.modules[package] = module
    return importlib.import_module(f"{package}.{name}")


def version(package: str) -> str:
    try:
        return str(importlib.import_module(package).__version__)
    except ModuleNotFoundError as error:
        if error.name == package:
            raise CheckError(
                f"{package} is not installed for {sys.executable}: run this with the Python that trains"
            ) from None
        raise CheckError(f"{package} cannot be imported: install what it misses") from error
    except Exception as error:
        raise CheckError(f"{package} cannot be imported: install it again") from error


def traceback_of(error: BaseException) -> str:
    """Return the traceback of the user's error without our frames and those of Python's import."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = (PACKAGE + os.sep, "<frozen importlib", os.path.dirname(importlib.__file__))
    theirs = [frame for frame in frames if not frame.filename.startswith(ours)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(theirs)] if theirs else []
    return "".join(lines + traceback.format_exception_only(type(error), error))


def seed_everything() -> None:
    import numpy
    import torch

    random.seed(SEED)
    numpy.random.seed(SEED)
    torch.manual_seed(SEED)


def seeds_numpy_alone() -> bool:
    """Return whether the program has called ``np.random.seed`` and not ``torch.manual_seed``."""
    import numpy
    import torch

    ours = numpy.random.RandomState(SEED)
    return torch.initial_seed() == SEED and not reaches(ours, words_of(numpy.random.mtrand._rand))


# The loader


class RandomDataset:
    """The dataset of the article."""

    def __getitem__(self, index: int) -> List[int]:
        import numpy

        return numpy.random.randint(0, 1000, 3).tolist()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return 16


def loader_of_article(start_method: Optional[str]) -> Any:
    from torch.utils.data import DataLoader

    if start_method:
        multiprocessing.set_start_method(start_method, force=True)
    multiprocessing.set_forkserver_preload(["numpy", "torch"])  # as in a program that imports them at its top
    return DataLoader(RandomDataset(), batch_size=2, num_workers=4, collate_fn=list)


def import_loader(target: str) -> Any:
    """Import what ``MODULE:LOADER`` or ``path/to/file.py:LOADER`` names; call it if it is a function."""
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name:
        raise CheckError(f"{target!r} names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER")
    if module.endswith(".py"):
        if not os.path.isfile(module):
            raise CheckError(f"there is no file {module}")
        folder, file = os.path.split(os.path.abspath(module))
        sys.path[0] = folder
        module = file[: -len(".py")]
    try:
        found: Any = importlib.import_module(module)
    except BaseException as error:  # SystemExit, too, from a script without a main guard
        if isinstance(error, ModuleNotFoundError) and error.name and (module + ".").startswith(error.name + "."):
            raise CheckError(f"there is no module {error.name!r}, neither here nor installed") from None
        raise CheckError(f"importing {module} failed") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise CheckError(f"{module} has no {name!r}")
        found = getattr(found, part)
    if not is_iterable(found) and callable(found):
        try:
            inspect.signature(found).bind()
        except TypeError as error:
            raise CheckError(f"{target} cannot be called without arguments ({error})") from None
        except ValueError:  # a builtin without a signature
            pass
        try:
            found = found()
        except Exception as error:
            raise CheckError(f"calling {target} failed") from error
    if not is_iterable(found):
        raise CheckError(f"{target} is of type {type(found).__name__}: a DataLoader is needed, or a function for one")
    return found


def is_iterable(thing: Any) -> bool:
    return not isinstance(thing, type) and hasattr(type(thing), "__iter__")


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


# The process that iterates the loader


class Recorder:
    """Has workers record what they draw, through the function by which workerseed makes their init function."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.loaders: List[Any] = []  # one for each start of workers
        self.seen: Dict[str, int] = {}  # the lines in each log after the epochs so far
        try:
            patch = core("_patch")
            patch.seeded_init = self.recording
            state, reason = patch.patch(importlib.import_module("torch.utils.data.dataloader"), (), None, always=True)
        except Exception as error:
            raise CheckError(f"workerseed does not work here: {error!r}") from error
        if state != "active":
            raise CheckError(reason)

    def recording(self, loader: Any, init_fn: Optional[Callable[[int], Any]]) -> "RecordStates":
        """Return what the workers of a loader, which start now, call in place of ``init_fn``."""
        self.loaders.append(loader)
        roots = {name: ask(loader, name) for name in ("dataset", "collate_fn")}
        roots["worker_init_fn"] = getattr(init_fn, "worker_init_fn", init_fn)  # the user's, within workerseed's
        return RecordStates(init_fn, os.path.join(self.folder, f"{len(self.loaders):05}-"), roots)

    def epoch(self, loader: Any, target: str) -> List[Results]:
        """Iterate until each worker has loaded a batch; return what each worker drew from each source."""
        try:
            iterator = iter(loader)
            for _ in iterator:
                if not self.waits():
                    break
            if inspect.isgenerator(iterator):
                iterator.close()
        except Exception as error:
            self.raise_failures()
            if isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker ("):
                raise CheckError(f"a worker died: {error}") from None
            if "pickle" in f"{error!r}":
                raise CheckError(
                    f"the workers cannot be started: {error!r}; spawn and forkserver need a dataset, a collate_fn and "
                    "a worker_init_fn that can be pickled"
                ) from None
            raise CheckError(f"iterating {target} failed" if target else "a worker failed") from error
        self.raise_failures()
        logs = self.logs()
        names = [name for name in logs if name not in self.seen] or [
            name for name, lines in logs.items() if len(lines) > self.seen[name]  # workers that run on
        ]
        workers = [merged(logs[name][self.seen[name] :] if name in self.seen else logs[name][1:2]) for name in names]
        self.seen = {name: len(lines) for name, lines in logs.items()}
        if not any(workers):
            raise CheckError(self.why_nothing(loader))
        return workers

    def waits(self) -> bool:
        """Return whether a worker that was started has not loaded a batch yet."""
        logs = self.logs()
        expected = [
            f"{start:05}-{worker_id:05}"
            for start, loader in enumerate(self.loaders, 1)
            for worker_id in range(ask(loader, "num_workers") or 0)
        ]
        new = [name for name in expected if name not in self.seen]
        if new:
            return any(len(logs.get(name, ())) < 2 for name in new)
        return not any(len(lines) > self.seen.get(name, 1) for name, lines in logs.items())

    def logs(self) -> Dict[str, List[Results]]:
        """Return what each worker has recorded: a line as it started, and one for each batch."""
        logs = {}
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name)) as file:
                logs[name] = [json.loads(line) for line in file if line.endswith("\n")]
        return logs

    def raise_failures(self) -> None:
        for name, lines in self.logs().items():
            for line in lines:
                if "failed" in line:
                    raise CheckError("{} failed in worker {}".format(line["failed"], int(name[-5:])), line["details"])

    def why_nothing(self, loader: Any) -> str:
        if self.logs():
            return "its workers loaded no batch"
        if ask(loader, "num_workers") == 0:
            return "it has num_workers=0: it starts no workers, so nothing can be repeated between them"
        return (
            "no worker of torch's DataLoader started while it was iterated: either none are started, or it starts "
            "threads or processes by itself, which workerseed does not reach"
        )

    def results(self) -> Results:
        """Return what ``workerseed.status()`` says and what the loader is whose workers started first."""
        ours = sys.modules.get("workerseed")
        logs = self.logs()
        first = min(logs).split("-")[0]
        loader = self.loaders[int(first) - 1]
        context = ask(loader, "multiprocessing_context") or multiprocessing
        dataset_kinds = [cls.__name__ for cls in type(ask(loader, "dataset")).__mro__]
        return {
            "status": dict(ours.status()._asdict()) if ours else None,
            "get_state_workaround": all(logs[name][0]["constant"] for name in logs if name.startswith(first)),
            "loader": {
                "num_workers": ask(loader, "num_workers"),
                "start_method": context.get_start_method(),
                "worker_init_fn": ask(loader, "worker_init_fn") is not None,
                "iterable": "IterableDataset" in dataset_kinds,
                "distributed": has_ranks(loader),
            },
        }


def merged(batches: List[Results]) -> Results:
    """Return what a worker drew from each source in these batches: see ``verdict.judge``."""
    sources: Results = {}
    for batch in batches:
        for source, (is_used, stream, is_reseeded) in batch.items():
            found = sources.setdefault(source, {"streams": [], "reseeded": False})
            if is_used:
                found["streams"].append(stream)
                found["reseeded"] |= is_reseeded
    return sources


# The workers


class Snapshot(NamedTuple):
    """A generator, a digest of its state, and a copy of a Mersenne Twister or the seed of a ``torch.Generator``."""

    generator: Any
    state: str
    copy: Any


class RecordStates:
    """A ``worker_init_fn`` that calls another one, and then records what each batch of this worker draws.

    Args:
        init_fn: the user's own, or workerseed's.
        log: how the names of the log files begin.
        roots: where to look for generators.
    """

    def __init__(self, init_fn: Optional[Callable[[int], Any]], log: str, roots: Dict[str, Any]) -> None:
        self.init_fn = init_fn
        self.log = log
        self.roots = roots
        self.parent = os.getpid()

    def __call__(self, worker_id: int) -> None:
        path = f"{self.log}{worker_id:05}"
        is_process = os.getpid() != self.parent  # MONAI's workers can be threads
        try:
            if self.init_fn is not None:
                self.init_fn(worker_id)
        except BaseException as error:
            if is_process:
                write(path, {"failed": "the worker_init_fn", "details": traceback_of(error)})
            raise
        if is_process:
            record_batches(path, worker_id, self.roots)


def record_batches(path: str, worker_id: int, roots: Dict[str, Any]) -> None:
    """Write to a log what this worker draws, whenever its loop, which has called us, puts a batch into a queue."""
    import numpy

    loop = []  # the frames of the worker loop and of what called it
    frame: Any = sys._getframe(2)
    while frame is not None:
        loop.append(frame)
        frame = frame.f_back
    put = multiprocessing.queues.Queue.put
    generators = find(roots)
    before = snapshots(generators)

    def recording_put(queue: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal before, generators, roots
        if sys._getframe(1) in loop:
            if roots:
                generators, roots = find(roots), {}  # again, since some are created while loading
            now = snapshots(generators)
            write(path, {name: drawn(before.get(name), now[name]) for name in now})
            before = now
        put(queue, *args, **kwargs)

    multiprocessing.queues.Queue.put = recording_put  # type: ignore[method-assign]
    # np.random.seed(np.random.get_state()[1][0] + worker_id), where seeding by an array has left 2**31 there
    constant = core("_rng").state_of(numpy.random.RandomState(2**31 + worker_id))
    write(path, {"constant": before["np.random"].state == constant})


def write(path: str, line: Results) -> None:
    with open(path, "a") as file:
        file.write(json.dumps(line) + "\n")


def find(roots: Dict[str, Any]) -> Dict[str, Any]:
    return dict(core("_rng").global_generators(), **core("_search").named_generators(roots))


def snapshots(generators: Dict[str, Any]) -> Dict[str, Snapshot]:
    state_of = core("_rng").state_of
    found = {}
    for path, generator in generators.items():
        with contextlib.suppress(Exception):  # one odd generator hides no other
            found[path] = Snapshot(generator, state_of(generator), copy_of(generator))
    return found


def copy_of(generator: Any) -> Any:
    words = words_of(generator)
    if words is None:
        return ask(generator, "initial_seed") and generator.initial_seed()
    if isinstance(generator, random.Random):
        twister: Any = random.Random()
        twister.setstate(random.Random.getstate(generator))
    else:
        twister = type(generator)()
        twister.set_state(generator.get_state())
    return twister


def words_of(generator: Any) -> Any:
    """Return the words of a Mersenne Twister, which change once in 624 draws, or None for other generators."""
    if isinstance(generator, random.Random):
        return random.Random.getstate(generator)[1][1:-1]
    state = generator.get_state() if hasattr(generator, "get_state") else None
    return tuple(state[1][1:].tolist()) if isinstance(state, tuple) and state[0] == "MT19937" else None


def drawn(before: Optional[Snapshot], now: Snapshot) -> Tuple[bool, str, bool]:
    """Return whether a generator was used, from which state its draws came, and whether it was seeded meanwhile.

    Workers that start from one state repeat each other, even if they draw different numbers of times. So the state
    before counts; but if the generator was seeded while loading, what it was seeded with.
    """
    if before is not None and before.state == now.state:
        return False, now.state, False
    words = words_of(now.generator)
    if before is None:
        is_same = False
    elif words is not None:
        is_same = reaches(before.copy, words)
    else:
        is_same = before.generator is now.generator and before.copy == now.copy
    if before is not None and is_same:
        return True, before.state, False
    seed = words if words is not None else now.copy
    return True, now.state if seed is None else hashlib.sha256(repr(seed).encode()).hexdigest()[:16], True


def reaches(twister: Any, words: Any) -> bool:
    """Return whether a Mersenne Twister comes to have these words if it only draws."""
    for _ in range(BLOCKS):
        if words_of(twister) == words:
            return True
        if isinstance(twister, random.Random):
            twister.getrandbits(32 * 624)
        else:
            twister.bytes(4 * 624)
    return False


if __name__ == "__main__":
    path, options = sys.argv[1:]
    del sys.argv[1:]  # the user's module may read it when it is imported
    main(path, json.loads(options))
