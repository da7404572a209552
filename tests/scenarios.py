"""What the parity tests run: loaders of every kind, and what their workers draw.

As a program, it records in parity.json what torch 1.9.1 itself draws: ``tox run -e record-parity``.
"""

import json
import multiprocessing
import os
import random
import sys

import torch
from support import HAS_CONTEXT, LOADER_PARAMETERS, TESTS, Items, as_list, init, np, start_method
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

RECORD = os.path.join(TESTS, "parity.json")
EPOCHS = 3
ITEMS = 12


def draw(index=None):
    """Draw from each global generator; the first number is the seed that torch gave the worker."""
    drawn = [torch.initial_seed(), random.random(), random.getrandbits(31), torch.rand(1).item()]
    drawn.append(torch.randint(0, 1000, (1,)).item())
    if np is not None:
        drawn += [int(np.random.randint(0, 1000)), np.random.random_sample(), np.random.standard_normal()]
    return drawn


MAP = Items(draw, ITEMS)


class Iterable(getattr(torch.utils.data, "IterableDataset", object)):
    def __iter__(self):
        return (draw() for _ in range(ITEMS // 4))


def positional(multiprocessing_context=None):
    beyond = [multiprocessing.get_context(multiprocessing_context)] if HAS_CONTEXT else []
    beyond += [None] if "generator" in LOADER_PARAMETERS else []
    return DataLoader(MAP, 2, False, None, None, 2, as_list, False, False, 0, init, *beyond)


def making(dataset, **options):
    """A function that makes a loader; it takes the options of a start method."""
    return lambda **more: DataLoader(dataset, collate_fn=as_list, **options, **more)


def with_generator(**more):
    return making(MAP, num_workers=2, generator=torch.Generator().manual_seed(7))(**more)


BATCHES = BatchSampler(SequentialSampler(range(ITEMS)), 3, False)
SCENARIOS = {f"map, {n} worker{'s' * (n > 1)}": making(MAP, batch_size=2, num_workers=n) for n in (1, 2, 5)}
SCENARIOS["batch_sampler"] = making(MAP, num_workers=2, batch_sampler=BATCHES)
SCENARIOS["shuffle"] = making(MAP, num_workers=2, shuffle=True)
SCENARIOS["positional arguments"] = positional
if hasattr(torch.utils.data, "IterableDataset"):  # torch 1.2
    for n in (1, 2, 5):
        SCENARIOS[f"iterable, {n} worker{'s' * (n > 1)}"] = making(Iterable(), batch_size=2, num_workers=n)
    SCENARIOS["batch_size=None"] = making(MAP, num_workers=2, batch_size=None)
if "generator" in LOADER_PARAMETERS:
    SCENARIOS["generator"] = with_generator
if "persistent_workers" in LOADER_PARAMETERS:
    SCENARIOS["persistent_workers"] = making(MAP, num_workers=2, persistent_workers=True)


def epochs_of(name, method="fork", count=EPOCHS):
    """What each item of each epoch draws."""
    with start_method(method) as options:
        loader, epochs = SCENARIOS[name](**options), []
        torch.manual_seed(0)
        for epoch in range(count):
            if name == "shuffle":  # torch 1.9 changed how an order is shuffled, and with it the next base seed
                torch.manual_seed(epoch)
            epochs.append(list(loader))
        return epochs


if __name__ == "__main__":
    if not torch.__version__.startswith("1.9.1") or "workerseed" in sys.modules:
        sys.exit(f"the draws are those of torch 1.9.1 alone; this is torch {torch.__version__}")
    lines = [json.dumps(name) + ": " + json.dumps(epochs_of(name)) for name in SCENARIOS]
    with open(RECORD, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
