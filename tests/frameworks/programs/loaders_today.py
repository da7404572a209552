"""Loaders of Accelerate, torchdata and numba for ``workerseed check``; each item is the worker and what it drew."""

import functools

import numba
import numpy as np
from accelerate import Accelerator
from torch.utils.data import DataLoader, Dataset, get_worker_info
from torchdata.stateful_dataloader import StatefulDataLoader

LARGE = 2**31 - 1


@numba.njit(cache=True)  # each process would compile it, for seconds
def draw_compiled(rng):
    return rng.integers(0, LARGE)


@numba.njit(cache=True)
def draw_from_numba(rng):  # from its own generator, which is in C
    return np.random.randint(LARGE)


class Draws(Dataset):
    """Draws by a function, from the generator that it holds; it holds an object of numba, too."""

    def __init__(self, draw):
        self.draw, self.rng = draw, np.random.default_rng(0)
        self.counts = numba.typed.Dict.empty(numba.types.int64, numba.types.int64)

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return get_worker_info().id, int(self.draw(self.rng))


def make(draw, cls=DataLoader):
    """A function that returns a loader."""
    return functools.partial(cls, Draws(draw), batch_size=2, num_workers=2, collate_fn=list)


def prepared(*args, **options):
    return Accelerator(cpu=True).prepare(DataLoader(*args, **options))


def draw(rng):
    return rng.integers(LARGE)


accelerate = make(draw, prepared)
torchdata = make(draw, StatefulDataLoader)
compiled = make(draw_compiled)
compiled_draws = make(draw_from_numba)
