"""What stored generators draw in a worker with the option ``generators``, computed with the option's own code."""

import random

import numpy as np
import torch

from workerseed._options.rng import reseed_source, seed_from, source_of, source_state
from workerseed._seeding import entropy_words


def torch_generator(seed):
    """Return a generator of torch with that seed."""
    generator = torch.Generator()
    generator.manual_seed(seed)
    return generator


# By kind: makes a generator from a seed. NumPy 1.17 brought default_rng.
KINDS = {
    "random.Random": random.Random,
    "RandomState": np.random.RandomState,
    "default_rng": lambda seed: np.random.default_rng(seed),
    "torch.Generator": torch_generator,
}


def words_in_worker(generator, base_seed, worker_id, rank=0):
    """Return the first words that a worker draws from its copy of ``generator``."""
    reseed_source(source_of(generator), entropy_words(base_seed, worker_id, rank))
    return words_from(generator)


def words_from(generator):
    """Return the next four words of a generator, 32 bits each."""
    if isinstance(generator, random.Random):
        return [generator.getrandbits(32) for _ in range(4)]
    if isinstance(generator, torch.Generator):
        return torch.empty(4, dtype=torch.int64).random_(2**32, generator=generator).tolist()
    return np.frombuffer(generator.bytes(16), np.uint32).tolist()


def state_of(generator):
    """Return the state of a generator in the parent, as ``reseed_source`` takes it."""
    return source_state(source_of(generator))


def seed_of_state(state, base_seed, worker_id, rank=0):
    """Return the 256 bits from which ``reseed_source`` makes a generator's state in a worker."""
    return seed_from(state, entropy_words(base_seed, worker_id, rank))
