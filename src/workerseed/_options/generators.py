"""The option ``generators``: chooses the generators that the workers of a loader reseed, and has them do it."""

import os
from typing import Any, Dict, List, Optional, Set

from torch.utils.data import dataloader

from .._messages import log_once, warn_once
from . import KEEP, RESEED, attributes_of, marked
from .rng import KINDS, forget_second_normal, source_of
from .rng import reseed as reseed_generator
from .search import find_generators


def stored_generators(loader: Any, worker_init_fn: Any, verbose: bool) -> "Optional[StoredGenerators]":
    """Return what the workers of ``loader`` reseed when they start now; None for nothing.

    Args:
        loader: of torch, or of somebody else.
        worker_init_fn: the user's.
        verbose: log what is left alone.
    """
    attributes = attributes_of(loader)
    if attributes.get(KEEP):
        return None
    roots = {name: getattr(loader, name, None) for name in ("dataset", "collate_fn")}
    roots["worker_init_fn"] = worker_init_fn
    chosen = find_generators(roots)
    if not chosen:
        return None  # and do not search what is kept, at each start of workers, for nothing
    kept = _marked_sources(KEEP)
    chosen = {path: generator for path, generator in chosen.items() if id(source_of(generator)) not in kept}
    if _is_iterable_style(loader) and not attributes.get(RESEED):
        requested = _marked_sources(RESEED)
        count = len(chosen)
        chosen = {path: generator for path, generator in chosen.items() if id(source_of(generator)) in requested}
        if len(chosen) < count and verbose:
            log_once(
                f"generators: {count - len(chosen)} stored on an iterable-style {type(roots['dataset']).__name__} stay "
                "as they are, because its workers may need equal ones to share its items; see workerseed.reseed"
            )
    return StoredGenerators(roots, chosen) if chosen else None


def _marked_sources(key: str) -> Dict[int, Any]:
    """Return, by id, what draws in the generators and datasets that the user marked."""
    stored = [
        [target] if issubclass(type(target), KINDS) else find_generators({"dataset": target}).values()
        for target in marked[key]
    ]
    return {id(source): source for generators in stored for source in map(source_of, generators)}


def _is_iterable_style(loader: Any) -> bool:
    dataset, kind = getattr(loader, "dataset", None), getattr(loader, "_dataset_kind", None)
    if isinstance(dataset, getattr(dataloader, "IterableDataset", ())):  # torch 1.2 and later
        return True
    return kind is not None and kind == vars(dataloader)["_DatasetKind"].Iterable  # fastai 2 has its own dataset


class StoredGenerators:
    """The generators that the workers of one start reseed.

    The parent searches, once for all workers: a search in a forked worker would change reference counts, and so copy
    the memory that it shares with its parent. A worker that was not forked has generators of its own. It searches
    itself, and takes those that the same paths lead to.

    Args:
        roots: where to search, objects by name.
        chosen: the generators to reseed, by path.
    """

    def __init__(self, roots: Dict[str, Any], chosen: Dict[str, Any]) -> None:
        self.parent = os.getpid()
        self.roots = roots
        self.chosen = chosen

    def __getstate__(self) -> Dict[str, Any]:
        return dict(vars(self), chosen=dict.fromkeys(self.chosen))

    def reseed(self, entropy: List[int]) -> None:
        """Give each generator a new state; not in a thread of the parent, such as MONAI's ThreadDataLoader starts.

        Args:
            entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
        """
        if os.getpid() == self.parent:
            return
        unpickled = any(generator is None for generator in self.chosen.values())
        here = find_generators(self.roots) if unpickled else self.chosen
        reseeded: Set[int] = set()
        for generator in [here[path] for path in self.chosen if path in here]:
            try:
                source = source_of(generator)
                if id(source) not in reseeded:
                    reseed_generator(source, entropy)
                    reseeded.add(id(source))
                forget_second_normal(generator)
            except Exception as error:
                warn_once(f"a generator of type {type(generator).__name__} is not reseeded: {error!r}")
