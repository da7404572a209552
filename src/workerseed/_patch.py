"""Patches torch's DataLoader and its worker iterators: workers start with the reseeding step."""

import functools
import inspect
import sys
from contextlib import suppress
from typing import Any, Set, Tuple

import wrapt

from ._attributes import attributes_of, taken
from ._config import BEYOND_TORCH_1_9, settings
from ._seeding import SeededWorkerInit, WorkerInitFn

# Every attribute that workerseed patches, all in torch.utils.data.dataloader; docs/how-it-works.md has the same list.
#   DataLoader.__init__    wrapped: chains the reseeding step in front of worker_init_fn and stores the chain beside it
#   <root>.__init__        wrapped: notes which loader an iterator belongs to; see root_class
#   <root>._worker_init_fn, <root>.worker_init_fn
#                          added: puts the reseeding step in front of the function that an iterator gives its workers
FUNCTIONS = ("_worker_init_fn", "worker_init_fn")  # the latter up to torch 1.2, and in iterators that copy that code

CHAIN = "_workerseed_init"  # the key in vars(loader); Lightning does not copy names with a leading underscore
LOADER = "_workerseed_loader"  # the key in vars(iterator), until the iterator has stored its function

_patched: Set[Any] = set()  # the classes


def patch(dataloader: Any) -> Tuple[str, str]:
    """Patch the module ``torch.utils.data.dataloader`` if necessary; patching it twice is harmless.

    The module's contents decide, not torch's version: vendor builds such as ``1.9.0a0+2ecb2c7`` lack the fix.

    Returns:
        The state and the reason for ``workerseed.status()``: ``active``, ``native`` or ``unsupported``.
    """
    loader, root = getattr(dataloader, "DataLoader", None), root_class(dataloader)  # this makes a lazy module load
    options = [option for option in BEYOND_TORCH_1_9 if option in (settings.options or ())]
    worker = sys.modules.get("torch.utils.data._utils.worker")  # torch 1.0 has none
    native = "this torch seeds NumPy in its workers itself" if hasattr(worker, "_generate_state") else ""
    if native and not options:
        return "native", native
    if not isinstance(loader, type) or not isinstance(root, type):
        return "unsupported", "this torch has no class DataLoader, or neither _BaseDataLoaderIter nor _DataLoaderIter"
    try:
        unpatch({loader, root} - _patched)  # an earlier import of workerseed, dropped from sys.modules, may be there
        _patched.update((loader, root))
        for cls, wrapper in ((loader, _init_loader), (root, _init_iterator)):
            if _find(cls, "__init__")[1] is None:
                wrapt.wrap_function_wrapper(cls, "__init__", wrapper)
        for name in FUNCTIONS:
            if _find(root, name)[1] is None:
                setattr(root, name, SeededAttribute(name, vars(root).get(name)))
    except Exception:
        unpatch()
        raise
    reason = native or "NumPy and random are seeded in every worker that starts from now on"
    return "active", f"{reason}; options: {', '.join(options)}" if options else reason


def unpatch(classes: Set[Any] = _patched) -> None:
    """Undo ``patch``, except where another library's plain function wraps one of our wrappers."""
    for cls in list(classes):
        for name in ("__init__", *FUNCTIONS):
            holder, ours = _find(cls, name)
            if holder is cls and ours.__wrapped__ is None:
                delattr(cls, name)
            elif holder is cls:
                setattr(cls, name, ours.__wrapped__)
            elif hasattr(type(holder), "__wrapped__"):  # a wrapper of wrapt, or of another copy of workerseed
                with suppress(Exception):  # it may be read-only
                    holder.__wrapped__ = ours.__wrapped__
        _patched.discard(cls)  # now: after an interrupt, the next call does the rest


def replaced(dataloader: Any) -> str:
    """Return the names of the patched attributes that other code has replaced, which stops the seeding."""
    root = root_class(dataloader)
    missing = [name for name in FUNCTIONS if root is not None and _find(root, name)[1] is None]
    return ", ".join(f"{root.__name__}.{name}" for name in missing)


def root_class(dataloader: Any) -> Any:
    """Return the root class of torch's worker iterators in this module, or None."""
    legacy = getattr(dataloader, "_DataLoaderIter", None)  # torch 1.0 and 1.1
    return getattr(dataloader, "_BaseDataLoaderIter", legacy)  # torch 1.2 and later


def _find(cls: type, name: str) -> Tuple[Any, Any]:
    """Return what holds our wrapper of an attribute, ``cls`` or another library's wrapper, and ours; or None twice."""
    attribute: Any = vars(cls).get(name)
    if _is_ours(attribute):
        return cls, attribute
    outer = inspect.unwrap(attribute, stop=lambda around: _is_ours(getattr(around, "__wrapped__", None)))
    ours = getattr(outer, "__wrapped__", None)
    return (outer, ours) if _is_ours(ours) else (None, None)


