"""The extra ``generators``: finds the generators that a loader's objects store, and has its workers reseed them."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Set, Union

KEEP = "_workerseed_keep"  # the keys in vars(loader)
RESEED = "_workerseed_reseed"

_kept: "List[Any]" = []  # generators and datasets
_requested: "List[Any]" = []


def keep(loader_or_generator: "Any") -> None:
    """Leave a generator as it is in workers, or all that a dataset stores, or all in the workers of a loader.

    For the extra ``generators``: a validation loader may want the same draws in every epoch. A framework that builds
    another loader from yours (Lightning under DDP) drops what you said of the loader: keep its dataset then.

    Args:
        loader_or_generator: a ``DataLoader``, one that Accelerate has prepared included; a dataset; or an
            ``np.random.Generator``, ``np.random.RandomState``, ``random.Random`` or ``torch.Generator``.

    Raises:
        TypeError: it is something else.
    """
    _mark("keep", loader_or_generator, KEEP, _kept)


def reseed(loader_or_generator: "Any") -> None:
    """Reseed a generator, all that a dataset stores, or all in the workers of a loader, of an iterable-style loader.

    For the extra ``generators``, which leaves iterable-style loaders alone without it: their workers often shuffle one
    order alike, with a stored generator, and take a share each. Reseeded, they would lose items. What is kept stays
    kept.

    Args:
        loader_or_generator: as for ``keep``.

    Raises:
        TypeError: it is something else.
    """
    _mark("reseed", loader_or_generator, RESEED, _requested)


def _mark(name: str, target: "Any", key: str, targets: "List[Any]") -> None:
    from torch.utils.data import DataLoader

    from ._rng import kinds

    if isinstance(target, DataLoader):
        attributes_of(target)[key] = True
        for attribute in list(attributes_of(target).values()):
            if isinstance(attribute, DataLoader):  # Accelerate 1.x iterates its own loader's base_dataloader
                _mark(name, attribute, key, targets)
    elif isinstance(target, kinds()) or _is_dataset(target):
        targets.append(target)
    else:
        raise TypeError(f"{name} takes a DataLoader, a dataset or a generator, got {target!r}")


def _is_dataset(target: "Any") -> bool:
    return type(target).__module__ != "builtins" and any(
        hasattr(type(target), method) for method in ("__getitem__", "__iter__")
    )


def attributes_of(loader: "Any") -> "Dict[str, Any]":
    """Return ``vars(loader)``, also if a subclass has a property of the name ``__dict__``."""
    from types import GetSetDescriptorType

    for cls in type(loader).__mro__:
        descriptor = vars(cls).get("__dict__")
        if isinstance(descriptor, GetSetDescriptorType):
            attributes: Dict[str, Any] = descriptor.__get__(loader)
            return attributes
    return {}


def stored_generators(loader: "Any", worker_init_fn: "Any", verbose: bool) -> "Optional[StoredGenerators]":
    """Return what the workers of ``loader`` reseed when they start now; None for nothing.

    Args:
        loader: of torch, or of somebody else.
        worker_init_fn: the user's.
        verbose: log what is left alone.
    """
    attributes = attributes_of(loader)
    if attributes.get(KEEP):
        return None
    from ._rng import source_of
    from ._search import find_generators

    roots = {name: getattr(loader, name, None) for name in ("dataset", "collate_fn")}
    roots["worker_init_fn"] = worker_init_fn
    found = find_generators(roots)
    if not found:
        return None  # and do not search what is kept, at each start of workers, for nothing
    kept = _sources(_kept)
    chosen = [generator for generator in found if id(source_of(generator)) not in kept]
    if _is_iterable_style(loader) and not attributes.get(RESEED):
        requested = _sources(_requested)
        left_alone = [generator for generator in chosen if id(source_of(generator)) not in requested]
        if left_alone and verbose:
            from ._messages import log_once

            log_once(
                f"generators: {len(left_alone)} of an iterable-style {type(roots['dataset']).__name__} are left alone, "
                "because its workers may shuffle alike to share items; workerseed.reseed asks for them"
            )
        chosen = [generator for generator in chosen if id(source_of(generator)) in requested]
    return StoredGenerators(roots, chosen) if chosen else None


def _sources(targets: "List[Any]") -> "Dict[int, Any]":
    """Return what draws in these generators and datasets, by id."""
    from ._rng import kinds, source_of
    from ._search import find_generators

    generators: List[Any] = []
    for target in targets:
        generators += [target] if isinstance(target, kinds()) else find_generators({"dataset": target})
    return {id(source): source for source in map(source_of, generators)}


def _is_iterable_style(loader: "Any") -> bool:
    from torch.utils import data

    dataset, kind = getattr(loader, "dataset", None), getattr(loader, "_dataset_kind", None)
    of_torch = hasattr(data, "IterableDataset") and isinstance(dataset, data.IterableDataset)  # torch 1.2
    return of_torch or (kind is not None and kind == data._DatasetKind.Iterable)  # fastai 2 has its own dataset


class StoredGenerators:
    """The generators that the workers of one start reseed.

    The parent searches, once for all workers: a search in a forked worker would change reference counts, and so copy
    the memory that it shares with its parent. A worker that was not forked has generators of its own. It searches
    itself, and leaves alone what its parent leaves alone, by the path that leads there.

    Args:
        roots: where to search, objects by name.
        chosen: the generators to reseed.
    """

    def __init__(self, roots: "Dict[str, Any]", chosen: "List[Any]") -> None:
        import os

        self.parent = os.getpid()
        self.roots = roots
        self.chosen: Union[List[Any], Set[str]] = chosen

    def __getstate__(self) -> "Dict[str, Any]":
        from ._search import named_generators

        chosen = {id(generator) for generator in self.chosen}
        paths = {path for path, generator in named_generators(self.roots).items() if id(generator) in chosen}
        return dict(vars(self), chosen=paths)

    def reseed(self, entropy: "List[int]") -> None:
        """Give each generator a new state; not in a thread of the parent, such as MONAI's ThreadDataLoader starts.

        Args:
            entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
        """
        import os

        if os.getpid() == self.parent:
            return
        from ._messages import warn_once
        from ._rng import forget_second_normal, in_use, source_of
        from ._rng import reseed as reseed_generator
        from ._search import named_generators

        generators = self.chosen
        if isinstance(generators, set):
            generators = [found for path, found in named_generators(self.roots).items() if path in self.chosen]
        reseeded: Set[int] = set()
        for generator in generators:
            name = type(generator).__name__
            try:
                source = source_of(generator)
                if in_use(source):
                    warn_once(
                        f"a {name} is not reseeded: a thread of the parent was drawing from it as the worker started"
                    )
                    continue
                if id(source) not in reseeded:
                    reseed_generator(source, entropy)
                    reseeded.add(id(source))
                forget_second_normal(generator)
            except Exception as error:
                warn_once(f"a generator of type {name} is not reseeded: {error!r}")
