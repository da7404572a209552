"""What is wrapped, with wrapt: the DataLoader's ``__init__`` and the ``__init__`` of its worker iterators."""

import copy
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

import wrapt

from ._generators import Held, held_for
from ._messages import warn_once
from ._ranks import find_rank
from ._seeding import SeededWorkerInit

Init = Callable[..., Any]
Args = Tuple[Any, ...]
Kwargs = Dict[str, Any]

# Every attribute that workerseed replaces, all in torch.utils.data.dataloader; README has the same list.
#   DataLoader.__init__
#   __init__ of the worker iterator, the one place where torch reads loader.worker_init_fn
#   __init_subclass__ of the worker iterator, to do the same to subclasses with an __init__ of their own
WORKER_ITERATORS = (
    "_DataLoaderIter",  # torch 1.0 and 1.1
    "_MultiProcessingDataLoaderIter",  # torch 1.2 and later
)

CHAIN = "_workerseed_chain"  # the key in vars(loader); Lightning does not copy what begins with an underscore

_extras: Tuple[str, ...] = ()
_enabled = False  # our wrappers can outlive `unpatch` below those of others; then they only pass through
_replaced: List[Tuple[type, str, Optional[object], object]] = []  # class, attribute, its own value if any, ours


def patch(dataloader: ModuleType, extras: Tuple[str, ...]) -> Tuple[str, str]:
    """Wrap what needs wrapping in the module ``torch.utils.data.dataloader``; doing it again does no harm.

    What is there decides, not torch's version: vendor builds such as ``1.9.0a0+2ecb2c7`` say 1.9 and lack the fix.

    Returns:
        The state and the reason for ``workerseed.status()``: ``active``, ``native`` or ``unsupported``.
    """
    global _enabled, _extras
    beyond = [extra for extra in extras if extra != "verbose"]
    worker = sys.modules.get("torch.utils.data._utils.worker")  # torch 1.0 has none
    native = "this torch seeds NumPy in its workers itself" if hasattr(worker, "_generate_state") else None
    if native and not beyond:
        return "native", native
    iterators = [getattr(dataloader, name) for name in WORKER_ITERATORS if hasattr(dataloader, name)]
    if not hasattr(dataloader, "DataLoader") or not iterators:
        return "unsupported", "this torch has no worker iterator that workerseed knows ({})".format(
            ", ".join(WORKER_ITERATORS)
        )
    try:
        _wrap_init(dataloader.DataLoader, _init_loader)
        for iterator in iterators:
            _wrap_iterators(iterator)
            _watch_subclasses(iterator)
    except Exception:
        unpatch()
        raise
    _enabled, _extras = True, extras
    reason = native or "NumPy and random are seeded in every worker that starts from now on"
    return "active", f"{reason}; extras: {', '.join(beyond)}" if beyond else reason


def unpatch() -> None:
    """Switch the step off, and put back the originals where nobody has replaced our wrapper meanwhile."""
    global _enabled
    _enabled = False
    for entry in list(_replaced):
        owner, name, original, ours = entry
        if vars(owner).get(name) is ours:
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
            _replaced.remove(entry)


def _is_replaced(owner: type, name: str) -> bool:
    # By our own record and not by looking at the attribute: fastai 1 replaces DataLoader.__init__.
    return any(entry[0] is owner and entry[1] == name for entry in _replaced)


def _wrap_init(owner: type, wrapper: Init) -> None:
    if not _is_replaced(owner, "__init__"):
        original = vars(owner)["__init__"]
        wrapt.wrap_object(owner, "__init__", _InitWrapper, (wrapper,))
        _replaced.append((owner, "__init__", original, vars(owner)["__init__"]))


def _wrap_iterators(iterator: Any) -> None:
    """Wrap the ``__init__`` of a worker iterator and of its subclasses.

    Subclasses too, since the custom loops of torch 1.0's time (the MSDataLoader of EDSR-PyTorch) read
    ``loader.worker_init_fn`` in an ``__init__`` that never calls torch's.
    """
    if "__init__" in vars(iterator):
        _wrap_init(iterator, _init_iterator)
    for subclass in iterator.__subclasses__():
        _wrap_iterators(subclass)


