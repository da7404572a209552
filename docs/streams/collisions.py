"""Counts how many of a million workers get a seed that another has got before, by several ways to seed.

A job of 1,024 processes with 16 workers each starts 999,424 workers in 61 epochs. Nothing is loaded, and torch is not
needed: only the seeds are computed, workerseed's by its own code, which takes arrays for numbers.
"""

import random

import numpy as np

from workerseed._seeding import entropy_words, numpy_seed, seed_sequence_words, seeds_of_rank

RANKS, WORKERS, EPOCHS = 1024, 16, 61
SEED = 0  # the user's
LOW = np.uint64(2**32 - 1)


def main():
    """Print a line for each way, once with all ranks seeded alike, and once with each rank seeded by itself."""
    starts = RANKS * WORKERS * EPOCHS
    print(f"{starts:,} starts of workers: {RANKS:,} ranks, {WORKERS} workers, {EPOCHS} epochs")
    print(f"Of as many chance numbers of 32 bits, {starts**2 / 2**33:.0f} or so repeat another.")
    compare("all ranks seeded with `seed`", np.full(RANKS, SEED, np.uint64))
    compare("rank r seeded with `seed + r`", np.arange(SEED, SEED + RANKS, dtype=np.uint64))


def compare(title, seeds):
    """Print how many starts repeat the seed of another, if torch is seeded with ``seeds`` on the ranks."""
    print(f"\nrepeats with {title}")
    rank, epoch, worker_id = np.indices((RANKS, EPOCHS, WORKERS)).astype(np.uint64).reshape(3, -1)
    base_seeds = np.array([base_seeds_of(int(seed)) for seed in seeds], np.uint64)
    for way, words in ways(rank, worker_id, seeds[rank], base_seeds[rank, epoch]):
        repeats = len(rank) - distinct(words)
        print(f"{repeats:9,}  {way}")
        assert repeats == 0 or way != "ranks: 128 bits for NumPy"


def base_seeds_of(seed):
    """Return numbers of 63 bits, one for each epoch, as torch draws them."""
    drawn = random.Random(seed)
    return [drawn.getrandbits(63) for _ in range(EPOCHS)]


def ways(rank, worker_id, seed, base_seed):
    """Yield each way to seed, and the words that it seeds with, for all starts at a time."""
    initial_seed = base_seed + worker_id
    yield "seed + worker_id", [seed + worker_id]
    yield "num_workers * rank + worker_id + seed", [np.uint64(WORKERS) * rank + worker_id + seed]
    yield "torch.initial_seed() % 2**32", [initial_seed & LOW]
    yield "torch 1.9 and later: 128 bits for NumPy", words_of(worker_id, base_seed, np.zeros_like(rank))[:4]
    words = words_of(worker_id, base_seed, rank)
    assert [int(word[-1]) for word in words[:4]] == numpy_seed(int(base_seed[-1]), int(worker_id[-1]), int(rank[-1]))
    for_random, for_torch = (np.where(rank > 0, own, initial_seed) for own in seeds_of_rank(words))
    yield "ranks: 128 bits for NumPy", words[:4]
    yield "ranks: 64 bits for random", [for_random]
    yield "ranks: 63 bits for torch", [for_torch]
    yield "ranks: the 32 bits of them that torch's generator on the CPU uses", [for_torch & LOW]


def words_of(worker_id, base_seed, rank):
    """Return the eight words of all starts."""
    return seed_sequence_words(entropy_words(base_seed, worker_id, rank), 8)


def distinct(words):
    """Return how many starts are distinct, each of them given by one or more words."""
    rows = np.stack(words, axis=1)
    return len(np.unique(rows.view([(f"word{i}", rows.dtype) for i in range(len(words))])))


if __name__ == "__main__":
    main()
