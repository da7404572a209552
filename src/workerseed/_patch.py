"""Wraps torch's DataLoader and its worker iterators: workers start with the seeded init function."""

import os
import sys
import threading
import weakref
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

import wrapt

from ._generators import stored_generators
from ._marks import attributes_of
from ._messages import warn_once
from ._seeding import SeededWorkerInit, find_rank

Init = Callable[..., Any]
Args = Tuple[Any, ...]
Kwargs = Dict[str, Any]
Rank = Union[int, Callable[[], int]]

# Every attribute that workerseed replaces, all in torch.utils.data.dataloader; README has the same list.
#   DataLoader.__init__
#   __init__ of each worker iterator: where torch and other people's iterators read loader.worker_init_fn
#   __init_subclass__ of the root class of all iterators, to find the worker iterators that are defined later
ROOTS = (
    "_BaseDataLoaderIter",  # torch 1.2 and later
    "_DataLoaderIter",  # torch 1.0 and 1.1, where it is the worker iterator, too
)

INIT = "_workerseed_init"  # the key in vars(loader); Lightning does not copy what begins with an underscore

# The classes that we changed, which live no longer because of that.
_iterators: "weakref.WeakSet[Any]" = weakref.WeakSet()  # worker iterators
_others: "weakref.WeakSet[Any]" = weakref.WeakSet()  # DataLoader and the root class
_options: "Optional[Tuple[Tuple[str, ...], Optional[Rank]]]" = None  # the extras and install's rank; None: turned off


def patch(
    dataloader: ModuleType, extras: Tuple[str, ...], rank: Optional[Rank], always: bool = False
) -> Tuple[str, str]:
    """Wrap what needs wrapping in the module ``torch.utils.data.dataloader``; to do it again does no harm.

    Decided by what the module has and not by torch's version: vendor builds such as ``1.9.0a0+2ecb2c7`` lack the fix.

    Args:
        dataloader: the module.
        extras: those that are on.
        rank: what ``install`` was given.
        always: also if this torch needs no patch; for ``workerseed check``.

    Returns:
        The state and the reason for ``workerseed.status()``: ``active``, ``native`` or ``unsupported``.
    """
    global _options
    active_extras = [extra for extra in extras if extra != "verbose"]
    worker = sys.modules.get("torch.utils.data._utils.worker")  # torch 1.0 has none
    native = "this torch seeds NumPy in its workers itself" if hasattr(worker, "_generate_state") else None
    if native and not active_extras and not always:
        return "native", native
    root = _root(dataloader)
    if not hasattr(dataloader, "DataLoader") or root is None or not any(_worker_iterators(root)):
        return "unsupported", f"this torch has no worker iterator that workerseed knows, below {' or '.join(ROOTS)}"
    try:
        _wrap(dataloader.DataLoader, _init_loader)
        for iterator in _worker_iterators(root):
            _wrap(iterator, _init_iterator)
        _watch_subclasses(root)
    except Exception:
        unpatch()
        raise
    _options = extras, rank
    reason = native or "NumPy and random are seeded in every worker that starts from now on"
    return "active", f"{reason}; extras: {', '.join(active_extras)}" if active_extras else reason


def unpatch() -> None:
    """Turn the reseeding step off, and put the originals back where our wrapper is the outermost."""
    global _options
    _options = None
    for cls in [*_iterators, *_others]:
        wrapper = vars(cls).get("__init__")
        if isinstance(wrapper, _InitWrapper):
            cls.__init__ = wrapper.__wrapped__
        hook = vars(cls).get("__init_subclass__")
        if isinstance(hook, _InitSubclass):
            if hook.earlier is None:
                del cls.__init_subclass__
            else:
                cls.__init_subclass__ = hook.earlier
    _iterators.clear()
    _others.clear()


