"""Watches a program: when one of its loaders first starts workers, examines that loader and writes down what it saw."""

import json
import multiprocessing
import os
import sys
import sysconfig
import tempfile
import time
import traceback
import weakref
from contextlib import suppress
from types import ModuleType
from typing import Any, Dict, Optional, Set, Tuple

from .._import_hook import call_when_imported

VARIABLE = "WORKERSEED_CHECK"  # a JSON object: folder, options, timeout
LIBRARIES = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib", "platlib")})
HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep

is_watching = True
fixed_name = ""  # the one that the command gives to a loader
places: "weakref.WeakKeyDictionary[Any, str]" = weakref.WeakKeyDictionary()  # where each loader was built
seen: Dict[str, Any] = {}  # by the name of a loader: the state of torch as it started workers
told: Set[str] = set()


def watch(dataloader: ModuleType) -> None:
    """Wrap the constructors of torch's DataLoader and of the root class of its iterators."""
    import wrapt

    root = "_BaseDataLoaderIter" if hasattr(dataloader, "_BaseDataLoaderIter") else "_DataLoaderIter"
    wrapt.wrap_function_wrapper(dataloader, "DataLoader.__init__", _note_place)
    wrapt.wrap_function_wrapper(dataloader, f"{root}.__init__", _examine_first)


def _note_place(wrapped: Any, loader: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    with suppress(TypeError):  # a subclass that cannot be hashed
        places[loader] = place()


def place() -> str:
    """Return the file and line of the program's own code that runs now, or of whatever called torch."""
    frame: Optional[Any] = sys._getframe(1)
    found = ""
    while frame is not None:
        file = os.path.realpath(frame.f_code.co_filename)
        if not file.startswith(HERE) and f"{os.sep}torch{os.sep}" not in file and "wrapt" not in file:
            found = found or f"{file}:{frame.f_lineno}"
            if not file.startswith(LIBRARIES) and os.path.exists(file):
                found = f"{file}:{frame.f_lineno}"
                break
        frame = frame.f_back
    return os.path.relpath(found) if found.startswith(os.getcwd() + os.sep) else found


def _examine_first(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
    loader = next(iter([*args, *kwargs.values()]), None)
    experiment = sys.modules.get(f"{__package__}.experiment")
    if experiment is not None and experiment.started is not None:  # this is the experiment's own process
        experiment.started.append(iterator)
    elif is_watching and getattr(loader, "num_workers", None) and not multiprocessing.current_process().daemon:
        try:
            examine(type(iterator), loader)
        except Exception as error:
            with suppress(Exception):
                write({"problem": f"{type(loader).__name__}: {texts_of(error)[0]}", "details": texts_of(error)[1]})
    return wrapped(*args, **kwargs)


def examine(iterator_class: type, loader: Any) -> None:
    """Examine a loader that was not seen before; of one that was, note whether torch is in the same state again."""
    from .._options import rng
    from . import experiment

    name = fixed_name or f"{places.get(loader) or place()} {type(loader.dataset).__name__}"
    sampler = getattr(loader, "sampler", None)
    key = f"{name} {type(sampler).__name__}"
    state = rng.state_of(getattr(loader, "generator", None) or rng.global_generators()["torch"])
    if key not in seen:
        seen[key] = state
        write(dict(experiment.examine(iterator_class, loader, settings()), key=key, name=name))
    elif seen[key] == state and key not in told:
        told.add(key)
        write({"key": key, "restarts": True})


def settings() -> Any:
    return json.loads(os.environ[VARIABLE])


def write(report: Dict[str, Any]) -> None:
    """Hand a report to the command, as one file that appears whole."""
    handle, path = tempfile.mkstemp(".part", f"{time.time():.6f}-", settings()["folder"])
    with open(handle, "w") as file:
        json.dump(dict(report, pid=os.getpid()), file)
    os.rename(path, path[: -len(".part")] + ".json")


def texts_of(error: BaseException) -> Tuple[str, str]:
    """Return the first line of what an error says, and its traceback without our own frames."""
    lines = traceback.format_exception_only(type(error), error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(HERE)]
    return "".join(lines).splitlines()[0], "".join([*traceback.format_list(frames[-3:]), *lines])


call_when_imported(watch)
