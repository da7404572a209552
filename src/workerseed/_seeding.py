"""Computes torch 1.9's seed words; defines the reseeding step that a worker runs first."""

import _thread
import gc
import os
import sys
from itertools import permutations
from typing import Any, Callable, List, Optional, Tuple

WorkerInitFn = Optional[Callable[..., Any]]
Reseed = Optional[Callable[[List[int]], None]]

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def numpy_seed(base_seed: int, worker_id: int, rank: int = 0) -> List[int]:
    """Return the four words that seed ``np.random`` in a worker, as torch 1.9 computes them.

    They are the first four 32-bit words of NumPy's ``SeedSequence`` over the entropy words
    ``[worker_id, base_seed & 0xffffffff, base_seed >> 32, rank]``. torch 1.9 (``_generate_state`` in
    ``torch/utils/data/_utils/worker.py``, pytorch#56488) always has 0 in place of ``rank``.

    Args:
        base_seed: the number that torch draws for all workers of an epoch, from 0 to 2**64 - 1. In a worker, it is
            ``torch.initial_seed() - worker_id`` (with the option ``ranks``, only on rank 0).
        worker_id: from 0 to ``num_workers - 1``, below 2**32.
        rank: the rank of the process in a distributed job, below 2**32.

    Returns:
        Four integers below 2**32, ready for ``np.random.seed``.

    Raises:
        ValueError: a number is out of range.
        TypeError: an argument is not an integer.
    """
    base_seed = checked_integer("base_seed", base_seed, MASK64)
    worker_id = checked_integer("worker_id", worker_id, MASK32)
    rank = checked_integer("rank", rank, MASK32)
    return generate_state(entropy_words(base_seed, worker_id, rank))


def checked_integer(name: str, number: int, largest: int) -> int:
    """Return ``number`` as Python's own int: NumPy's integers overflow where Python's do not."""
    try:
        number = number.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an integer, got {number!r}") from None
    if not 0 <= number <= largest:
        raise ValueError(f"{name} must be from 0 to {largest}, got {number!r}")
    return number


def entropy_words(base_seed: int, worker_id: int, rank: int) -> List[int]:
    """Return the four words below 2**32 that distinguish one start of a worker from every other."""
    return [worker_id, base_seed & MASK32, base_seed >> 32, rank]


def generate_state(entropy: List[int], count: int = 4) -> List[int]:
    """Return the words of NumPy's ``SeedSequence(entropy).generate_state(count)``.

    NumPy has a ``SeedSequence`` only since 1.17, and torch also runs without NumPy.

    Args:
        entropy: exactly four integers below 2**32, the size of the pool of a ``SeedSequence``.
        count: how many words to return, up to 8.

    Returns:
        Integers below 2**32.

    The algorithm is M. E. O'Neill's ``seed_seq_fe`` of 2015
    (https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html): hash every word into the pool,
    mix every word of the pool into every other, and hash the result. The constants are those of ``SeedSequence``
    (``numpy/random/bit_generator.pyx``, NumPy 1.17).
    """
    hash_in = _hash_function(0x43B0D7E5, 0x931E8875)
    pool = [hash_in(word) for word in entropy]
    for source, target in permutations(range(4), 2):
        mixed = 0xCA01F9DD * pool[target] - 0x4973F715 * hash_in(pool[source]) & MASK32
        pool[target] = mixed ^ mixed >> 16
    hash_out = _hash_function(0x8B51F9DD, 0x58F38DED)
    return [hash_out(word) for word in (pool + pool)[:count]]


def _hash_function(constant: int, multiplier: int) -> Callable[[int], int]:
    """Return a hash function of 32-bit words whose constant changes with each call."""

    def hash_word(word: int) -> int:
        nonlocal constant
        word = word ^ constant
        constant = constant * multiplier & MASK32
        word = word * constant & MASK32
        return word ^ word >> 16

    return hash_word


def seed_random(worker_id: int, rank: int) -> Tuple[List[int], List[int]]:
    """Seed ``random`` with the seed that torch gave this worker; on ranks other than 0, seed torch as well.

    On rank 0, and without the option ``ranks``, ``random`` and ``np.random`` are seeded as by torch 1.9. On other
    ranks, words 0 to 3 of the seed sequence seed NumPy, 4 and 5 seed ``random``, and 6 and 7 seed torch and replace
    ``get_worker_info().seed``, which is torch's seed.

    Args:
        worker_id: from 0 to ``num_workers - 1``.
        rank: the rank of this process in a distributed job.

    Returns:
        The entropy words of this start of a worker, and the words of its seed sequence.
    """
    import random

    import torch

    seed = torch.initial_seed()  # base_seed + worker_id, set by every worker loop since torch 1.0
    entropy = entropy_words((seed - worker_id) & MASK64, worker_id, rank)
    words = generate_state(entropy, 8 if rank else 4)
    if rank:
        seed, seed_of_torch = seeds_of_rank(words)
        torch.manual_seed(seed_of_torch)
        info = getattr(sys.modules.get("torch.utils.data._utils.worker"), "_worker_info", None)  # torch 1.0 has none
        if info is not None:
            object.__setattr__(info, "seed", torch.initial_seed())  # torch's class refuses, frozen in torch 2.13
    random.seed(seed)
    return entropy, words


