"""What the parity tests run: loaders of every kind, and what their workers draw.

    python tests/programs/scenarios.py [--workerseed] [--epochs EPOCHS] START_METHOD [SCENARIO ...]

prints as JSON, for every scenario that the torch at hand can run, what each item of each epoch drew.
"""

import argparse
import inspect
import json
import multiprocessing
import random
import sys

import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, SequentialSampler

try:
    import numpy as np
except ImportError:
    np = None
try:
    from torch.utils.data import IterableDataset
except ImportError:  # torch 1.0 and 1.1
    IterableDataset = Dataset

EPOCHS = 3
ITEMS = 12
LOADER_PARAMETERS = inspect.signature(DataLoader.__init__).parameters


def draw():
    """Draw from each global generator; the first number is the seed that torch gave the worker."""
    drawn = [torch.initial_seed(), random.random(), random.getrandbits(31), torch.rand(1).item()]
    drawn.append(torch.randint(0, 1000, (1,)).item())
    if np is not None:
        drawn += [int(np.random.randint(0, 1000)), np.random.random_sample(), np.random.standard_normal()]
    return drawn


class Map(Dataset):
    def __len__(self):
        return ITEMS

    def __getitem__(self, index):
        return draw()


class Iterable(IterableDataset):
    def __iter__(self):
        return (draw() for _ in range(ITEMS // 4))


def as_list(batch):
    return batch


def no_init(worker_id):
    pass


def per_epoch(loader, before_epoch=None):
    torch.manual_seed(0)
    epochs = []
    for epoch in range(EPOCHS):
        if before_epoch is not None:
            before_epoch(epoch)
        epochs.append(list(loader))
    return epochs


def loading(dataset, before_epoch=None, **options):
    """A function that loads three epochs, by a start method."""

    def load(start_method):
        made = dict(options)
        if "generator" in options:
            made["generator"] = options["generator"]()
        if "multiprocessing_context" in LOADER_PARAMETERS:
            made["multiprocessing_context"] = start_method
        else:  # torch 1.0 and 1.1
            multiprocessing.set_start_method(start_method, force=True)
        return per_epoch(DataLoader(dataset, collate_fn=as_list, **made), before_epoch)

    return load


def positional(method):
    beyond = []
    if "multiprocessing_context" in LOADER_PARAMETERS:
        beyond.append(multiprocessing.get_context(method))
    if "generator" in LOADER_PARAMETERS:
        beyond.append(None)
    return per_epoch(DataLoader(Map(), 2, False, None, None, 2, as_list, False, False, 0, no_init, *beyond))


BATCHES = BatchSampler(SequentialSampler(range(ITEMS)), 3, False)
SCENARIOS = {f"map, {n} worker{'s' * (n > 1)}": loading(Map(), batch_size=2, num_workers=n) for n in (1, 2, 5)}
SCENARIOS["batch_sampler"] = loading(Map(), num_workers=2, batch_sampler=BATCHES)
# Seeded before each epoch: how the order is shuffled changed in torch 1.9, and with it the next base seed.
SCENARIOS["shuffle"] = loading(Map(), torch.manual_seed, num_workers=2, shuffle=True)
SCENARIOS["positional arguments"] = positional
if IterableDataset is not Dataset:
    for n in (1, 2, 5):
        SCENARIOS[f"iterable, {n} worker{'s' * (n > 1)}"] = loading(Iterable(), batch_size=2, num_workers=n)
    SCENARIOS["batch_size=None"] = loading(Map(), num_workers=2, batch_size=None)
if "generator" in LOADER_PARAMETERS:
    SCENARIOS["generator"] = loading(Map(), num_workers=2, generator=lambda: torch.Generator().manual_seed(7))
if "persistent_workers" in LOADER_PARAMETERS:
    SCENARIOS["persistent_workers"] = loading(Map(), num_workers=2, persistent_workers=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start_method")
    parser.add_argument("--workerseed", action="store_true")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    options = parser.parse_args()
    EPOCHS = options.epochs
    if options.workerseed:
        import workerseed  # noqa: F401
    if options.start_method == "forkserver":
        multiprocessing.set_forkserver_preload(["torch"])  # or each worker imports it anew
    json.dump({name: SCENARIOS[name](options.start_method) for name in options.scenarios}, sys.stdout)
