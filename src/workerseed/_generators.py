"""Generators that objects hold: gives each a state of its own in each worker, for the extra ``generators``."""

from ._messages import warn_once

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

KEEP = "_workerseed_keep"  # the key in vars(loader)
CHUNK = 10000  # objects whose referents are listed at a time

_kept: "List[Any]" = []


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
        _kept.append(loader_or_generator)
    else:
        raise TypeError(f"keep takes a DataLoader or a generator, got {loader_or_generator!r}")


def held_for(loader: "Any") -> "Optional[Held]":
    """Return what the workers of ``loader`` are to fold, which start now; None if its generators are to be kept."""
    if getattr(loader, "__dict__", {}).get(KEEP):
        return None
    held = Held()
    try:
        if starts_by_fork(loader):
            held.found = list(generators_of_process([loader]))
    except Exception as error:
        warn_once(f"each worker looks for generators itself: {error!r}")
    return held


def starts_by_fork(loader: "Any") -> bool:
    import multiprocessing

    context = getattr(loader, "multiprocessing_context", None) or multiprocessing
    return bool(context.get_start_method() == "fork")


class Held:
    """The generators that a worker folds: those its parent has found, if it was forked, else those it finds itself.

    Looking for them changes the reference counts of all objects. Done in a forked worker, that would copy the memory
    that it shares with its parent; so the parent looks, once for all workers of an epoch.
    """

    def __init__(self) -> None:
        self.kept = _kept
        self.found: Optional[List[Any]] = None

    def __getstate__(self) -> "Dict[str, Any]":
        # For spawn and forkserver: the generators in the new process are others. Those to keep go along with the data
        # set that holds them, in one pickle.
        return {"kept": [generator for generator in self.kept if can_be_sent(generator)], "found": None}

    def fold(self, entropy: "List[int]") -> None:
        """Give each generator a new state, but the process-wide ones and those kept.

        Args:
            entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
        """
        found = generators_of_process([]) if self.found is None else self.found
        fold_all(found, [*process_wide().values(), *_kept, *self.kept], entropy)


def can_be_sent(generator: "Any") -> bool:
    """Tell whether a worker that is not forked can get this generator, with its data set or without."""
    import pickle

    import torch

    if isinstance(generator, torch.Generator):  # torch 1 cannot pickle it, and workers of torch 2.13 die of it
        return False
    try:
        pickle.dumps(generator)
    except Exception:
        return False
    return True


# Finding


def generators_of_process(roots: "Iterable[Any]") -> "Iterator[Any]":
    """Yield the generators of this process, some of them more than once.

    They are among what the garbage collector lists and what that refers to: a ``torch.Generator``, for one, it does not
    list. Nor does it list dicts and tuples that hold no containers, and what ``gc.freeze`` has put aside; so what those
    refer to is looked at, too.

    Args:
        roots: where to begin, apart from modules, if ``gc.freeze`` has put objects aside.
    """
    import gc
    import sys
    from itertools import filterfalse

    kinds = {id(cls) for kind in kinds_of_generators() for cls in with_subclasses(kind)}
    at_times_unlisted = {id(dict), id(tuple)}
    waiting = gc.get_objects()
    known: Set[int] = set()
    frozen = getattr(gc, "get_freeze_count", int)() > 0  # Python 3.7
    if frozen:
        waiting += [sys.modules, *roots]
        known.update(map(id, waiting))
    yield from of_classes(kinds, waiting)
    while waiting:
        found: List[Any] = []
        for start in range(0, len(waiting), CHUNK):
            referents = gc.get_referents(*waiting[start : start + CHUNK])
            if not frozen:
                referents = [*of_classes(kinds | at_times_unlisted, referents)]
            yield from of_classes(kinds, referents)
            if not frozen:
                referents = [*filterfalse(gc.is_tracked, of_classes(at_times_unlisted, referents))]
            new = {id(thing): thing for thing in referents if id(thing) not in known}
            known.update(new)
            found += new.values()
        waiting = found


