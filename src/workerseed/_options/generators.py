"""The option ``generators``: chooses the stored generators that workers reseed, and reseeds them."""

from typing import Any, Dict, List, Optional, Set

from torch.utils.data import dataloader

from .._attributes import attributes_of, taken
from .._config import settings
from .._messages import log_once, warn_once
from .._seeding import release_lock
from .marks import KEEP, RESEED, is_marked, marked
from .rng import KINDS, forget_second_normal, reseed_source, source_of
from .search import find_generators


def stored_generators(iterator: Any, loader: Any, worker_init_fn: Any) -> "Optional[StoredGenerators]":
    """Return what the workers that ``iterator`` starts now reseed; None for nothing.

    Args:
        iterator: the worker iterator that is being built.
        loader: its loader, or None.
        worker_init_fn: the user's function, or None.
    """
    attributes = attributes_of(iterator)
    dataset = taken(attributes, "dataset")
    roots = {"dataset": dataset, "collate_fn": taken(attributes, "collate_fn"), "worker_init_fn": worker_init_fn}
    found = {} if is_marked(loader, KEEP) else find_generators(roots)
    kept = _marked_sources(KEEP) if found else set()  # it searches the marked datasets
    chosen = {path: generator for path, generator in found.items() if id(source_of(generator)) not in kept}
    is_iterable = issubclass(type(dataset), getattr(dataloader, "IterableDataset", ()))  # torch 1.2 and later
    # fastai 2 loads iterable-style from a dataset of another class; 1 is _DatasetKind.Iterable.
    if chosen and (is_iterable or taken(attributes, "dataset_kind") == 1) and not is_marked(loader, RESEED):
        requested, all_chosen = _marked_sources(RESEED), chosen
        chosen = {path: generator for path, generator in chosen.items() if id(source_of(generator)) in requested}
        left = f"left {len(all_chosen) - len(chosen)} on iterable-style dataset {type(dataset).__name__} unchanged"
        if len(chosen) < len(all_chosen) and "verbose" in (settings.options or ()):
            log_once(f"generators: {left}: its workers may rely on identical shuffles; see workerseed.reseed")
    return StoredGenerators(roots, chosen) if chosen else None


def _marked_sources(mark: str) -> Set[int]:
    """Return the ids of the sources (see ``rng.source_of``) of the marked generators and datasets."""
    return {id(source) for target in marked(mark) for source in sources_in(target)}


def sources_in(target: Any) -> List[Any]:
    """Return the source of a generator, or of all generators that a dataset stores."""
    stored = [target] if issubclass(type(target), KINDS) else find_generators({"dataset": target}).values()
    return [source_of(generator) for generator in stored]


class StoredGenerators:
    """The generators that the workers of one start reseed; each worker calls it once.

    The parent searches for all forked workers: a search in a worker would change reference counts, and therefore copy
    the memory that it shares with its parent. A worker that was not forked has its own generators, so it searches
    itself and takes those at the same paths.

    Args:
        roots: where to search, objects by name.
        generators: the generators to reseed, by path.
    """

    def __init__(self, roots: Dict[str, Any], generators: Dict[str, Any]) -> None:
        self.roots = roots
        self.paths = list(generators)
        self.generators: Optional[Dict[str, Any]] = generators

    def __getstate__(self) -> Dict[str, Any]:
        return dict(vars(self), generators=None)

    def __call__(self, entropy: List[int]) -> None:
        """Give each generator a new state, in a worker process; drop the generators and the roots.

        torch 2.14 frees the dataset before a worker ends: nothing here may hold it.

        Args:
            entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
        """
        generators = find_generators(self.roots) if self.generators is None else self.generators
        self.roots, self.generators = {}, {}
        reseeded: Set[int] = set()
        for generator in [generators[path] for path in self.paths if path in generators]:
            try:
                source = source_of(generator)
                if id(source) not in reseeded:
                    release_lock(source)
                    reseed_source(source, entropy)
                    reseeded.add(id(source))
                forget_second_normal(generator)
            except Exception as error:
                warn_once(f"a generator of type {type(generator).__name__} is not reseeded: {error!r}")
