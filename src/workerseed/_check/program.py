"""Watches a program: when one of its loaders first starts workers, examines it and writes a report."""

import importlib
import json
import multiprocessing
import os
import sys
import sysconfig
import traceback
import weakref
from contextlib import suppress
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional

from .._import_hook import call_when_imported

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
PACKAGES = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib", "platlib"))
BUILT = "_workerseed_built"  # a loader's attribute: where it was built
IMPORTLIB = os.path.dirname(importlib.__file__)

settings: Any = json.loads(os.environ["WORKERSEED_CHECK"])  # path of the reports, options, time limit
fixed_name: Optional[str] = ""  # the name that the command gives to the loader; None before it is there
epochs = 2  # how many an experiment loads; 1 in a process that only shows whether a rerun draws the same
started: Optional[List[Any]] = None  # in the process of an experiment: the loaders and iterators that have started
seen: Dict[Any, List[Any]] = {}  # the loaders examined, by name and sampler: weak references to their datasets


class UnknownError(Exception):
    """Why a loader cannot be judged; details such as what it printed may follow."""


def watch(dataloader: ModuleType) -> None:
    """Wrap the constructors of torch's DataLoader and of its iterators."""
    import wrapt

    from .._patch import root_class

    root = root_class(dataloader)

    def watch_subclass(cls: type) -> None:
        super(root, cls).__init_subclass__()
        if "__init__" in vars(cls):  # it may not call the root's, as EDSR-PyTorch's
            wrapt.wrap_function_wrapper(cls, "__init__", examine_first)

    root.__init_subclass__ = classmethod(watch_subclass)
    wrapt.wrap_function_wrapper(root, "__init__", examine_first)
    wrapt.wrap_function_wrapper(dataloader, "DataLoader.__init__", note_place)


def note_place(wrapped: Any, loader: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    with suppress(Exception):  # no line of a program built it: it is the check's own
        vars(loader)[BUILT] = place()


def place() -> str:
    """Return the file and line of the program that run now; of an installed program, those that built the loader."""
    frames = [(os.path.realpath(frame.filename), frame.lineno) for frame in reversed(traceback.extract_stack())]
    found = [(file, line) for file, line in frames if not file.startswith(OURS)]
    file, line = min(found, key=lambda each: each[0].startswith(PACKAGES) or not os.path.exists(each[0]))  # the first
    return f"{os.path.relpath(file) if file.startswith(os.getcwd() + os.sep) else file}:{line}"


def examine_first(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
    """Examine a loader that starts workers for the first time, and only then let it start them."""
    loader = next(iter([*args, *kwargs.values()]), None)
    has_workers = getattr(loader, "num_workers", None)
    if started is not None:
        started.append((loader, iterator))
    elif fixed_name is not None and has_workers and not multiprocessing.current_process().daemon:
        others = {name: value for name, value in kwargs.items() if value is not loader}

        def start(same: Any) -> Any:
            try:
                return type(iterator)(same, *args[1:], **others)
            except TypeError:  # these are the arguments for a base class
                return iter(same)

        with suppress(Exception):
            examine(start, loader)
        if fixed_name:
            end()
    return wrapped(*args, **kwargs)


def examine(start: Callable[[Any], Any], loader: Any) -> None:
    name = fixed_name or f"{getattr(loader, BUILT, None) or place()} {type(loader.dataset).__name__}"
    datasets = seen.setdefault((name, type(getattr(loader, "sampler", None))), [])
    dataset = loader.dataset if type(loader.dataset).__weakrefoffset__ else loader
    if any(reference() is None or reference() is dataset for reference in datasets):  # rebuilt, as in each epoch
        return
    datasets.append(weakref.ref(dataset))
    found: Dict[str, Any] = {}
    try:
        from .experiment import examine as experiment

        experiment(start, loader, found)
    except Exception as error:
        found.update(reason_of(error))
    write(name, found)


def end(status: int = 0) -> None:
    """End the program of a check without a command, and what it started."""
    sys.stdout.flush()
    os._exit(status)


def write(name: str, found: Dict[str, Any]) -> None:
    """Hand a report to the command."""
    report = {"name": name, "loader": None, "status": None, "rank": None, "options": settings["options"]}
    with open(settings["path"], "ab", 0) as file:  # unbuffered: another process may write at the same time
        file.write(json.dumps(dict(report, **found)).encode() + b"\n")


def reason_of(error: BaseException, who: str = "it") -> Dict[str, str]:
    """Return the first line of what an error says, and its traceback without our own frames."""
    if isinstance(error, UnknownError):
        return dict(zip(("error", "details"), (*error.args, "")))
    lines = traceback.format_exception_only(type(error), error)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((OURS, "<frozen", IMPORTLIB))]
    is_missing = getattr(error, "name", None) in ("torch", "numpy", "wrapt")
    text = next(line for line in lines if line[:1] != " ").splitlines()[0]  # of a SyntaxError, the code comes first
    text = f"{who} raised {text}" + "; run this with the Python that trains" * is_missing
    return {"error": text, "details": "".join([*traceback.format_list(theirs[-3:]), *lines])}


call_when_imported(watch)