def _is_ours(attribute: Any) -> bool:
    """Whether this module made it, now or in an earlier import; another copy of workerseed has another name."""
    is_wrapper = type(attribute) in (wrapt.FunctionWrapper, wrapt.BoundFunctionWrapper)  # and not a proxy around one
    made_by = attribute._self_wrapper if is_wrapper else type(attribute)
    return getattr(made_by, "__module__", None) == __name__


def _init_loader(wrapped: Any, loader: Any, args: Any, kwargs: Any) -> None:
    """Wrap ``DataLoader.__init__``: chain the reseeding step, as the project's specification asks.

    The iterator does not depend on it: it makes the chain itself for loaders that did not come through here.
    """
    wrapped(*args, **kwargs)
    attributes = {} if settings.options is None else attributes_of(loader)
    if attributes.get("num_workers"):
        attributes[CHAIN] = ChainedInit(attributes.get("worker_init_fn"))


class ChainedInit:
    """The reseeding step in front of one ``worker_init_fn``, for every start of workers.

    It is copied and pickled as None, so that a pickled loader can be read where workerseed is not installed.
    """

    def __init__(self, worker_init_fn: WorkerInitFn) -> None:
        self.worker_init_fn = worker_init_fn

    def for_start(self, iterator: Any, loader: Any) -> SeededWorkerInit:
        """Return what the workers of one start call.

        Args:
            iterator: the one that starts them; it has the dataset and ``collate_fn`` in its attributes.
            loader: its loader, or None if that is not known.

        Raises:
            ValueError: the launcher or ``install(rank=...)`` gives something that is not a rank.
        """
        # The class that pickle will find, if the program has dropped our modules from sys.modules since.
        from ._seeding import SeededWorkerInit

        of_options: Tuple[Any, ...] = ()
        if set(BEYOND_TORCH_1_9).intersection(settings.options or ()):
            from . import _options

            of_options = _options.for_start(iterator, loader, self.worker_init_fn)
        return SeededWorkerInit(self.worker_init_fn, *of_options)

    def __reduce__(self) -> Any:
        return type(None), ()


def _init_iterator(wrapped: Any, iterator: Any, args: Any, kwargs: Any) -> None:
    """Wrap the root class's ``__init__``: note the loader until the iterator stores its ``worker_init_fn``."""
    loader = args[0] if args else kwargs.get("loader")
    if settings.options is not None and attributes_of(loader).get("num_workers") != 0:
        attributes_of(iterator)[LOADER] = loader
    wrapped(*args, **kwargs)


class SeededAttribute:
    """An attribute of worker iterators that puts the reseeding step in front of the function assigned to it.

    The value is in the iterator's ``__dict__``, as on stock torch.

    Args:
        name: of the attribute.
        wrapped: the class attribute that this one replaces, such as that of another copy of workerseed; or None.
    """

    __wrapped__: Any = None

    def __init__(self, name: str, wrapped: Any) -> None:
        self.name = name
        self.__wrapped__ = wrapped

    def __get__(self, iterator: Any, cls: Any = None) -> Any:
        try:
            return attributes_of(iterator)[self.name]
        except KeyError:
            raise AttributeError(f"{cls.__name__!r} object has no attribute {self.name!r}") from None

    def __delete__(self, iterator: Any) -> None:
        self.__get__(iterator, type(iterator))  # if there is none, the error is the same
        del attributes_of(iterator)[self.name]

    def __set__(self, iterator: Any, worker_init_fn: Any) -> None:
        attributes = attributes_of(iterator)
        if settings.options is not None and taken(attributes, "num_workers") != 0 and not _is_seeded(worker_init_fn):
            loader = attributes.pop(LOADER, None)
            chain = attributes_of(loader).get(CHAIN)
            if chain is None or chain.worker_init_fn is not worker_init_fn:
                # The function was assigned later, or the loader never went through our DataLoader.__init__: it is older
                # than the patch, was unpickled, or its class does not call that __init__ (fastai 1 and 2).
                chain = ChainedInit(worker_init_fn)
            worker_init_fn = chain.for_start(iterator, loader)
        attributes[self.name] = worker_init_fn


def _is_seeded(worker_init_fn: Any) -> bool:
    """Whether it contains the reseeding step; torch 1.12 and later assign a partial around it, for data pipes."""
    # Not isinstance: that may run the user's code, a property named __class__.
    parts = worker_init_fn.args if issubclass(type(worker_init_fn), functools.partial) else ()
    return any(type(part) is SeededWorkerInit for part in (worker_init_fn, *parts))
