"""Wraps torch's DataLoader and its worker iterators: workers start with the seeded init function."""

import functools
import inspect
import os
import sys
import threading
import weakref
from contextlib import suppress
from types import CodeType, ModuleType
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union

import wrapt

from ._options import attributes_of
from ._options.ranks import find_rank
from ._messages import warn_once
from ._seeding import SeededWorkerInit, publish_state_address

Rank = Union[int, Callable[[], int], None]

# Every attribute that workerseed replaces, all in torch.utils.data.dataloader; README has the same list.
#   DataLoader.__init__
#   __init__ of each worker iterator: where torch and other people's iterators read loader.worker_init_fn
#   __init_subclass__ of the root class of all iterators, to find the worker iterators that are defined later
ROOTS = (
    "_BaseDataLoaderIter",  # torch 1.2 and later
    "_DataLoaderIter",  # torch 1.0 and 1.1, where it is the worker iterator, too
)

INIT = "_workerseed_init"  # the key in vars(loader); Lightning does not copy what begins with an underscore

_patched: "weakref.WeakSet[Any]" = weakref.WeakSet()  # the classes whose __init__ we wrapped
_options: "Optional[Tuple[Tuple[str, ...], Rank]]" = None  # the options and install's rank; None: turned off


def patch(dataloader: ModuleType, options: Tuple[str, ...], rank: Rank, always: bool = False) -> Tuple[str, str]:
    """Wrap what needs wrapping in the module ``torch.utils.data.dataloader``; to do it again does no harm.

    Decided by what the module has and not by torch's version: vendor builds such as ``1.9.0a0+2ecb2c7`` lack the fix.

    Args:
        dataloader: the module.
        options: those that are on.
        rank: what ``install`` was given.
        always: also if this torch needs no patch; for ``workerseed check``.

    Returns:
        The state and the reason for ``workerseed.status()``: ``active``, ``native`` or ``unsupported``.
    """
    global _options
    active_options = [option for option in options if option != "verbose"]
    worker = sys.modules.get("torch.utils.data._utils.worker")  # torch 1.0 has none
    native = "this torch seeds NumPy in its workers itself" if hasattr(worker, "_generate_state") else None
    if native and not active_options and not always:
        return "native", native
    root = _root(dataloader)
    if not hasattr(dataloader, "DataLoader") or root is None or not any(_worker_iterators(root, root)):
        return "unsupported", f"this torch has no worker iterator that workerseed knows, below {' or '.join(ROOTS)}"
    try:
        _wrap(dataloader.DataLoader, _init_loader)
        for iterator in _worker_iterators(root, root):
            _wrap(iterator, _init_iterator)
        _watch_subclasses(root)
    except Exception:
        unpatch()
        raise
    _options = options, rank
    reason = native or "NumPy and random are seeded in every worker that starts from now on"
    return "active", f"{reason}; options: {', '.join(active_options)}" if active_options else reason


def unpatch() -> None:
    """Turn the reseeding step off, and put the originals back where our wrapper is the outermost."""
    global _options
    _options = None
    for cls in {base for patched in list(_patched) for base in patched.__mro__[:-1]}:
        wrapper, hook = (vars(cls).get(name) for name in ("__init__", "__init_subclass__"))
        if type(wrapper) is wrapt.FunctionWrapper and _is_ours(wrapper):  # no proxy of somebody else around it
            cls.__init__ = wrapper.__wrapped__
        if isinstance(hook, _InitSubclass):
            del cls.__init_subclass__
            _, earlier = hook.__func__.args  # type: ignore[attr-defined]
            if earlier is not None:
                cls.__init_subclass__ = earlier
    _patched.clear()


def unwrapped(dataloader: Any) -> List[str]:
    """Return the names of the module's worker iterators that are not wrapped any more."""
    root = _root(dataloader) or type(None)  # from which nothing derives
    iterators = {cls for cls in (*_patched, *_worker_iterators(root, root)) if issubclass(cls, root)}
    return sorted(cls.__name__ for cls in iterators if not _is_wrapped(cls))


def _root(dataloader: Any) -> Any:
    return next((getattr(dataloader, name) for name in ROOTS if hasattr(dataloader, name)), None)