def unwrapped(dataloader: Any) -> List[str]:
    """Return the names of the worker iterators, of this module and of others, that are not wrapped any more."""
    root = _root(dataloader)
    iterators = [*_iterators, *(_worker_iterators(root) if root is not None else ())]
    return sorted({cls.__name__ for cls in iterators if not _is_wrapped(cls)})


def _root(dataloader: Any) -> Any:
    return next((getattr(dataloader, name) for name in ROOTS if hasattr(dataloader, name)), None)


class _InitWrapper(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """An ``__init__`` that we wrapped."""


def _is_wrapped(cls: type) -> bool:
    """Whether our wrapper is there, perhaps below those of others."""
    function = vars(cls).get("__init__")
    while function is not None and not isinstance(function, _InitWrapper):
        function = getattr(function, "__wrapped__", None)
    return function is not None


def _wrap(cls: type, wrapper: Init) -> None:
    if not _is_wrapped(cls):
        wrapt.wrap_object(cls, "__init__", _InitWrapper, (wrapper,))
        (_iterators if wrapper is _init_iterator else _others).add(cls)


# Which iterators


def _worker_iterators(cls: Any) -> Iterator[Any]:
    """Yield each class, from ``cls`` down, whose own ``__init__`` starts workers."""
    if _starts_workers(cls):
        yield cls
    for subclass in type.__subclasses__(cls):
        yield from _worker_iterators(subclass)


def _starts_workers(cls: type) -> bool:
    """Whether the ``__init__`` of this very class reads ``worker_init_fn``, and not that of a class it derives from.

    torch's does, and so does that of torchdata's StatefulDataLoader, which derives from the root. A class that calls
    the ``__init__`` of torch's is left alone: it must see the loader as it is. One that replaces it, as EDSR-PyTorch's
    MSDataLoader does, reads ``worker_init_fn`` itself.
    """
    init = vars(cls).get("__init__")
    if init is None:
        return False
    if any(_starts_workers(base) for base in cls.__mro__[1:-1]):
        return not _names(init, "__init__")
    return any(_names(function, "worker_init_fn") for function in vars(cls).values())


def _names(function: Any, name: str) -> bool:
    """Whether the code of a function has this name in it."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    waiting = [getattr(function, "__code__", None)]
    for code in waiting:
        if isinstance(code, type(_names.__code__)):
            if name in code.co_names or name in code.co_consts:
                return True
            waiting += code.co_consts  # the code of inner functions
    return False


class _InitSubclass(classmethod):  # type: ignore[type-arg]
    """The ``__init_subclass__`` that we added; ``earlier`` is the one that was there, or None."""

    earlier: Any


def _watch_subclasses(root: Any) -> None:
    """Wrap the worker iterators that are yet to be defined."""
    earlier = vars(root).get("__init_subclass__")  # torch's root class has none
    _others.add(root)
    if isinstance(earlier, _InitSubclass):
        return

    def init_subclass(cls: Any, **kwargs: Any) -> None:
        (earlier.__get__(None, cls) if earlier else super(root, cls).__init_subclass__)(**kwargs)
        try:
            if _options is not None and _starts_workers(cls):
                _wrap(cls, _init_iterator)
        except Exception as error:
            warn_once(f"the workers of a {cls.__name__} are not seeded: {error!r}")

    hook = _InitSubclass(init_subclass)
    hook.earlier = earlier
    root.__init_subclass__ = hook


# The wrappers


def _init_loader(wrapped: Init, loader: Any, args: Args, kwargs: Kwargs) -> None:
    wrapped(*args, **kwargs)
    if _options is not None:
        try:
            attributes = loader.__dict__
            attributes[INIT] = _Stored(SeededWorkerInit(attributes["worker_init_fn"]))
        except Exception:  # worker_init_fn or __dict__ is a property of a subclass: the iterator finds out
            return


class _Stored:
    """Holds the seeded init function in ``vars(loader)``; where that is pickled or deep-copied, None takes its place.

    So a pickled loader can be read where workerseed is not installed.
    """

    __slots__ = ("init",)

    def __init__(self, init: SeededWorkerInit) -> None:
        self.init = init

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        return type(None), ()


def seeded_init(loader: Any, worker_init_fn: Any) -> SeededWorkerInit:
    """Return what the workers of ``loader`` call in place of ``worker_init_fn``, for this one start of them."""
    extras, rank = _options or ((), None)
    of_rank = find_rank(rank, "verbose" in extras) if "ranks" in extras else 0
    generators = stored_generators(loader, worker_init_fn, "verbose" in extras) if "generators" in extras else None
    stored = attributes_of(loader).get(INIT)
    if stored is not None and stored.init.worker_init_fn is worker_init_fn and not of_rank and generators is None:
        return stored.init  # type: ignore[no-any-return]
    # An extra is on; or worker_init_fn was assigned since; or the loader never went through our DataLoader.__init__: it
    # is older than the patch, unpickled, or of a class that does not call that (fastai 1 and 2).
    return SeededWorkerInit(worker_init_fn, of_rank, generators)


def _init_iterator(wrapped: Init, iterator: Any, args: Args, kwargs: Kwargs) -> Any:
    loader = _loader_among([*args, *kwargs.values()]) if _options is not None else None
    if loader is None:
        return wrapped(*args, **kwargs)
    start = _begin(loader)
    try:
        start.hand_over(seeded_init(loader, start.worker_init_fn))
        return wrapped(*args, **kwargs)
    finally:
        _end(start)


def _loader_among(arguments: List[Any]) -> Any:
    """Return the one that has workers to start; torch 1.0 and 1.1 make their worker iterator without workers, too."""
    for argument in arguments:
        try:
            if argument.num_workers > 0:
                argument.worker_init_fn  # noqa: B018
                return argument
        except Exception:  # it is no loader, or torch will meet the error itself
            continue
    return None


# Handing over: while the __init__ of a worker iterator runs, and no longer, its loader shows the seeded init function.
# Several threads may start workers of one loader at once: the first to begin keeps the user's function, the last to end
# puts it back.


class _Start:
    """A loader whose workers are being started."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader  # keeps its id in _starts valid, too
        self.cls: Any = type(loader)
        self.threads = 0
        self.shown: Any = None
        self.worker_init_fn: Any = None

    def begin(self, worker_init_fn: Any) -> None:
        self.threads += 1
        if self.shown is None or worker_init_fn is not self.shown:
            self.worker_init_fn = worker_init_fn

    def hand_over(self, init: Any) -> None:
        with _lock():
            self.shown = init
            attributes = attributes_of(self.loader)
            if type(self.loader) is self.cls and "worker_init_fn" in attributes:
                attributes["worker_init_fn"] = init
            if self.loader.worker_init_fn is not init:
                self.hand_over_past_property()

    def hand_over_past_property(self) -> None:
        namespace = {
            "worker_init_fn": property(lambda loader: self.shown),
            "__slots__": (),
            "__module__": self.cls.__module__,
            "__doc__": self.cls.__doc__,
        }
        try:
            metaclass: Any = type(self.cls)
            object.__setattr__(self.loader, "__class__", metaclass(self.cls.__name__, (self.cls,), namespace))
        except Exception as error:
            warn_once(f"the workers of a {self.cls.__name__} are not seeded: {error!r}")

    def end(self) -> None:
        self.threads -= 1
        if self.threads:
            return
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
        worker_init_fn = loader.worker_init_fn
        if isinstance(worker_init_fn, SeededWorkerInit) and (os.getpid(), id(loader)) not in _starts:
            worker_init_fn = worker_init_fn.worker_init_fn  # in a worker, of the loader that its parent is starting
        start = _starts.setdefault((os.getpid(), id(loader)), _Start(loader))
        start.begin(worker_init_fn)
        return start


def _end(start: _Start) -> None:
    with _lock():
        start.end()
        if not start.threads:
            del _starts[os.getpid(), id(start.loader)]
