"""The marks that ``keep`` and ``reseed`` set on loaders, datasets and generators; they keep no object alive."""

import sys
import weakref
from typing import Any, Callable, Dict, List

from .._attributes import attributes_of

KEEP = "_workerseed_keep"
RESEED = "_workerseed_reseed"

# A loader has its marks in its __dict__, so a copy has them as well. The value counts earlier calls of `uninstall`.
_uninstalled = 0
# Datasets and generators are marked by identity: weak references, by mark and id.
_references: Dict[str, Dict[int, Callable[[], Any]]] = {KEEP: {}, RESEED: {}}


def keep(loader_or_generator: Any) -> None:
    """Exclude generators from the option ``generators``: workers do not reseed them.

    For example, a validation loader may need the same random numbers in every epoch. A framework that builds a new
    loader from yours, as Lightning does under DDP, loses the loader's mark. In that case, keep the dataset.

    Args:
        loader_or_generator: a generator: an ``np.random.Generator``, ``np.random.RandomState``, ``random.Random`` or
            ``torch.Generator``; or a dataset, for all generators that it stores; or a ``DataLoader``, for all
            generators in its workers. The loader may be one that Accelerate has prepared.

    Raises:
        TypeError: the argument is something else.
    """
    _mark("keep", KEEP, loader_or_generator)


def reseed(loader_or_generator: Any) -> None:
    """Include generators of iterable-style loaders in the option ``generators``: workers reseed them.

    By default, the option does not reseed iterable-style loaders. Their workers often shuffle identically, with a
    stored generator, and then split the items. With reseeded generators, they would lose items. ``keep`` takes
    precedence.

    Args:
        loader_or_generator: the same as for ``keep``.

    Raises:
        TypeError: the argument is something else.
    """
    _mark("reseed", RESEED, loader_or_generator)


def forget_marks() -> None:
    """Remove all marks; ``uninstall`` calls it."""
    global _uninstalled
    _uninstalled += 1
    _references.update({KEEP: {}, RESEED: {}})


def is_marked(loader: Any, mark: str) -> bool:
    """Whether the user marked this loader, or the loader it was copied from."""
    # Not ==: the loader may come from a process that called `uninstall` more often.
    return bool(attributes_of(loader).get(mark, -1) >= _uninstalled)


def marked(mark: str) -> List[Any]:
    """Return the generators and datasets with a mark; drop references to those that no longer exist."""
    references = _references[mark]
    for number in [number for number, reference in list(references.items()) if reference() is None]:
        references.pop(number, None)
    return [reference() for reference in list(references.values())]


def _mark(function: str, mark: str, target: Any) -> None:
    from torch.utils.data import DataLoader

    from .generators import sources_in
    from .rng import KINDS

    cls = type(target)
    if issubclass(cls, DataLoader):
        attributes = attributes_of(target)
        attributes[mark] = _uninstalled
        for part in list(attributes.values()):  # Accelerate 1.x iterates the base_dataloader of its own loader
            if issubclass(type(part), DataLoader) and not is_marked(part, mark):
                _mark(function, mark, part)
        return
    is_dataset = cls.__module__ != "builtins" and (hasattr(cls, "__getitem__") or hasattr(cls, "__iter__"))
    if not issubclass(cls, KINDS) and not is_dataset:
        raise TypeError(f"{function} takes a DataLoader, a dataset or a generator, not a {cls.__name__}")
    references = _references[mark]
    for part in [target] if cls.__weakrefoffset__ else sources_in(target):
        references[id(part)] = weakref.ref(part) if type(part).__weakrefoffset__ else _held(part)
    if len(references) & (len(references) - 1) == 0:  # at 1, 2, 4, ... marks: a mark costs the same among many
        marked(mark)


def _held(source: Any) -> Callable[[], Any]:
    """Return a substitute for a weak reference, which NumPy's generators and those of torch 1.x do not support.

    It refers to the source, a few kilobytes, until ``marked`` finds that nothing else does.
    """
    return lambda: source if sys.getrefcount(source) > 2 else None  # this closure and the argument
