"""For the programs that the tests run: activation, a dataset that shows what a worker drew, the result's file."""

import importlib
import json
import os
import random
import sys

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

seedings = {}  # by process id: how often np.random was seeded
np_random_seed = np.random.seed


def count_and_seed(seed=None):
    seedings[os.getpid()] = seedings.get(os.getpid(), 0) + 1
    np_random_seed(seed)


np.random.seed = sys.modules["numpy.random.mtrand"].seed = count_and_seed  # the frameworks' way, and workerseed's


class Draws(Dataset):
    """Each item is a row, of which variants.py has the columns."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        worker = get_worker_info()
        row = [worker.id, seedings.get(os.getpid(), 0), torch.initial_seed() % 2**63]  # a tensor's integers have a sign
        row += [np.random.randint(0, 2**31 - 1), random.randrange(2**31), torch.randint(2**31, (1,)).item()]
        row.append(worker.seed)  # base_seed + worker_id, whatever torch was seeded with since
        return torch.tensor(row)


def own_worker_init_fn(worker_id):
    """The user's, which seeds NumPy in a way of its own."""
    np.random.seed((torch.initial_seed() + 7) % 2**32)


def seed_parent():
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)


def loader_of(**options):
    return DataLoader(Draws(), batch_size=2, num_workers=2, **options)


def epochs(loader, number=3):
    """What this many epochs of a loader yield, the parent seeded first."""
    seed_parent()
    return [row for _ in range(number) for batch in loader for row in batch.tolist()]


def name_of(function):
    """A worker_init_fn in a form that goes into JSON."""
    if hasattr(function, "func"):
        return ["partial of", function.func.__name__, function.keywords]
    return getattr(function, "__name__", function and type(function).__name__)


def activated():
    """Imports what a program is about, and workerseed if it comes later: the arguments are FILE VARIANT MODULE ..."""
    variant, module = sys.argv[2:4]
    importlib.import_module(module)
    if variant == "imported after the framework":
        importlib.import_module("workerseed")
    return module


def write(result):
    with open(sys.argv[1], "w") as file:
        json.dump(result, file)
