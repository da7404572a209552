"""The draws in every worker are those of torch 1.9.1, as scenarios.py recorded them."""

import json

import pytest
import torch
from scenarios import EPOCHS, RECORD, SCENARIOS, epochs_of
from support import NATIVE, Items, as_list, needs_numpy, np
from torch.utils.data import DataLoader

import workerseed

BEFORE_NUMPY = 5  # in each list of scenarios.draw(): torch's seed, two draws of random, two of torch

# By other start methods, each worker is slow to start: two epochs of what a worker can tell apart are enough. That the
# base seed comes from a generator, or that workers persist, only the parent knows.
NOT_FORKED = [("forkserver", "map, 2 workers"), ("forkserver", "iterable, 2 workers"), ("spawn", "map, 2 workers")]
CASES = [("fork", name, EPOCHS) for name in SCENARIOS]
if not NATIVE:  # where nothing is wrapped, other start methods are torch's affair alone
    CASES += [(method, name, 2) for method, name in NOT_FORKED if name in SCENARIOS]

with open(RECORD) as file:
    RECORDED = json.load(file)


def without_numpy(drawn):
    """The draws of the other generators; items are in epochs, and in batches if the loader makes some."""
    return [without_numpy(each) for each in drawn] if isinstance(drawn[0], list) else drawn[:BEFORE_NUMPY]


@pytest.mark.parametrize("method, name, epochs", CASES)
def test_draws_are_those_of_torch_1_9_1(shim, method, name, epochs):
    recorded = RECORDED[name][:epochs]
    assert epochs_of(name, method, epochs) == (without_numpy(recorded) if np is None else recorded)


@pytest.mark.parametrize("name", [] if NATIVE else SCENARIOS)
def test_only_numpy_differs_on_stock_torch(name):
    stock = epochs_of(name)
    assert stock != RECORDED[name]
    assert without_numpy(stock) == without_numpy(RECORDED[name])


@needs_numpy
def test_shuffled_epochs_draw_what_torch_1_9_makes_of_their_base_seed(shim):
    dataset = Items(lambda index: (torch.initial_seed(), int(np.random.randint(0, 1000))))
    loader = DataLoader(dataset, num_workers=2, shuffle=True, collate_fn=as_list)
    for _ in range(EPOCHS):
        seeds_and_draws = [item for batch in loader for item in batch]
        base_seed = min(seed for seed, _ in seeds_and_draws)
        for worker_id in range(2):
            stream = np.random.RandomState(workerseed.numpy_seed(base_seed, worker_id))
            of_worker = [draw for seed, draw in seeds_and_draws if seed == base_seed + worker_id]
            assert of_worker == [stream.randint(0, 1000) for _ in of_worker]