def _is_ours(function: Any) -> bool:
    return getattr(function, "_self_wrapper", None) in (_init_loader, _init_iterator)


def _is_wrapped(cls: type) -> bool:
    """Whether our wrapper is there, perhaps below those of others."""
    function = vars(cls).get("__init__")
    while function is not None and not _is_ours(function):
        function = getattr(function, "__wrapped__", None)
    return function is not None


def _wrap(cls: type, wrapper: Any) -> None:
    if not _is_wrapped(cls):
        wrapt.wrap_function_wrapper(cls, "__init__", wrapper)
        _patched.add(cls)


# Which iterators


def _worker_iterators(root: Any, cls: Any) -> Iterator[Any]:
    """Yield each class, from ``cls`` down, whose ``__init__`` may start workers; ``root`` is torch's root class."""
    if _starts_workers(root, cls):
        yield cls
    for subclass in type.__subclasses__(cls):
        yield from _worker_iterators(root, subclass)


def _starts_workers(root: Any, cls: Any) -> bool:
    """Whether workers may start in the ``__init__`` of this very class, and not in that of another below the root.

    torch's own class that does reads ``worker_init_fn``. A class that calls its ``__init__`` is left alone: it must see
    the loader as it is. One that replaces it, as EDSR-PyTorch's MSDataLoader does, starts workers itself. So may one
    that derives from the root alone, as that of torchdata's StatefulDataLoader does.
    """
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    if owner is not cls and issubclass(owner, root):
        return False
    bases = [base for base in cls.__mro__[1:] if issubclass(base, root) and "__init__" in vars(base)]
    if any(_names(vars(base).values(), "worker_init_fn") for base in bases):
        return not _names([owner.__init__], "__init__")
    return cls.__module__ != root.__module__ or _names(vars(cls).values(), "worker_init_fn")


def _names(functions: Iterable[Any], name: str) -> bool:
    """Whether the code of one of the functions, or of a function within it, has this name or text."""
    codes = [getattr(inspect.unwrap(function), "__code__", None) for function in functions]
    for code in codes:
        if isinstance(code, CodeType):
            codes += code.co_consts
    return any(isinstance(code, CodeType) and name in (*code.co_names, *code.co_consts) for code in codes)


class _InitSubclass(classmethod):  # type: ignore[type-arg]
    """The ``__init_subclass__`` that we add: a partial of ``_init_subclass``."""


def _watch_subclasses(root: Any) -> None:
    """Wrap the worker iterators that are yet to be defined."""
    earlier = vars(root).get("__init_subclass__")  # torch's root class has none
    if not isinstance(earlier, _InitSubclass):
        root.__init_subclass__ = _InitSubclass(functools.partial(_init_subclass, root, earlier))


def _init_subclass(root: Any, earlier: Any, cls: Any, **kwargs: Any) -> None:
    (earlier.__get__(None, cls) if earlier else super(root, cls).__init_subclass__)(**kwargs)
    try:
        if _options is not None and _starts_workers(root, cls):
            _wrap(cls, _init_iterator)
    except Exception as error:
        warn_once(f"the workers of a {cls.__name__} are not seeded: {error!r}")


# The wrappers