def _watch_subclasses(iterator: Any) -> None:
    """Wrap the ``__init__`` of those subclasses, too, that are yet to be made."""

    def init_subclass(cls: Any, **kwargs: Any) -> None:
        super(iterator, cls).__init_subclass__(**kwargs)
        try:
            _wrap_iterators(cls)
        except Exception as error:
            warn_once(f"the workers of a {cls.__name__} are not seeded: {error!r}")

    if not _is_replaced(iterator, "__init_subclass__"):
        ours: Any = classmethod(init_subclass)  # type: ignore[arg-type]
        iterator.__init_subclass__ = ours
        _replaced.append((iterator, "__init_subclass__", None, ours))  # torch's iterators have none


class _BoundInit(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    """An ``__init__`` that may also be called on the class with ``self`` as a keyword, which wrapt refuses."""

    def __call__(*args: Any, **kwargs: Any) -> Any:
        bound, args = args[0], args[1:]
        if bound._self_instance is None and not args:
            if "self" not in kwargs:
                return bound.__wrapped__(**kwargs)  # for Python's own TypeError
            args = (kwargs.pop("self"),)
        return super(_BoundInit, bound).__call__(*args, **kwargs)


class _InitWrapper(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """An ``__init__`` that binds to that."""

    __bound_function_wrapper__ = _BoundInit


def _init_loader(wrapped: Init, loader: Any, args: Args, kwargs: Kwargs) -> Any:
    result = wrapped(*args, **kwargs)
    attributes = getattr(loader, "__dict__", {})  # loader.worker_init_fn may be a subclass's property, not ready yet
    if _enabled and "worker_init_fn" in attributes:
        attributes[CHAIN] = _Beside(SeededWorkerInit(attributes["worker_init_fn"]))
    return result


class _Beside:
    """Holds the chain in ``vars(loader)``; where that is pickled or deep-copied, None stands in its place.

    So a pickled loader can be read where workerseed is not installed, and the copy gets a chain of its own.
    """

    def __init__(self, chain: SeededWorkerInit) -> None:
        self.chain = chain

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        return type(None), ()


def _init_iterator(wrapped: Init, iterator: Any, args: Args, kwargs: Kwargs) -> Any:
    loader = args[0] if args else kwargs.get("loader")
    view = _view(loader) if _enabled and loader is not None else None
    if view is None:
        return wrapped(*args, **kwargs)
    if getattr(loader, "num_workers", None) != 0:  # torch 1.0 and 1.1 come here without workers, too
        # Not where worker_init_fn is read: wrapt 1.11 swallows what a property raises.
        view._self_rank = find_rank() if "ranks" in _extras else 0
        view._self_held = held_for(loader) if "generators" in _extras else None
    if args:
        args = (view, *args[1:])
    else:
        kwargs["loader"] = view
    try:
        return wrapped(*args, **kwargs)
    finally:
        if view._self_held is not None:
            view._self_held.found = None  # the workers have started: let go


def _view(loader: Any) -> "Optional[_LoaderView]":
    if type(loader) is _LoaderView:  # made for the __init__ of a subclass, which calls this one
        return None
    try:
        return _LoaderView(loader)
    except Exception as error:  # what a loader's own __getattr__ raises when wrapt asks it for a __qualname__
        warn_once(f"the workers of a {type(loader).__name__} are not seeded: {error!r}")
        return None


class _LoaderView(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """A loader as its worker iterator sees it: everything is the loader's own, but ``worker_init_fn`` is the chain."""

    _self_rank = 0  # wrapt keeps what is called _self_... at the proxy
    _self_held: Optional[Held] = None

    @property
    def worker_init_fn(self) -> SeededWorkerInit:
        loader = self.__wrapped__
        beside = getattr(loader, "__dict__", {}).get(CHAIN)
        if beside is not None and beside.chain.worker_init_fn is loader.worker_init_fn:
            chain = beside.chain
        else:
            # Its worker_init_fn was assigned since, or it never went through our DataLoader.__init__: it is older than
            # the patch, unpickled, or of a class that does not call that (fastai 1 and 2).
            chain = SeededWorkerInit(loader.worker_init_fn)
        chain.rank, chain.held = self._self_rank, self._self_held
        return chain  # type: ignore[no-any-return]

    @worker_init_fn.setter
    def worker_init_fn(self, function: Any) -> None:
        self.__wrapped__.worker_init_fn = function

    # A custom worker loop may keep its loader: what it copies or pickles is the loader, for wrapt's proxies do neither.
    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)
