"""The seeding itself: torch 1.9's seed words, and the step that a worker runs before anything else."""

from ._messages import warn_once

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Tuple

    from ._generators import Held

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def numpy_seed(base_seed: int, worker_id: int, rank: int = 0) -> "List[int]":
    """Return the four words that seed ``np.random`` in a worker, as torch 1.9 computes them.

    They are the first four 32-bit words of NumPy's ``SeedSequence`` over the entropy words
    ``[worker_id, base_seed & 0xffffffff, base_seed >> 32, rank]``. torch 1.9 (``_generate_state`` in
    ``torch/utils/data/_utils/worker.py``, pytorch#56488) always has 0 where ``rank`` stands.

    Args:
        base_seed: what torch drew for all the workers of one epoch, ``torch.initial_seed() - worker_id``
            in a worker; from 0 to 2**64 - 1.
        worker_id: from 0 to ``num_workers - 1``, below 2**32.
        rank: of the process in a distributed job, below 2**32.

    Returns:
        Four integers below 2**32; ``np.random.seed`` takes the list as it is.

    Raises:
        ValueError: one of the numbers is out of its range.
        TypeError: one of them is not an integer.
    """
    base_seed = _integer("base_seed", base_seed, MASK64)
    worker_id = _integer("worker_id", worker_id, MASK32)
    rank = _integer("rank", rank, MASK32)
    return seed_sequence_words(entropy_words(base_seed, worker_id, rank))


def entropy_words(base_seed: int, worker_id: int, rank: int) -> "List[int]":
    """Return the four words below 2**32 that tell one start of a worker from all others."""
    return [worker_id, base_seed & MASK32, base_seed >> 32, rank]


def _integer(name: str, number: int, largest: int) -> int:
    """Return ``number`` as Python's own int, for NumPy's do not shift and mask as that does."""
    try:
        number = number.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an integer, got {number!r}") from None
    if not 0 <= number <= largest:
        raise ValueError(f"{name} must be from 0 to {largest}, got {number!r}")
    return number


def seed_sequence_words(entropy: "List[int]", count: int = 4) -> "List[int]":
    """Return the words that ``SeedSequence(entropy).generate_state(count)`` of NumPy has.

    NumPy below 1.17 has no SeedSequence, and a torch can be without NumPy. Where NumPy has it, this is still the faster
    for four words: creating the arrays takes longer than the hashing.

    Args:
        entropy: exactly four integers below 2**32, as many as the pool of a ``SeedSequence`` holds.
        count: how many words.

    Returns:
        Integers below 2**32.

    The algorithm is M. E. O'Neill's ``seed_seq_fe`` of 2015
    (https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html): hash every word into the pool,
    mix every word of the pool into every other, hash them out. Each hash moves its own multiplier on.
    """
    multiplier = 0x43B0D7E5

    def hashed(word: int, step: int) -> int:
        nonlocal multiplier
        word = word ^ multiplier  # not in place: docs/streams/collisions.py passes arrays
        multiplier = multiplier * step & MASK32
        word = word * multiplier & MASK32
        return word ^ word >> 16

    pool = [hashed(word, 0x931E8875) for word in entropy]
    for source in range(4):
        for target in range(4):
            if source != target:
                mixed = 0xCA01F9DD * pool[target] - 0x4973F715 * hashed(pool[source], 0x931E8875) & MASK32
                pool[target] = mixed ^ mixed >> 16

    multiplier = 0x8B51F9DD
    return [hashed(pool[i % 4], 0x58F38DED) for i in range(count)]


def seed_worker(worker_id: int, rank: int = 0) -> "List[int]":
    """Seed the process-wide generators of this worker, from the seed torch gave it.

    On rank 0, and where ranks are not asked for, ``random`` and ``np.random`` get what torch 1.9 gives them. On other
    ranks, words 0 to 3 of the seed sequence go to NumPy, 4 and 5 to ``random``, 6 and 7 to torch.

    Args:
        worker_id: from 0 to ``num_workers - 1``.
        rank: of the process in a distributed job.

    Returns:
        The entropy words of this start of a worker.
    """
    import random

    import torch

    seed = torch.initial_seed()  # base_seed + worker_id, set by every worker loop since torch 1.0
    entropy = entropy_words((seed - worker_id) & MASK64, worker_id, rank)
    words = seed_sequence_words(entropy, 8 if rank else 4)
    if rank:
        for_random, for_torch = seeds_of_rank(words)
        random.seed(for_random)
        torch.manual_seed(for_torch)
    else:
        random.seed(seed)
    try:
        import numpy
    except ImportError:
        return entropy  # torch 1.9 leaves it out then, too
    numpy.random.seed(words[:4])
    heal_get_state(words[0] >> 2)
    return entropy


def seeds_of_rank(words: "List[int]") -> "Tuple[int, int]":
    """Return the seeds of ``random`` and of torch on a rank other than 0, from all eight words of a start."""
    return words[4] | words[5] << 32, (words[6] | words[7] << 32) >> 1  # 63 bits: torch 1.2 takes no more


def heal_get_state(bits: int) -> None:
    """Store ``bits`` of the seed in the first key word of ``np.random``, which seeding by an array leaves constant.

    The most copied workaround seeds anew with ``get_state()[1][0] + worker_id``. Seeded by an array, MT19937 always has
    0x80000000 there (its ``init_by_array``), and so the workaround gets the same streams for every seed and in every
    epoch on torch 1.9 and later. No output depends on the low 31 bits.

    Args:
        bits: below 2**30, so that the sum stays below 2**32.
    """
    import ctypes

    import numpy

    generator = getattr(numpy.random.mtrand._rand, "_bit_generator", None)  # NumPy 1.17 and later
    if generator is not None:
        # In place, at the address that NumPy publishes, for its get_state and set_state take longer than the seeding.
        first = ctypes.c_uint32.from_address(generator.ctypes.state_address)
        if first.value == 0x80000000:
            first.value |= bits
            return
    name, key, position, has_gauss, cached_gaussian = numpy.random.get_state()
    key[0] |= bits
    numpy.random.set_state((name, key, position, has_gauss, cached_gaussian))


class SeededWorkerInit:
    """The chain that a worker calls in place of ``worker_init_fn``: the seeding step, then the user's own.

    A class and not a closure, because ``spawn`` and ``forkserver`` pickle it.

    Args:
        worker_init_fn: the user's, or None.
    """

    def __init__(self, worker_init_fn: "Optional[Callable[[int], Any]]") -> None:
        self.worker_init_fn = worker_init_fn
        self.rank = 0
        self.held: Optional[Held] = None  # the generators to fold, if that extra is on

    def __call__(self, worker_id: int) -> None:
        try:
            entropy = seed_worker(worker_id, self.rank)
            if self.held is not None:
                self.held.fold(entropy)
        except Exception as error:  # torch 1.0 and 1.1 do not forward it: the parent would fail at some later point
            warn_once(f"worker {worker_id} is not seeded: {error!r}")
        if self.worker_init_fn is not None:
            self.worker_init_fn(worker_id)
