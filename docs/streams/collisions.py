"""Counts how many of a million workers repeat the seed of an earlier one, with several ways of seeding.

A job of 1,024 processes with 16 workers each starts 999,424 workers in 61 epochs. The script only computes the seeds,
without torch and without loading anything. workerseed's own code computes workerseed's, from arrays instead of numbers.
"""

import numpy as np
from ways import LOW, WAYS, base_seeds_of, words_of

from workerseed._seeding import numpy_seed, seeds_of_rank

RANKS, WORKERS, EPOCHS = 1024, 16, 61
SEED = 0  # the user's


def main():
    """Print a line for each way, first with one seed for all ranks, then with a separate seed for each rank."""
    starts = RANKS * WORKERS * EPOCHS
    print(f"{starts:,} starts of workers: {RANKS:,} ranks, {WORKERS} workers, {EPOCHS} epochs")
    print(f"Among as many random 32-bit numbers, about {starts**2 / 2**33:.0f} repeat an earlier one.")
    compare("all ranks seeded with `seed`", np.full(RANKS, SEED, np.uint64))
    compare("rank r seeded with `seed + r`", np.arange(SEED, SEED + RANKS, dtype=np.uint64))


def compare(title, seeds):
    """Print how many starts repeat the seed of an earlier one, if ``seeds`` seed torch on the ranks."""
    print(f"\nrepeats with {title}")
    rank, epoch, worker_id = np.indices((RANKS, EPOCHS, WORKERS)).astype(np.uint64).reshape(3, -1)
    base_seeds = np.stack([base_seeds_of(int(seed), EPOCHS) for seed in seeds])
    for way, words in ways(rank, worker_id, seeds[rank], base_seeds[rank, epoch]):
        repeats = len(rank) - distinct(words)
        print(f"{repeats:9,}  {way}")
        assert repeats == 0 or way != "ranks: 128 bits for NumPy"


def ways(rank, worker_id, seed, base_seed):
    """Yield each way of seeding, and the words that it uses, for all starts at a time."""
    for way in ("seed + worker_id", "torch.initial_seed() % 2**32"):
        yield way, WAYS[way](seed, worker_id, base_seed)
    yield "num_workers * rank + worker_id + seed", [np.uint64(WORKERS) * rank + worker_id + seed]
    yield "torch 1.9 and later: 128 bits for NumPy", words_of(worker_id, base_seed)
    words = words_of(worker_id, base_seed, rank, 8)
    assert [int(word[-1]) for word in words[:4]] == numpy_seed(int(base_seed[-1]), int(worker_id[-1]), int(rank[-1]))
    for_random, for_torch = (np.where(rank > 0, own, base_seed + worker_id) for own in seeds_of_rank(words))
    yield "ranks: 128 bits for NumPy", words[:4]
    yield "ranks: 64 bits for random", [for_random]
    yield "ranks: 63 bits for torch", [for_torch]
    yield "ranks: the 32 bits of them that torch's generator on the CPU uses", [for_torch & LOW]


def distinct(words):
    """Return how many starts are distinct; each is a row of one or more words."""
    rows = np.stack(words, axis=1)
    return len(np.unique(rows.view([(f"word{i}", rows.dtype) for i in range(len(words))])))


if __name__ == "__main__":
    main()
