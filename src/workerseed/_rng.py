"""The kinds of generators: which there are, the state of one, and how to reseed one."""

import hashlib
import random
from typing import Any, Dict, List, Tuple

import torch


def _numpy_random() -> Any:
    """Return ``numpy.random``, or None: a torch can be without NumPy."""
    try:
        from numpy import random as numpy_random
    except ImportError:
        return None
    return numpy_random


def _bit_generator_class() -> Any:
    """Return the class of NumPy's bit generators, or None before NumPy 1.17, which has no public name for it."""
    numpy_random = _numpy_random()
    return numpy_random.PCG64.__base__ if hasattr(numpy_random, "PCG64") else None


def kinds() -> Tuple[type, ...]:
    """Return the classes whose instances, and those of their subclasses, are generators."""
    numpy_random = _numpy_random()
    of_numpy = [getattr(numpy_random, "RandomState", None), getattr(numpy_random, "Generator", None)]
    return tuple(filter(None, [random.Random, torch.Generator, *of_numpy, _bit_generator_class()]))


def global_generators() -> Dict[str, Any]:
    """Return, by name, the generators that the reseeding step seeds in every worker."""
    found = {"random": vars(random)["_inst"], "torch": torch.default_generator}
    numpy_random = _numpy_random()
    return dict({"np.random": numpy_random.mtrand._rand}, **found) if numpy_random else found


def source_of(generator: Any) -> Any:
    """Return what draws: several generators of NumPy 1.17 and later can share one bit generator."""
    numpy_random = _numpy_random()
    if numpy_random and isinstance(generator, numpy_random.RandomState):
        return getattr(generator, "_bit_generator", generator)
    if hasattr(numpy_random, "Generator") and isinstance(generator, numpy_random.Generator):
        return generator.bit_generator
    return generator


def state_of(generator: Any) -> str:
    """Return a digest of everything that decides what a generator draws next."""
    if _has_source(generator):
        whole = generator.get_state(legacy=False)
        if whole["bit_generator"] == "MT19937":  # the low 31 bits of the first key word reach no output
            whole["state"]["key"] = [int(whole["state"]["key"][0]) >> 31, *whole["state"]["key"][1:].tolist()]
        state = _plain(whole)
    else:
        state = _state(source_of(generator))
        if isinstance(state, list) and state[0] == "MT19937":  # RandomState before NumPy 1.17
            state[1][0] >>= 31
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def in_use(generator: Any) -> bool:
    """Whether another thread draws from a generator of NumPy 1.17 or later at this moment.

    In a worker, which has one thread as it starts, this is a thread of the parent: the lock was copied at the fork and
    nobody will ever release it. torch's generators do not show their lock.
    """
    source = source_of(generator)
    lock = getattr(source, "lock", None) if _is_bit_generator(source) else None
    if lock is None:
        return False
    free: bool = lock.acquire(False)
    if free:
        lock.release()
    return not free


def reseed(generator: Any, entropy: List[int]) -> None:
    """Give a generator a new state, made by SHA-256 of its own state and of ``entropy``.

    So equal generators stay equal, and a run with the same seed has the same states, wherever generators are found.

    Args:
        generator: one of ``kinds()``; what ``source_of`` returns for it.
        entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
    """
    if isinstance(generator, random.Random):
        fresh = random.Random(_hash(_state(generator), entropy))
        random.Random.setstate(generator, fresh.getstate())
    elif isinstance(generator, torch.Generator):
        if getattr(generator, "device", None) is None or generator.device.type == "cpu":
            generator.manual_seed(_hash(_state(generator), entropy) % 2**63)  # torch 1.2 takes no more
    elif _is_bit_generator(generator):
        _reseed_bit_generator(generator, entropy)
    else:  # a RandomState before NumPy 1.17
        number = _hash(_state(generator), entropy)
        generator.seed([number >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)])


def forget_second_normal(generator: Any) -> None:
    """Drop the normal that a RandomState has in store: it makes two at a time, and its source does not know."""
    if _has_source(generator):
        generator.set_state(dict(generator.get_state(legacy=False), has_gauss=0, gauss=0.0))


def _has_source(generator: Any) -> bool:
    """Whether this is a RandomState of NumPy 1.17 or later: a bit generator draws, and it keeps a normal itself."""
    numpy_random = _numpy_random()
    return (
        bool(numpy_random) and isinstance(generator, numpy_random.RandomState) and hasattr(generator, "_bit_generator")
    )


def _is_bit_generator(source: Any) -> bool:
    cls = _bit_generator_class()
    return cls is not None and isinstance(source, cls)


def _state(source: Any) -> Any:
    """Return the state of a generator that draws itself, as Python's own numbers, lists and texts."""
    if isinstance(source, random.Random):
        return random.Random.getstate(source)
    if isinstance(source, torch.Generator):
        return source.get_state().tolist()
    return _plain(source.state if _is_bit_generator(source) else source.get_state())


def _plain(state: Any) -> Any:
    """Return a state without NumPy's arrays and integers, whose texts are cut short or differ between versions."""
    if isinstance(state, dict):
        return sorted((name, _plain(part)) for name, part in state.items())
    if isinstance(state, tuple):
        return [_plain(part) for part in state]
    return state.tolist() if hasattr(state, "tolist") else state


def _hash(state: object, entropy: List[int]) -> int:
    """Return 256 bits that depend on all bits of a state and of the entropy words."""
    return int.from_bytes(hashlib.sha256(repr((state, entropy)).encode()).digest(), "little")


def _reseed_bit_generator(source: Any, entropy: List[int]) -> None:
    family = next((cls for cls in type(source).__mro__ if cls.__module__.startswith("numpy.")), type(source))
    fresh = family(_hash(_state(source), entropy))
    state = dict(fresh.state, bit_generator=source.state["bit_generator"])  # the name of a subclass
    if hasattr(fresh, "spawn") and isinstance(fresh.__getstate__(), tuple):
        source.__setstate__((state, fresh.seed_seq))  # NumPy 2: spawn makes new generators from the latter
    else:
        source.state = state
