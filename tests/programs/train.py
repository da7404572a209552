"""A program to check: many loaders, fine and not."""

import functools
import os
import random
import signal
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

RNG = np.random.RandomState(1)


class Plain(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return np.random.rand()


class Jitter:
    __slots__ = ["rng"]

    def __init__(self):
        self.rng = random.Random(2)


class Listing(list):
    def __init__(self):
        self.rng = random.Random(7)


class Holding(Plain):
    of_class = np.random.RandomState(3)

    def __init__(self):
        self.transforms = [Jitter(), {"torch": torch.Generator().manual_seed(9)}]
        self.listing = Listing()
        self.draw = random.Random(8).random
        self.system = random.SystemRandom()
        self.process_wide = np.random.mtrand._rand, random._inst
        if hasattr(np.random, "default_rng"):
            self.rng = np.random.default_rng(4)
            self.bits = np.random.PCG64(10)

    def __getitem__(self, index):
        return RNG.rand()


def collating(rng, batch):
    return batch


def numbered(worker_id):
    np.random.seed(worker_id)


def by_state(worker_id):
    np.random.seed(np.random.get_state()[1][0] + worker_id)


def anew(worker_id):
    Holding.of_class = np.random.RandomState(torch.initial_seed() % 2**32)


def of_system(worker_id):
    np.random.seed()


def closing_over(rng):
    return lambda worker_id: rng


def refusing(worker_id):
    raise KeyError("not today")


def killed(worker_id):
    time.sleep(1)  # until the parent waits: a worker that dies earlier can make torch 1.0 hang
    os.kill(os.getpid(), signal.SIGKILL)


loader = DataLoader(Plain(), num_workers=3)
holding = DataLoader(Holding(), num_workers=2)
collated = DataLoader(Plain(), num_workers=2, collate_fn=functools.partial(collating, random.Random(5)))
closed = DataLoader(Plain(), num_workers=2, worker_init_fn=closing_over(random.Random(6)))
without = DataLoader(Plain())
numbering = DataLoader(Plain(), num_workers=2, worker_init_fn=numbered)
workaround = DataLoader(Plain(), num_workers=2, worker_init_fn=by_state)
renewing = DataLoader(Holding(), num_workers=2, worker_init_fn=anew)
irreproducible = DataLoader(Plain(), num_workers=2, worker_init_fn=of_system)
distributed = DataLoader(Plain(), num_workers=2, sampler=DistributedSampler(Plain(), 2, 0))
refuses = DataLoader(Plain(), num_workers=2, worker_init_fn=refusing)
dies = DataLoader(Plain(), num_workers=2, worker_init_fn=killed)
number = 3


def make():
    return loader


def make_of(size):
    return loader


def make_none():
    raise RuntimeError("no data today")


def activated():
    import workerseed  # noqa: F401

    return loader


def spawned():
    return DataLoader(Plain(), num_workers=2, multiprocessing_context="spawn")


def unpicklable():
    return DataLoader(Plain(), num_workers=2, multiprocessing_context="spawn", worker_init_fn=lambda worker_id: None)


def persistent():
    return DataLoader(Plain(), num_workers=2, persistent_workers=True)


def keeping():
    import workerseed

    kept = DataLoader(Holding(), num_workers=2)
    workerseed.keep(kept)
    return kept


def reseeding():
    held = Holding()
    return DataLoader(held, num_workers=2, worker_init_fn=lambda worker_id: held.listing.rng.seed(0))


class Unseeded(Plain):
    def __init__(self):
        self.rng = random.Random()


unseeded = DataLoader(Unseeded(), num_workers=2)


def generating():
    return DataLoader(Plain(), num_workers=2, generator=torch.Generator())
