"""What workers draw with several ways of seeding, computed without torch for many starts of workers at a time."""

import random

import numpy as np

from workerseed._seeding import entropy_words, generate_state

LOW = np.uint64(2**32 - 1)


def base_seeds_of(seed, epochs):
    """Return a number of 63 bits for each epoch, like those that torch draws."""
    drawn = random.Random(seed)
    return np.array([drawn.getrandbits(63) for _ in range(epochs)], np.uint64)


def words_of(worker_id, base_seed, rank=0, count=4):
    """Return the words of workerseed, each for all starts, as an array."""
    rank = np.zeros_like(base_seed) + np.uint64(rank)
    return generate_state(entropy_words(base_seed, worker_id, rank), count)


# For each way: the words that seed np.random, from the user's seed and the worker_id and base_seed of all starts.
WAYS = {
    "torch 1.0 to 1.8.1 alone": lambda seed, worker_id, base_seed: [np.full_like(worker_id, seed)],
    "seed + worker_id": lambda seed, worker_id, base_seed: [np.uint64(seed) + worker_id],
    "torch.initial_seed() % 2**32": lambda seed, worker_id, base_seed: [base_seed + worker_id & LOW],
    "workerseed": lambda seed, worker_id, base_seed: words_of(worker_id, base_seed),
}
SINGLE = "a single generator"  # to compare with: its words are dealt to the workers in turn


def seeds_of(way, seed, workers, base_seeds):
    """Return the seed of each start of a worker, one row of words for each, epoch after epoch."""
    base_seed = np.repeat(np.array(base_seeds, np.uint64), workers)
    worker_id = np.tile(np.arange(workers, dtype=np.uint64), len(base_seeds))
    return np.stack(WAYS[way](seed, worker_id, base_seed), axis=1)


def streams(way, seed, workers, base_seeds, length):
    """Return the first words that ``np.random`` draws in each start: an array of epochs, workers and ``length``."""
    generator = np.random.RandomState(seed)
    if way == SINGLE:
        return words_from(generator, (len(base_seeds), length, workers)).swapaxes(1, 2)
    drawn = np.empty((len(base_seeds) * workers, length), np.uint32)
    for stream, words in zip(drawn, seeds_of(way, seed, workers, base_seeds).tolist()):
        generator.seed(words if len(words) > 1 else words[0])
        stream[:] = words_from(generator, length)
    return drawn.reshape(len(base_seeds), workers, length)


def words_from(generator, shape):
    """Return the next words of a generator, 32 bits each, as they are."""
    return generator.randint(0, 2**32, shape, np.uint32)
