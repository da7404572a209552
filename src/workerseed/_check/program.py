"""Watches a program: when one of its loaders first starts workers, examines it and writes a report."""

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
is_rerun = False  # whether this process only loads the first epochs for another
first_epochs: Dict[str, Any] = {}  # from the process that did
fixed_name = ""  # the name that the command gives to the loader
places: "weakref.WeakKeyDictionary[Any, str]" = weakref.WeakKeyDictionary()  # where each loader was built
seen: Set[str] = set()


def watch(dataloader: ModuleType) -> None:
    """Wrap the constructors of torch's DataLoader and of the root class of its iterators."""
    import wrapt

    from .._patch import root_class

    wrapt.wrap_function_wrapper(dataloader, "DataLoader.__init__", note_place)
    wrapt.wrap_function_wrapper(root_class(dataloader), "__init__", examine_first)


def note_place(wrapped: Any, loader: Any, args: Any, kwargs: Any) -> None:
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


def examine_first(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
    """Examine a loader that starts workers for the first time, and only then let it start them."""
    loader = next(iter([*args, *kwargs.values()]), None)
    experiment = sys.modules.get(f"{__package__}.experiment")
    if experiment is not None and experiment.started is not None:  # this is the experiment's own process
        experiment.started.append(iterator)
    elif is_watching and getattr(loader, "num_workers", None) and not multiprocessing.current_process().daemon:
        with suppress(Exception):
            examine(type(iterator), loader)
    return wrapped(*args, **kwargs)


def examine(iterator_class: type, loader: Any) -> None:
    name = fixed_name or f"{places.get(loader) or place()} {type(loader.dataset).__name__}"
    key = f"{name} {type(getattr(loader, 'sampler', None)).__name__}"
    if key in seen:
        return
    seen.add(key)
    try:
        from .experiment import Experiment

        experiment = Experiment(iterator_class, loader, settings()["options"], settings()["timeout"])
        if is_rerun:
            first_epochs.update(experiment.first_epochs())
        else:
            write(dict(experiment.report(first_epochs), key=key, name=name))
    except Exception as error:
        if not is_rerun:
            write(dict(zip(("problem", "details"), texts_of(error))))


def settings() -> Any:
    return json.loads(os.environ[VARIABLE])


def write(report: Dict[str, Any]) -> None:
    """Hand a report to the command, as one file that appears whole."""
    handle, path = tempfile.mkstemp(".part", f"{time.time():.6f}-", settings()["folder"])
    with open(handle, "w") as file:
        json.dump(report, file)
    os.rename(path, path[: -len(".part")] + ".json")


def texts_of(error: BaseException) -> Tuple[str, str]:
    """Return the first line of what an error says, and its traceback without our own frames."""
    lines = traceback.format_exception_only(type(error), error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(HERE)]
    return "".join(lines).splitlines()[0], "".join([*traceback.format_list(frames[-3:]), *lines])


call_when_imported(watch)
