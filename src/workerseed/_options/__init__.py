"""The options beyond torch 1.9. The core calls them when workers start."""

from typing import Any, Tuple

from .._config import settings
from .._messages import warn_once
from .._seeding import Reseed, WorkerInitFn
from .ranks import find_rank


def for_start(iterator: Any, loader: Any, worker_init_fn: WorkerInitFn) -> Tuple[int, Reseed]:
    """Return what the options that are on add to one start of workers.

    Args:
        iterator: the worker iterator that is being built; it has the dataset and ``collate_fn`` in its attributes.
        loader: its loader, or None if that is not known.
        worker_init_fn: the user's function, or None.

    Returns:
        The rank, 0 without the option ``ranks``; and what a worker process calls with its four entropy words to reseed
        the stored generators, None if there are none.

    Raises:
        ValueError: the launcher or ``install(rank=...)`` gives something that is not a rank.
    """
    options = settings.options or ()
    rank, stored = find_rank() if "ranks" in options else 0, None
    if "generators" in options:
        try:
            from .generators import stored_generators  # not at the top: it imports torch

            stored = stored_generators(iterator, loader, worker_init_fn)
        except Exception as error:
            warn_once(f"stored generators are not reseeded: {error!r}")
    return rank, stored
