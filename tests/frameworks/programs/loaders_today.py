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
def draw_from_numba():  # from its own generator, which is in C
    return np.random.randint(LARGE)


class Draws(Dataset):
    """Draws by a function of the dataset, which holds a generator, and an object of numba."""

    def __init__(self, draw):
        self.draw, self.rng = draw, np.random.default_rng(0)
        self.counts = numba.typed.Dict.empty(numba.types.int64, numba.types.int64)

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return get_worker_info().id, int(self.draw(self))


def make(draw, cls=DataLoader):
    """A function that returns a loader."""
    return functools.partial(cls, Draws(draw), batch_size=2, num_workers=2, collate_fn=list)


def prepared(*args, **options):
    return Accelerator(cpu=True).prepare(DataLoader(*args, **options))


def from_numpy(dataset):
    return np.random.randint(LARGE)


def from_held(dataset):
    return dataset.rng.integers(LARGE)


accelerate = make(from_numpy, prepared)
accelerate_holds = make(from_held, prepared)
torchdata = make(from_numpy, StatefulDataLoader)
torchdata_holds = make(from_held, StatefulDataLoader)
compiled = make(lambda dataset: draw_compiled(dataset.rng))
compiled_draws = make(lambda dataset: draw_from_numba())
