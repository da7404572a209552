"""The seeding: torch 1.9's seed words, and the reseeding step that a worker runs first."""

import sys
from itertools import permutations

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Tuple

    from ._options.generators import StoredGenerators

    WorkerInit = Optional[Callable[[int], Any]]

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def _multipliers(multiplier: int, factor: int, count: int) -> "List[Tuple[int, int]]":
    """Return, for each hash of a seed sequence, the multiplier and that of the next hash."""
    multipliers = [multiplier * pow(factor, i, 2**32) & MASK32 for i in range(count + 1)]
    return list(zip(multipliers, multipliers[1:]))


HASH_IN = _multipliers(0x43B0D7E5, 0x931E8875, 16)
HASH_OUT = _multipliers(0x8B51F9DD, 0x58F38DED, 8)


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
    base_seed = checked_integer("base_seed", base_seed, MASK64)
    worker_id = checked_integer("worker_id", worker_id, MASK32)
    rank = checked_integer("rank", rank, MASK32)
    return generate_state(entropy_words(base_seed, worker_id, rank))


def entropy_words(base_seed: int, worker_id: int, rank: int) -> "List[int]":
    """Return the four words below 2**32 that tell one start of a worker from all others."""
    return [worker_id, base_seed & MASK32, base_seed >> 32, rank]


def checked_integer(name: str, number: int, largest: int) -> int:
    """Return ``number`` as Python's own int, for NumPy's do not shift and mask as that does."""
    try:
        number = number.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an integer, got {number!r}") from None
    if not 0 <= number <= largest:
        raise ValueError(f"{name} must be from 0 to {largest}, got {number!r}")
    return number


def generate_state(entropy: "List[int]", count: int = 4) -> "List[int]":
    """Return the words that ``SeedSequence(entropy).generate_state(count)`` of NumPy has.

    NumPy below 1.17 has no SeedSequence, and a torch can be without NumPy. Where NumPy has it, this is still the faster
    for four words: creating the arrays takes longer than the hashing.

    Args:
        entropy: exactly four integers below 2**32, as many as the pool of a ``SeedSequence`` holds.
        count: how many words, up to 8.

    Returns:
        Integers below 2**32.

    The algorithm is M. E. O'Neill's ``seed_seq_fe`` of 2015
    (https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html): hash every word into the pool,
    mix every word of the pool into every other, hash them out.
    """
    # The hash stands here three times: to call it would take half as long again. Nothing is changed in place:
    # docs/streams/collisions.py passes arrays.
    pool = []
    for word, (multiplier, following) in zip(entropy, HASH_IN):
        word = (word ^ multiplier) * following & MASK32
        pool.append(word ^ word >> 16)
    for (source, target), (multiplier, following) in zip(permutations(range(4), 2), HASH_IN[4:]):
        word = (pool[source] ^ multiplier) * following & MASK32
        word = 0xCA01F9DD * pool[target] - 0x4973F715 * (word ^ word >> 16) & MASK32
        pool[target] = word ^ word >> 16
    words = []
    for word, (multiplier, following) in zip(pool + pool, HASH_OUT[:count]):
        word = (word ^ multiplier) * following & MASK32
        words.append(word ^ word >> 16)
    return words