def of_classes(ids: "Set[int]", things: "List[Any]") -> "Iterator[Any]":
    """Yield those things whose class has one of these ids.

    Of a million objects, few are of interest: what looks at each of them has to be a loop in C.
    """
    from itertools import compress

    return compress(things, map(ids.__contains__, map(id, map(type, things))))


def with_subclasses(cls: type) -> "Set[type]":
    import random

    subclasses = {cls}
    direct: List[type] = type.__subclasses__(cls)
    for subclass in direct:
        if subclass is not random.SystemRandom:  # it has no state
            subclasses |= with_subclasses(subclass)
    return subclasses


def kinds_of_generators() -> "Tuple[type, ...]":
    import random

    import torch

    kinds: List[type] = [random.Random, torch.Generator]
    try:
        from numpy import random as of_numpy
    except ImportError:
        return tuple(kinds)
    kinds.append(of_numpy.RandomState)
    if hasattr(of_numpy, "Generator"):  # NumPy 1.17
        # An object can hold a bit generator alone. NumPy 1.17 has no public name for what they all are.
        kinds += [of_numpy.Generator, of_numpy.PCG64.__base__]
    return tuple(kinds)


def process_wide() -> "Dict[str, Any]":
    """Return, by name, those generators that the seeding of the worker has seeded already."""
    import random

    import torch

    generators = {"random": vars(random)["_inst"], "torch": torch.default_generator}
    try:
        from numpy.random import mtrand
    except ImportError:
        return generators
    return dict({"np.random": mtrand._rand}, **generators)


# Folding


def fold_all(generators: "Iterable[Any]", left_alone: "Iterable[Any]", entropy: "List[int]") -> None:
    """Fold ``entropy`` into the state of each generator.

    The new state depends on a generator's own state and the words only, not on where or when it is found: generators
    that were equal stay equal, and a run with the same seed has the same states.
    """
    alone = {id(source_of(generator)) for generator in left_alone}
    done = {}
    for generator in generators:
        source = source_of(generator)
        if id(source) in alone or id(generator) in done:
            continue
        try:
            if id(source) not in done:
                fold(source, entropy)
            if hasattr(generator, "_bit_generator") and hasattr(generator, "set_state"):
                forget_second_normal(generator)
        except Exception as error:
            warn_once(f"a generator of type {type(generator).__name__} is not reseeded: {error!r}")
        # The objects, too: an id counts only as long as its object lives.
        done[id(generator)], done[id(source)] = generator, source


def source_of(generator: "Any") -> "Any":
    """Return what draws: several objects of NumPy 1.17 and later can share one bit generator."""
    return getattr(generator, "bit_generator", getattr(generator, "_bit_generator", generator))


def fold(source: "Any", entropy: "List[int]") -> None:
    """Give one generator a state made of its own and ``entropy``."""
    import random

    if isinstance(source, random.Random):
        fresh = random.Random(number_of(random.Random.getstate(source), entropy))
        random.Random.setstate(source, fresh.getstate())
    elif hasattr(source, "manual_seed"):
        if getattr(source, "device", None) is None or source.device.type == "cpu":
            source.manual_seed(number_of(source.get_state().tolist(), entropy) % 2**63)  # torch 1.2 takes no more
    elif hasattr(source, "state"):
        fold_bit_generator(source, entropy)
    else:  # a RandomState of NumPy 1.16 or earlier
        number = number_of(plain(source.get_state()), entropy)
        source.seed([number >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)])


def fold_bit_generator(source: "Any", entropy: "List[int]") -> None:
    classes = type(source).__mro__
    family = next((cls for cls in classes if cls.__module__.startswith("numpy.")), type(source))
    fresh = family(number_of(plain(source.state), entropy))
    state = dict(fresh.state, bit_generator=source.state["bit_generator"])  # the name of a subclass
    if hasattr(fresh, "spawn") and isinstance(fresh.__getstate__(), tuple):
        source.__setstate__((state, fresh.seed_seq))  # NumPy 2: spawn makes new generators from the latter
    else:
        source.state = state


def forget_second_normal(generator: "Any") -> None:
    """Drop the normal that a RandomState has in store, for it makes two at a time: no state of its source has that."""
    generator.set_state(dict(generator.get_state(legacy=False), has_gauss=0, gauss=0.0))


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