def seeds_of_rank(words: List[int]) -> Tuple[int, int]:
    """Return the seeds of ``random`` and of torch on a rank other than 0, from all eight words of a start."""
    return words[4] | words[5] << 32, (words[6] | words[7] << 32) >> 1  # 63 bits: torch 1.2 takes no more


def seed_numpy(words: List[int], is_worker_process: bool) -> None:
    """Seed NumPy's global generator, whatever the name ``np.random`` refers to, and make a common workaround work.

    The most copied workaround seeds NumPy again with ``get_state()[1][0] + worker_id``. Seeding from an array leaves
    0x80000000 in that first key word of MT19937 (its ``init_by_array``), so on torch 1.9 and later the workaround gets
    the same streams for every seed and in every epoch. The low 31 bits of the word never reach an output. This puts
    bits of the seed into 30 of them, so that the sum stays below 2**32.

    Args:
        words: what ``numpy_seed`` returns.
        is_worker_process: False in a thread of the parent, such as the workers of MONAI's ``ThreadDataLoader``.
    """
    try:
        import numpy.random  # noqa: F401
    except ImportError:
        return  # torch 1.9 does not seed NumPy then either
    mtrand: Any = sys.modules["numpy.random.mtrand"]
    if is_worker_process:
        release_lock(mtrand._rand)
    mtrand.seed(words)
    if isinstance(getattr(mtrand._rand, "_bit_generator", None), getattr(mtrand, "_MT19937", type(None))):
        # NumPy below 1.17 has no other generator; from 1.24 on, set_bit_generator can replace it.
        name, key, *rest = mtrand.get_state()
        key[0] |= words[0] >> 2
        mtrand.set_state((name, key, *rest))


def release_lock(generator: Any) -> None:
    """Release the lock of a NumPy generator, which a thread of the parent may have held during the fork (numpy#9248).

    That thread does not exist in the worker, so drawing would deadlock. Only a worker process may call this.
    """
    for lock in gc.get_referents(generator):  # NumPy 1.16 has no attribute for it
        if type(lock) is _thread.LockType:
            lock.acquire(False)
            lock.release()
        elif hasattr(type(lock), "_at_fork_reinit"):  # NumPy 2.4 has an RLock; without fork, Python has no such method
            lock._at_fork_reinit()


class SeededWorkerInit:
    """What a worker calls instead of ``worker_init_fn``: the reseeding step, then the user's function.

    One object serves one start of workers and never changes. It is a class and not a closure because ``spawn`` and
    ``forkserver`` pickle it.

    Args:
        worker_init_fn: the user's function, or None.
        rank: the rank of this process in a distributed job; 0 without the option ``ranks``.
        reseed: reseeds the stored generators from the four entropy words; None without the option ``generators``.
    """

    def __init__(self, worker_init_fn: WorkerInitFn, rank: int = 0, reseed: Reseed = None) -> None:
        self.worker_init_fn = worker_init_fn
        self.rank = rank
        self.reseed = reseed
        self.parent = os.getpid()

    def __call__(self, worker_id: int, *args: Any, **kwargs: Any) -> Any:
        """Reseed, then call the user's function; a failure to reseed is a warning.

        An exception would end the worker, which torch 1.0 and 1.1 do not report. Other worker loops than torch's may
        pass further arguments.
        """
        is_worker_process = os.getpid() != self.parent
        pending = ["random", "NumPy"] + ["stored generators"] * (self.reseed is not None)
        try:
            entropy, words = seed_random(worker_id, self.rank)
            pending.remove("random")
            seed_numpy(words[:4], is_worker_process)
            pending.remove("NumPy")
            if self.reseed is not None and is_worker_process:
                self.reseed(entropy)
        except Exception as error:
            from ._messages import warn_once

            warn_once(f"worker {worker_id} did not seed {' and '.join(pending)}: {error!r}")
        return None if self.worker_init_fn is None else self.worker_init_fn(worker_id, *args, **kwargs)
