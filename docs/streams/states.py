"""Compares the states that the option ``generators`` gives to stored generators with chance, in one process.

Counts how many of a million states repeat an earlier one, and tests the first draws of neighbouring workers, epochs,
ranks and generators. docs/streams-method.md explains what each test compares and what counts as a failure.
"""

import itertools

import numpy as np
from p_values import chi_square, of_correlation, of_pairs, shown
from reseeded import KINDS, seed_of_state, state_of, words_from, words_in_worker
from ways import SINGLE, base_seeds_of

RANKS, EPOCHS, WORKERS = 16, 16, 16
MANY, FEW = 256, 16  # generators, made from the seeds 0, 1, 2, ...
SEED = 0  # of the base seeds
AXES = ["ranks", "epochs", "workers", "seeds"]


def main():
    """Count repeats, then test the first draws of each kind of generator."""
    count_repeats()
    drawn = {SINGLE: single(), "without the option": without()}
    drawn.update((kind, first_draws(make)) for kind, make in KINDS.items())
    print(f"\n{RANKS * EPOCHS * WORKERS * FEW:,} of these starts, with {FEW} generators; p-values, * for a failure")
    print("\nfirst draws")
    print_table(["repeats", "high", "low"], drawn, of_first_words)
    print("\npairs of neighbours")
    print_table(AXES, drawn, lambda words: shown(of_pairs(along, 4) for along in by_axis(words)))
    print("\ncorrelation of neighbours")
    print_table(AXES, drawn, lambda words: shown(of_correlation(along) for along in by_axis(words)))


def starts(generators):
    """Yield rank, base seed, worker id, and what is given for each generator."""
    base_seeds = base_seeds_of(SEED, EPOCHS).tolist()
    return itertools.product(range(RANKS), base_seeds, range(WORKERS), generators)


def count_repeats():
    """Print how many states repeat an earlier one, in the bits that each kind of generator uses of its seed."""
    make = KINDS["default_rng"]
    states = [state_of(make(seed)) for seed in range(MANY)]
    seeds = [seed_of_state(state, base_seed, worker_id, rank) for rank, base_seed, worker_id, state in starts(states)]
    print(f"{len(seeds):,} starts: {RANKS} ranks, {EPOCHS} epochs, {WORKERS} workers, {MANY} generators")
    print("\nrepeats")
    pools = (np.random.SeedSequence(seed).pool.tobytes() for seed in seeds)
    for of_whom, used in [
        ("256 bits for random.Random and torch.Generator", seeds),
        ("128 bits for NumPy, whose SeedSequence keeps so many", pools),
    ]:
        print(f"{len(seeds) - len(set(used)):9,}  {of_whom}", flush=True)


def first_draws(make):
    """Return the first words in each start: an array of ranks, epochs, workers, generators and four words."""
    words = [
        words_in_worker(make(seed), base_seed, worker_id, rank)
        for rank, base_seed, worker_id, seed in starts(range(FEW))
    ]
    return np.array(words, np.uint32).reshape(RANKS, EPOCHS, WORKERS, FEW, 4)


def without():
    """Return the same without the option: each worker starts with the parent's state."""
    words = np.array([words_from(KINDS["default_rng"](seed)) for seed in range(FEW)], np.uint32)
    return np.broadcast_to(words, (RANKS, EPOCHS, WORKERS, FEW, 4))


def single():
    """Return words of one generator, dealt in turn."""
    words = np.random.RandomState(SEED).bytes(RANKS * EPOCHS * WORKERS * FEW * 16)
    return np.frombuffer(words, np.uint32).reshape(RANKS, EPOCHS, WORKERS, FEW, 4)


def of_first_words(words):
    """Return the cells of the first table: repeats of all four words, p-values of two bytes of the first."""
    rows = words.reshape(-1, 4)
    first = rows[:, 0]
    p_values = [chi_square(first >> np.uint32(24), 256), chi_square(first & np.uint32(255), 256)]
    return f"{len(rows) - len(np.unique(rows, axis=0)):8,} {shown(p_values)}"


def by_axis(words):
    """Yield the first words in four orders: neighbours differ in rank, epoch, worker or seed by one."""
    for axis in range(4):
        yield np.moveaxis(words[..., 0], axis, -1).ravel()


def print_table(columns, drawn, cells_of):
    """Print a line for each way to draw."""
    print(" " * 18 + "".join(f"{column:>8} " for column in columns))
    for name, words in drawn.items():
        print(f"{name:18}{cells_of(words)}", flush=True)


if __name__ == "__main__":
    main()
