"""Generators that objects hold: gives each a state of its own in each worker, for the extra ``generators``."""

from ._messages import warn_once

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

KEEP = "_workerseed_keep"  # the key in vars(loader)
CHUNK = 10000  # objects whose referents are listed at a time

kept: "List[Any]" = []


def keep(loader_or_generator: "Any") -> None:
    """Leave a generator as it is in workers, or all generators in the workers of a loader.

    For the extra ``generators``: a validation loader may want the same draws in every epoch.

    Args:
        loader_or_generator: a ``DataLoader``, or an ``np.random.Generator``, ``np.random.RandomState``,
            ``random.Random`` or ``torch.Generator``.

    Raises:
        TypeError: it is something else.
    """
    from torch.utils.data import DataLoader

    if isinstance(loader_or_generator, DataLoader):
        vars(loader_or_generator)[KEEP] = True
    elif isinstance(loader_or_generator, kinds_of_generators()):
        kept.append(loader_or_generator)
    else:
        raise TypeError(f"keep takes a DataLoader or a generator, got {loader_or_generator!r}")


def fold_all(entropy: "List[int]", kept_by_parent: "List[Any]") -> None:
    """Fold ``entropy`` into the state of every generator of this process but the process-wide ones and those kept.

    Args:
        entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
        kept_by_parent: what ``kept`` was there; under ``spawn`` it came here with the data set.

    The new state depends on a generator's own state and the words only, not on where or when it is found: generators
    that were equal stay equal, and a run with the same seed has the same states.
    """
    done = {id(source_of(generator)) for generator in [*process_wide(), *kept, *kept_by_parent]}
    for generator in found():
        source = source_of(generator)
        if id(source) not in done:
            done.add(id(source))
            try:
                fold(source, entropy)
            except Exception as error:
                warn_once(f"a {type(source).__name__} is not reseeded: {error!r}")


def process_wide() -> "List[Any]":
    """Return those generators that the seeding of the worker has seeded already."""
    import random

    import torch

    generators = [vars(random)["_inst"], torch.default_generator]
    try:
        import numpy
    except ImportError:
        return generators
    return [*generators, numpy.random.mtrand._rand]


def source_of(generator: "Any") -> "Any":
    """Return what draws: several objects of NumPy 1.17 and later can share one bit generator."""
    return getattr(generator, "bit_generator", getattr(generator, "_bit_generator", generator))


def found() -> "Iterator[Any]":
    """Yield the generators of this process, some of them more than once."""
    import gc
    import random

    is_kind: Dict[type, bool] = {}
    kinds = kinds_of_generators()
    frozen = getattr(gc, "get_freeze_count", int)()  # Python 3.7; what is frozen is not listed
    if frozen:
        gc.unfreeze()
    waiting = gc.get_objects()
    if frozen:
        gc.freeze()
    while waiting:
        untracked = []
        for start in range(0, len(waiting), CHUNK):
            # Not only the objects themselves: the garbage collector does not know torch.Generator.
            for thing in gc.get_referents(*waiting[start : start + CHUNK]):
                cls = type(thing)
                if cls not in is_kind:
                    is_kind[cls] = issubclass(cls, kinds) and not issubclass(cls, random.SystemRandom)
                if is_kind[cls]:
                    yield thing
                elif (cls is dict or cls is tuple) and not gc.is_tracked(thing):
                    untracked.append(thing)
        waiting = untracked


def kinds_of_generators() -> "Tuple[type, ...]":
    import random

    import torch

    kinds: List[type] = [random.Random, torch.Generator]
    try:
        import numpy
    except ImportError:
        return tuple(kinds)
    kinds.append(numpy.random.RandomState)
    if hasattr(numpy.random, "Generator"):  # NumPy 1.17
        kinds.append(numpy.random.Generator)
    return tuple(kinds)


def fold(source: "Any", entropy: "List[int]") -> None:
    """Give one generator a state made of its own and ``entropy``."""
    import random

    if isinstance(source, random.Random):
        fresh = random.Random(number_of(random.Random.getstate(source), entropy))
        random.Random.setstate(source, fresh.getstate())
    elif hasattr(source, "manual_seed"):
        if getattr(source, "device", None) is None or source.device.type == "cpu":
            source.manual_seed(number_of(source.get_state().tolist(), entropy) % 2**63)
    elif hasattr(source, "state"):  # a bit generator of NumPy 1.17 or later
        source.state = type(source)(number_of(plain(source.state), entropy)).state
    else:  # a RandomState of NumPy 1.16 or earlier
        number = number_of(plain(source.get_state()), entropy)
        source.seed([number >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)])


def number_of(state: object, entropy: "List[int]") -> int:
    """Return 256 bits that depend on all bits of a state and of the entropy words."""
    import hashlib

    return int.from_bytes(hashlib.sha256(repr((state, entropy)).encode()).digest(), "little")


def plain(state: "Any") -> object:
    """Return a state without NumPy's arrays and integers, whose texts are cut short or differ between versions."""
    if isinstance(state, dict):
        return sorted((name, plain(part)) for name, part in state.items())
    if isinstance(state, tuple):
        return [plain(part) for part in state]
    return state.tolist() if hasattr(state, "tolist") else state
