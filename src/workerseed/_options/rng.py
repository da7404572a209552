"""The kinds of generators: which ones exist, the state of one, and how to reseed one."""

import hashlib
import importlib
import random
from contextlib import suppress
from typing import Any, Dict, List

import torch

numpy_random: Any = None
with suppress(Exception):  # torch also runs without NumPy, or with one that fails
    numpy_random = importlib.import_module("numpy.random")  # a program may put something else in `np.random`

# Classes, or () where NumPy has none: nothing is an instance of ().
RANDOM_STATE: Any = getattr(numpy_random, "RandomState", ())
GENERATOR: Any = getattr(numpy_random, "Generator", ())  # NumPy 1.17 and later
BIT_GENERATOR: Any = numpy_random.PCG64.__base__ if hasattr(numpy_random, "PCG64") else ()  # not public in 1.17
# The RandomState of NumPy 1.17 and later: its bit generator draws, but it stores a second normal number itself.
KEEPS_NORMAL: Any = RANDOM_STATE if hasattr(RANDOM_STATE, "_bit_generator") else ()
KINDS = tuple(filter(None, (random.Random, torch.Generator, RANDOM_STATE, GENERATOR, BIT_GENERATOR)))

# In the state of a torch.Generator, the words of its Mersenne Twister, 8 bytes each: THGeneratorState of torch 1.0
# (aten/src/TH/THGenerator.hpp), CPUGeneratorImplStateLegacy of torch 2.13 (aten/src/ATen/CPUGeneratorImpl.cpp).
TORCH_WORDS = 624
TORCH_WORDS_START = 24


def global_generators() -> Dict[str, Any]:
    """Return, by name, the generators that the reseeding step seeds in every worker."""
    found = {"random": vars(random)["_inst"], "torch": torch.default_generator}
    return dict({"np.random": numpy_random.mtrand._rand}, **found) if numpy_random else found


def source_of(generator: Any) -> Any:
    """Return the object that draws: from NumPy 1.17 on, several generators can share one bit generator."""
    cls = type(generator)
    if issubclass(cls, GENERATOR):
        return GENERATOR.bit_generator.__get__(generator)  # even if a subclass has another attribute of this name
    return RANDOM_STATE._bit_generator.__get__(generator) if issubclass(cls, KEEPS_NORMAL) else generator


def reseed_source(source: Any, entropy: List[int]) -> None:
    """Give a source a new state: a hash of its own state and of ``entropy``.

    Therefore equal generators stay equal, and a rerun with the same seed has the same states, wherever they are found.

    Args:
        source: what ``source_of`` returns for a generator.
        entropy: the entropy words of this start of a worker: worker id, base seed in two words, rank.
    """
    cls = type(source)
    # A forked worker must not even read the state of a GPU's generator. torch 1.0 to 1.2 have only the CPU's.
    if issubclass(cls, torch.Generator) and getattr(source, "device", torch.device("cpu")).type != "cpu":
        return
    seed = seed_from(source_state(source), entropy)
    if issubclass(cls, torch.Generator):
        _reseed_torch(source, seed)
    elif issubclass(cls, random.Random):
        random.Random.setstate(source, random.Random(seed).getstate())
    elif issubclass(cls, BIT_GENERATOR):
        _reseed_bit_generator(source, seed)
    else:  # a RandomState before NumPy 1.17
        source.seed([seed >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)])


def _reseed_torch(source: Any, seed: int) -> None:
    # 63 bits: torch 1.2 takes no more. It uses 32 of them, and among 77,000 starts two are as likely equal as not.
    source.manual_seed(seed % 2**63)
    words = random.Random(seed).getstate()[1][:TORCH_WORDS]
    packed = [byte for word in words for byte in word.to_bytes(8, "little")]
    state = source.get_state()
    state[TORCH_WORDS_START : TORCH_WORDS_START + len(packed)] = torch.tensor(packed, dtype=torch.uint8, device="cpu")
    source.set_state(state)


def _reseed_bit_generator(source: Any, seed: int) -> None:
    fresh = next(base for base in type(source).__mro__ if base.__module__.startswith("numpy."))(seed)
    state = dict(fresh.state, bit_generator=source.state["bit_generator"])  # the name of a subclass
    source.state = state
    if hasattr(fresh, "spawn") and isinstance(fresh.__getstate__(), tuple):  # NumPy 2: `spawn` uses the seed sequence
        source.__setstate__((state, fresh.seed_seq))


def seed_from(state: object, entropy: List[int]) -> int:
    """Return 256 bits that depend on all bits of a source's state and of the entropy words."""
    return int.from_bytes(hashlib.sha256(repr((state, entropy)).encode()).digest(), "little")


def forget_second_normal(generator: Any) -> None:
    """Drop the second normal number: a RandomState makes two at a time and stores one outside its bit generator."""
    if issubclass(type(generator), KEEPS_NORMAL):
        generator.set_state(dict(generator.get_state(legacy=False), has_gauss=0, gauss=0.0))


def source_state(source: Any) -> Any:
    """Return the state of a source, as Python's own numbers, lists and strings."""
    if issubclass(type(source), random.Random):
        return random.Random.getstate(source)
    return _plain(source.state if issubclass(type(source), BIT_GENERATOR) else source.get_state())


def _plain(state: Any) -> Any:
    """Return a state without arrays and NumPy's integers, whose ``repr`` is shortened or differs between versions."""
    if isinstance(state, dict):
        return sorted((name, _plain(part)) for name, part in state.items())
    if isinstance(state, tuple):
        return [_plain(part) for part in state]
    return state.tolist() if hasattr(state, "tolist") else state
