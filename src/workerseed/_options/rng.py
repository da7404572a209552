"""The kinds of generators: which there are, the state of one, and how to reseed one."""

import hashlib
import random
import struct
from typing import Any, Dict, List

import torch

try:
    from numpy import random as numpy_random
except ImportError:  # a torch can be without NumPy
    numpy_random: Any = None  # type: ignore[no-redef]

# Classes, or () where NumPy has none; nothing is an instance of that.
RANDOM_STATE: Any = getattr(numpy_random, "RandomState", ())
GENERATOR: Any = getattr(numpy_random, "Generator", ())  # NumPy 1.17 and later
BIT_GENERATOR: Any = numpy_random.PCG64.__base__ if hasattr(numpy_random, "PCG64") else ()  # no public name in 1.17
KINDS = tuple(filter(None, (random.Random, torch.Generator, RANDOM_STATE, GENERATOR, BIT_GENERATOR)))


def global_generators() -> Dict[str, Any]:
    """Return, by name, the generators that the reseeding step seeds in every worker."""
    found = {"random": vars(random)["_inst"], "torch": torch.default_generator}
    return dict({"np.random": numpy_random.mtrand._rand}, **found) if numpy_random else found


def source_of(generator: Any) -> Any:
    """Return what draws: several generators of NumPy 1.17 and later can share one bit generator."""
    if isinstance(generator, RANDOM_STATE):
        return getattr(generator, "_bit_generator", generator)
    return generator.bit_generator if isinstance(generator, GENERATOR) else generator


def state_of(generator: Any) -> str:
    """Return a digest of everything that decides what a generator draws next."""
    if _keeps_normal(generator):
        whole = generator.get_state(legacy=False)
        if whole["bit_generator"] == "MT19937":  # the low 31 bits of the first key word reach no output
            whole["state"]["key"] = [int(whole["state"]["key"][0]) >> 31, *whole["state"]["key"][1:].tolist()]
        state = _plain(whole)
    else:
        state = _state(source_of(generator))
        if isinstance(state, list) and state[0] == "MT19937":  # RandomState before NumPy 1.17
            state[1][0] >>= 31
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def in_use(source: Any) -> bool:
    """Whether another thread draws from a bit generator at this moment.

    In a worker, which has one thread as it starts, this is a thread of the parent: the lock was copied at the fork and
    nobody will ever release it. torch's generators do not show their lock.
    """
    lock = getattr(source, "lock", None) if isinstance(source, BIT_GENERATOR) else None
    if lock is None:
        return False
    free: bool = lock.acquire(False)
    if free:
        lock.release()
    return not free


def reseed(source: Any, entropy: List[int]) -> None:
    """Give a generator a new state, made by SHA-256 of its own state and of ``entropy``.

    So equal generators stay equal, and a run with the same seed has the same states, wherever generators are found.

    Args:
        source: what ``source_of`` returns for a generator.
        entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.

    Raises:
        RuntimeError: it is in use.
    """
    if in_use(source):
        raise RuntimeError("a thread of the parent was drawing from it as the worker started")
    if isinstance(source, torch.Generator) and getattr(source, "device", None) and source.device.type != "cpu":
        return  # a forked worker must not even ask for the state of a GPU's
    number = seed_from(_state(source), entropy)
    if isinstance(source, random.Random):
        random.Random.setstate(source, random.Random(number).getstate())
    elif isinstance(source, torch.Generator):
        source.manual_seed(number % 2**63)  # torch 1.2 takes no more
        words = random.Random(number).getstate()[1][:-1]
        fresh = source.get_state()
        fresh[24 : 24 + 8 * 624] = torch.tensor(list(struct.pack("<624Q", *words)), dtype=torch.uint8)
        source.set_state(fresh)  # its own seeding uses 32 bits, and so repeats itself among some 10,000 starts
    elif isinstance(source, BIT_GENERATOR):
        family = next((cls for cls in type(source).__mro__ if cls.__module__.startswith("numpy.")), type(source))
        fresh = family(number)
        state = dict(fresh.state, bit_generator=source.state["bit_generator"])  # the name of a subclass
        if hasattr(fresh, "spawn") and isinstance(fresh.__getstate__(), tuple):
            source.__setstate__((state, fresh.seed_seq))  # NumPy 2: spawn makes new generators from the latter
        else:
            source.state = state
    else:  # a RandomState before NumPy 1.17
        source.seed([number >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)])


def seed_from(state: object, entropy: List[int]) -> int:
    """Return 256 bits that depend on all bits of a generator's own state and of the entropy words."""
    return int.from_bytes(hashlib.sha256(repr((state, entropy)).encode()).digest(), "little")


def forget_second_normal(generator: Any) -> None:
    """Drop the normal that a RandomState has in store: it makes two at a time, and its source does not know."""
    if _keeps_normal(generator):
        generator.set_state(dict(generator.get_state(legacy=False), has_gauss=0, gauss=0.0))


def _keeps_normal(generator: Any) -> bool:
    """Whether this is a RandomState of NumPy 1.17 or later: a bit generator draws, and it keeps a normal itself."""
    return isinstance(generator, RANDOM_STATE) and hasattr(generator, "_bit_generator")


def _state(source: Any) -> Any:
    """Return the state of a generator that draws itself, as Python's own numbers, lists and texts."""
    if isinstance(source, random.Random):
        return random.Random.getstate(source)
    if isinstance(source, torch.Generator):
        return source.get_state().tolist()
    return _plain(source.state if isinstance(source, BIT_GENERATOR) else source.get_state())


def _plain(state: Any) -> Any:
    """Return a state without NumPy's arrays and integers, whose texts are cut short or differ between versions."""
    if isinstance(state, dict):
        return sorted((name, _plain(part)) for name, part in state.items())
    if isinstance(state, tuple):
        return [_plain(part) for part in state]
    return state.tolist() if hasattr(state, "tolist") else state
