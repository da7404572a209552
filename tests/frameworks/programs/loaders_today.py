"""Loaders of Accelerate, torchdata and numba for ``workerseed check``; each item is the worker and what it drew."""

import numba
import numpy as np
from torch.utils.data import DataLoader, Dataset, get_worker_info

LARGE = 2**31 - 1


class Draws(Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, index):
        return get_worker_info().id, self.draw()

    def draw(self):
        return int(np.random.randint(LARGE))


class Holds(Draws):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def draw(self):
        return int(self.rng.integers(LARGE))


def prepared(dataset):
    from accelerate import Accelerator

    return Accelerator(cpu=True).prepare(DataLoader(dataset, batch_size=2, num_workers=2, collate_fn=list))


def stateful(dataset):
    from torchdata.stateful_dataloader import StatefulDataLoader

    return StatefulDataLoader(dataset, batch_size=2, num_workers=2, collate_fn=list)


def accelerate():
    return prepared(Draws())


def accelerate_holds():
    return prepared(Holds())


def torchdata():
    return stateful(Draws())


def torchdata_holds():
    return stateful(Holds())


@numba.njit(cache=True)  # each process would compile it, for seconds
def double(number):
    return 2 * number


@numba.njit(cache=True)
def draw_compiled(rng):
    return rng.integers(0, LARGE)


@numba.njit(cache=True)
def draw_from_numba():
    return np.random.randint(LARGE)


class Compiled(Holds):
    """Holds objects of numba, and a generator that a compiled function draws from."""

    def __init__(self):
        Holds.__init__(self)
        self.draw_compiled = draw_compiled
        self.counts = numba.typed.Dict.empty(numba.types.int64, numba.types.int64)

    def draw(self):
        return int(double(draw_compiled(self.rng)))


class CompiledDraws(Draws):
    """Draws from the generator of numba's own, which is in C."""

    def draw(self):
        return int(draw_from_numba())


def compiled():
    return DataLoader(Compiled(), batch_size=2, num_workers=2, collate_fn=list)


def compiled_draws():
    return DataLoader(CompiledDraws(), batch_size=2, num_workers=2, collate_fn=list)