def seed_worker(worker_id: int, rank: int = 0) -> "List[int]":
    """Seed the global generators of this worker, from the seed that torch gave it.

    On rank 0, and without the option ``ranks``, ``random`` and ``np.random`` get what torch 1.9 gives them. On other
    ranks, words 0 to 3 of the seed sequence go to NumPy, 4 and 5 to ``random``, 6 and 7 to torch and to
    ``get_worker_info().seed``, which torch sets to the same number.

    Args:
        worker_id: from 0 to ``num_workers - 1``.
        rank: of this process in a distributed job.

    Returns:
        The four entropy words of this start of a worker.
    """
    import random

    import torch

    seed = torch.initial_seed()  # base_seed + worker_id, set by every worker loop since torch 1.0
    entropy = entropy_words((seed - worker_id) & MASK64, worker_id, rank)
    words = generate_state(entropy, 8 if rank else 4)
    if rank:
        seed, for_torch = seeds_of_rank(words)
        torch.manual_seed(for_torch)
        info = getattr(sys.modules.get("torch.utils.data._utils.worker"), "_worker_info", None)  # torch 1.0 has none
        if info is not None:
            object.__setattr__(info, "seed", torch.initial_seed())  # torch's class refuses, frozen in torch 2.13
    random.seed(seed)
    try:
        import numpy
    except ImportError:
        return entropy  # torch 1.9 leaves NumPy out then, too
    numpy.random.seed(words[:4])
    fix_get_state_workaround(words[0] >> 2)
    return entropy


def seeds_of_rank(words: "List[int]") -> "Tuple[int, int]":
    """Return the seeds of ``random`` and of torch on a rank other than 0, from all eight words of a start."""
    return words[4] | words[5] << 32, (words[6] | words[7] << 32) >> 1  # 63 bits: torch 1.2 takes no more


def fix_get_state_workaround(bits: int) -> None:
    """Store ``bits`` of the seed in the first key word of ``np.random``, which seeding by an array leaves constant.

    The most copied workaround seeds anew with ``get_state()[1][0] + worker_id``. Seeded by an array, MT19937 always has
    0x80000000 there (its ``init_by_array``): on torch 1.9 and later the workaround gets the same streams for every seed
    and in every epoch. No output depends on the low 31 bits of that word.

    Args:
        bits: below 2**30, so that the sum stays below 2**32.
    """
    import ctypes

    import numpy

    generator = getattr(numpy.random.mtrand._rand, "_bit_generator", None)  # NumPy 1.17 and later
    if generator is None:
        name, key, position, has_gauss, cached_gaussian = numpy.random.get_state()
        key[0] |= bits
        numpy.random.set_state((name, key, position, has_gauss, cached_gaussian))
    elif isinstance(generator, numpy.random.MT19937):  # NumPy 1.24 brought set_bit_generator
        # In place, at the address that NumPy publishes: its get_state and set_state take longer than the seeding.
        ctypes.c_uint32.from_address(generator.ctypes.state_address).value |= bits


def publish_state_address() -> None:
    """Have NumPy make the address that ``fix_get_state_workaround`` uses, in the parent of forked workers.

    NumPy makes it when first asked, which takes each worker half as long as all its seeding.
    """
    numpy_random = sys.modules.get("numpy.random.mtrand")
    getattr(getattr(getattr(numpy_random, "_rand", None), "_bit_generator", None), "ctypes", None)


class SeededWorkerInit:
    """What a worker calls in place of ``worker_init_fn``: the reseeding step, then the user's function.

    Made for one start of workers, and never changed. A class and not a closure: ``spawn`` and ``forkserver`` pickle it.

    Args:
        worker_init_fn: the user's function, or None.
        rank: of this process in a distributed job; 0 without the option ``ranks``.
        generators: those to reseed, with the option ``generators``.
    """

    def __init__(
        self, worker_init_fn: "WorkerInit", rank: int = 0, generators: "Optional[StoredGenerators]" = None
    ) -> None:
        self.worker_init_fn = worker_init_fn
        self.rank = rank
        self.generators = generators

    def __call__(self, worker_id: int) -> None:
        # An error would end the worker, which torch 1.0 and 1.1 do not report.
        failure = f"worker {worker_id} is not seeded"
        try:
            entropy = seed_worker(worker_id, self.rank)
            failure = f"stored generators are not reseeded in worker {worker_id}"
            if self.generators is not None:
                self.generators.reseed(entropy)
        except Exception as error:
            from ._messages import warn_once

            warn_once(f"{failure}: {error!r}")
        if self.worker_init_fn is not None:
            self.worker_init_fn(worker_id)
