"""What goes beyond torch 1.9, if the user turns it on; ``keep`` and ``reseed``, for the option ``generators``."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Dict, List

KEEP = "_workerseed_keep"  # the keys in vars(loader)
RESEED = "_workerseed_reseed"

marked: "Dict[str, List[Any]]" = {KEEP: [], RESEED: []}  # generators and datasets


def keep(loader_or_generator: "Any") -> None:
    """Leave a generator as it is in workers, or all that a dataset stores, or all in the workers of a loader.

    For the option ``generators``: a validation loader may want the same draws in every epoch. A framework that builds
    another loader from yours (Lightning under DDP) drops the mark of the loader: keep its dataset then.

    Args:
        loader_or_generator: a ``DataLoader``, one that Accelerate has prepared included; a dataset; or an
            ``np.random.Generator``, ``np.random.RandomState``, ``random.Random`` or ``torch.Generator``.

    Raises:
        TypeError: it is something else.
    """
    _mark("keep", loader_or_generator, KEEP)


def reseed(loader_or_generator: "Any") -> None:
    """Reseed a generator, or all that a dataset stores, or all in the workers of a loader, if it is iterable-style.

    For the option ``generators``, which otherwise leaves iterable-style loaders alone: in many of them each worker
    shuffles the same order in the same way, with a stored generator, and takes its share. Reseeded, such workers would
    lose items. What you keep stays as it is, whatever you reseed.

    Args:
        loader_or_generator: as for ``keep``.

    Raises:
        TypeError: it is something else.
    """
    _mark("reseed", loader_or_generator, RESEED)


def _mark(name: str, target: "Any", key: str) -> None:
    from torch.utils.data import DataLoader

    from .rng import KINDS

    cls = type(target)
    if isinstance(target, DataLoader):
        attributes_of(target)[key] = True
        for attribute in list(attributes_of(target).values()):
            if isinstance(attribute, DataLoader):  # Accelerate 1.x iterates its own loader's base_dataloader
                _mark(name, attribute, key)
    elif issubclass(cls, KINDS) or (
        cls.__module__ != "builtins" and (hasattr(cls, "__getitem__") or hasattr(cls, "__iter__"))
    ):
        marked[key].append(target)
    else:
        raise TypeError(f"{name} takes a DataLoader, a dataset or a generator, got {target!r}")


def attributes_of(value: "Any") -> "Dict[str, Any]":
    """Return ``vars(value)``, also where a class has a property of the name ``__dict__``; without one, nothing."""
    from types import GetSetDescriptorType

    for cls in type(value).__mro__:
        descriptor = vars(cls).get("__dict__")
        if isinstance(descriptor, GetSetDescriptorType):
            attributes: Dict[str, Any] = descriptor.__get__(value)
            return attributes
    return {}


def forget_marks():
    for m in marked.values():
        m.clear()


def for_start(iterator, loader, worker_init_fn, options, rank):
    from .ranks import find_rank

    r = find_rank(rank, "verbose" in options) if "ranks" in options else 0
    g = None
    if "generators" in options:
        from .generators import stored_generators

        try:
            g = stored_generators(loader, worker_init_fn, "verbose" in options)
        except Exception as e:
            from .._messages import warn_once

            warn_once(f"stored generators are not reseeded: {e!r}")
    return r, g and g.reseed