def _init_loader(wrapped: Any, loader: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    if _options is not None:
        try:
            attributes = loader.__dict__
            if attributes["num_workers"] > 0:
                attributes[INIT] = _SeededInit(SeededWorkerInit, attributes["worker_init_fn"])
        except Exception:  # one of the names is a property of a subclass: the iterator finds out
            return


class _SeededInit(functools.partial):  # type: ignore[type-arg]
    """Makes the seeded init function of a loader; called with the rank and the generators of a start of workers.

    Where ``vars(loader)`` is pickled or deep-copied, None takes its place: the loader can be read without workerseed.
    """

    def __reduce__(self) -> Any:
        return type(None), ()


def seeded_init(loader: Any, worker_init_fn: Any) -> SeededWorkerInit:
    """Return what the workers of ``loader`` call in place of ``worker_init_fn``, for this one start of them."""
    publish_state_address()
    options, rank = _options or ((), None)
    of_rank = find_rank(rank, "verbose" in options) if "ranks" in options else 0
    generators = None
    if "generators" in options:
        try:
            from ._options.generators import stored_generators  # not at the top: it imports NumPy

            generators = stored_generators(loader, worker_init_fn, "verbose" in options)
        except Exception as error:
            warn_once(f"stored generators are not reseeded: {error!r}")
    stored = attributes_of(loader).get(INIT)
    if stored is not None and stored.args[0] is worker_init_fn:
        return stored(of_rank, generators)  # type: ignore[no-any-return]
    # worker_init_fn was assigned since, or the loader never went through our DataLoader.__init__: it is older than the
    # patch, unpickled, or of a class that does not call that (fastai 1 and 2).
    return SeededWorkerInit(worker_init_fn, of_rank, generators)


def _init_iterator(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> Any:
    loader = _loader_among([*args, *kwargs.values()]) if _options is not None else None
    if loader is None:
        return wrapped(*args, **kwargs)
    start = _begin(loader)
    try:
        if start.threads.count(threading.get_ident()) == 1:  # else the __init__ of a subclass calls this one
            worker_init_fn = loader.worker_init_fn
            if isinstance(worker_init_fn, SeededWorkerInit):  # another thread is starting workers of this loader
                worker_init_fn = worker_init_fn.worker_init_fn
            start.show(worker_init_fn, seeded_init(loader, worker_init_fn))
        return wrapped(*args, **kwargs)
    finally:
        start.end()


def _loader_among(arguments: List[Any]) -> Any:
    """Return the one that has workers to start; torch 1.0 and 1.1 make their worker iterator without workers, too."""
    for argument in arguments:
        with suppress(Exception):  # it is no loader, or torch will meet the error itself
            if argument.num_workers > 0 and hasattr(argument, "worker_init_fn"):
                return argument
    return None


# Handing over: while the __init__ of a worker iterator runs, and no longer, its loader shows the seeded init function.
# Several threads may start workers of one loader at once: the last to end puts the user's function back.


class _Start:
    """A loader whose workers are being started."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader  # keeps its id in _starts valid, too
        self.cls: Any = type(loader)
        self.threads: List[int] = []  # a thread is there once for each __init__ that it is in
        self.shown: Any = None
        self.worker_init_fn: Any = None

    def show(self, worker_init_fn: Any, init: Any) -> None:
        with _lock():
            self.worker_init_fn, self.shown = worker_init_fn, init
            attributes = attributes_of(self.loader)
            if type(self.loader) is self.cls and "worker_init_fn" in attributes:
                attributes["worker_init_fn"] = init
            if self.loader.worker_init_fn is not init:
                self.show_past_property()

    def show_past_property(self) -> None:
        shown = property(lambda loader: self.shown)
        names = {"worker_init_fn": shown, "__slots__": (), "__module__": self.cls.__module__}
        try:
            cls = type(self.cls)(self.cls.__name__, (self.cls,), names)
            object.__setattr__(self.loader, "__class__", cls)
        except Exception as error:
            warn_once(f"the workers of a {self.cls.__name__} are not seeded: {error!r}")

    def end(self) -> None:
        with _lock():
            self.threads.remove(threading.get_ident())
            if self.threads:
                return
            del _starts[os.getpid(), id(self.loader)]
            if type(self.loader) is not self.cls:
                object.__setattr__(self.loader, "__class__", self.cls)
            attributes = attributes_of(self.loader)
            if attributes.get("worker_init_fn") is self.shown is not None:  # else it was assigned meanwhile
                attributes["worker_init_fn"] = self.worker_init_fn


_starts: Dict[Tuple[int, int], _Start] = {}  # by process and loader
_locks: Dict[int, threading.Lock] = {}  # by process: a forked worker must not wait for a thread of its parent


def _lock() -> threading.Lock:
    return _locks.setdefault(os.getpid(), threading.Lock())


def _begin(loader: Any) -> _Start:
    with _lock():
        start = _starts.setdefault((os.getpid(), id(loader)), _Start(loader))
        start.threads.append(threading.get_ident())
        return start
