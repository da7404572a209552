"""The marks that ``keep`` and ``reseed`` set on loaders, datasets and generators; they keep no object alive."""

import sys
import weakref
from typing import Any, Callable, Dict, List

from .._attributes import attributes_of

KEEP = "_workerseed_keep"
RESEED = "_workerseed_reseed"

# A loader has its marks in its __dict__: a copy has them, too. The value is the number of calls of `uninstall` before.
_uninstalled = 0
# Datasets and generators are marked by identity: weak references, by mark and id.
_references: Dict[str, Dict[int, Callable[[], Any]]] = {KEEP: {}, RESEED: {}}


def keep(loader_or_generator: Any) -> None:
    """Exclude a generator, all generators of a dataset, or all in the workers of a loader from reseeding.

    For the option ``generators``: a validation loader, for example, may need the same random numbers in every epoch. A
    framework that builds another loader from yours, as Lightning does under DDP, drops the loader's mark. Keep its
    dataset instead.

    Args:
        loader_or_generator: a ``DataLoader``, including one that Accelerate has prepared; a dataset; or an
            ``np.random.Generator``, ``np.random.RandomState``, ``random.Random`` or ``torch.Generator``.

    Raises:
        TypeError: it is something else.
    """
    _mark("keep", KEEP, loader_or_generator)


def reseed(loader_or_generator: Any) -> None:
    """Reseed a generator, all generators of a dataset, or all in the workers of a loader, if it is iterable-style.

    The option ``generators`` leaves iterable-style loaders alone by default: their workers often shuffle identically,
    with a stored generator, and then split the items. Reseeded, they would lose items. ``keep`` takes precedence.

    Args:
        loader_or_generator: as for ``keep``.

    Raises:
        TypeError: it is something else.
    """
    _mark("reseed", RESEED, loader_or_generator)


def forget_marks() -> None:
    """End all marks; ``uninstall`` calls it."""
    global _uninstalled
    _uninstalled += 1
    _references.update({KEEP: {}, RESEED: {}})


def is_marked(loader: Any, mark: str) -> bool:
    """Whether the user marked this loader, or the one that it is a copy of."""
    # Not ==: the loader may come from a process that called `uninstall` more often.
    return bool(attributes_of(loader).get(mark, -1) >= _uninstalled)


def marked(mark: str) -> List[Any]:
    """Return the generators and datasets with a mark, and drop the references to those that are gone."""
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
        raise TypeError(f"{function} takes a DataLoader, a dataset or a generator, got {target!r}")
    references = _references[mark]
    for part in [target] if cls.__weakrefoffset__ else sources_in(target):
        references[id(part)] = weakref.ref(part) if type(part).__weakrefoffset__ else _held(part)
    if len(references) & (len(references) - 1) == 0:  # 1, 2, 4, ...: the cost of a mark does not grow with their number
        marked(mark)


def _held(source: Any) -> Callable[[], Any]:
    """Return a stand-in for a weak reference to what cannot have one, NumPy's generators and those of torch 1.x.

    It refers to what draws the numbers, a few kilobytes, until ``marked`` finds that nothing else does.
    """
    return lambda: source if sys.getrefcount(source) > 2 else None  # this closure and the argument
