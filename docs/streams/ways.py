"""What workers draw by several ways to seed them, computed without torch for many starts of workers at a time."""

import random

import numpy as np

from workerseed._seeding import seed_sequence_words

LOW = np.uint64(2**32 - 1)


def base_seeds_of(seed, epochs):
    """Return numbers of 63 bits, one for each epoch, as torch draws them."""
    drawn = random.Random(seed)
    return np.array([drawn.getrandbits(63) for _ in range(epochs)], np.uint64)


def words_of(worker_id, base_seed, rank=0, count=4):
    """Return the words of workerseed, each for all starts, as an array."""
    rank = np.zeros_like(base_seed) + np.uint64(rank)
    return seed_sequence_words([worker_id, base_seed & LOW, base_seed >> np.uint64(32), rank], count)


# By each way: what np.random is seeded with, from the user's seed, and the worker_id and base_seed of all starts.
WAYS = {
    "torch 1.0 to 1.8.1 alone": lambda seed, worker_id, base_seed: [np.full_like(worker_id, seed)],
    "seed + worker_id": lambda seed, worker_id, base_seed: [np.uint64(seed) + worker_id],
    "torch.initial_seed() % 2**32": lambda seed, worker_id, base_seed: [base_seed + worker_id & LOW],
    "workerseed": lambda seed, worker_id, base_seed: words_of(worker_id, base_seed),
}
SINGLE = "a single generator"  # to compare with: its words are dealt to the workers in turn


def seeds_of(way, seed, workers, base_seeds):
    """Return the seed of each start of a worker, one row of words for each, epoch after epoch."""
    base_seed, worker_id = np.meshgrid(base_seeds, np.arange(workers, dtype=np.uint64), indexing="ij")
    return np.stack(WAYS[way](seed, worker_id.ravel(), base_seed.ravel()), axis=1)


def streams(way, seed, workers, base_seeds, length):
    """Return the first words that ``np.random`` draws in each start: an array of epochs, workers and ``length``."""
    shape = len(base_seeds), workers, length
    if way == SINGLE:
        return words_from(np.random.RandomState(seed), shape[0] * length * workers).reshape(
            shape[0], length, workers
        ).transpose(0, 2, 1)
    drawn = np.empty((len(base_seeds) * workers, length), np.uint32)
    generator = np.random.RandomState()
    for stream, words in zip(drawn, seeds_of(way, seed, workers, base_seeds).tolist()):
        generator.seed(words if len(words) > 1 else words[0])
        stream[:] = words_from(generator, length)
    return drawn.reshape(shape)


def words_from(generator, count):
    """Return the next words of a generator, 32 bits each, as they are."""
    return generator.randint(0, 2**32, count, np.uint32)
