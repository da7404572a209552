"""Published workarounds: none gets worse, and the one that reads get_state() works; docs/workarounds.md quotes this.

A stream is what one worker draws in one epoch. There are 24: four workers, three epochs, two seeds.
"""

import functools
import random

import pytest
import torch
import torch.utils.data
from support import NATIVE, TORCH, Items, as_list, needs_numpy, np, only_legacy, only_native
from torch.utils.data import DataLoader

import workerseed

pytestmark = needs_numpy

WORKERS = 4
EPOCHS = 3
SEEDS = (7, 1007)
ALL = WORKERS * EPOCHS * len(SEEDS)
WITH_US = "with workerseed"


def seed_by(seed_of_worker):
    return lambda epoch: lambda worker_id: np.random.seed(seed_of_worker(worker_id))


def detectron2(epoch):
    def seed_all(worker_id):
        seed = np.random.randint(2**31) + worker_id
        np.random.seed(seed)
        torch.manual_seed(int(seed))
        random.seed(int(seed))

    return seed_all


class WorkerInit:
    """As published in the thread of pytorch#5059: the step of the training is the seed."""

    def worker_init_fn(self, worker_id):
        np.random.seed(self.global_step + worker_id)


def global_step(epoch):
    initialiser = WorkerInit()
    initialiser.global_step = 1000 * epoch
    return initialiser.worker_init_fn


# By name: what makes the function of an epoch, and how many of the 24 streams are distinct: on torch 1.0 to 1.8.1
# alone, on 1.9 and later alone, on the former with us.
WORKAROUNDS = {
    "nothing": (lambda epoch: None, (2, ALL, ALL)),
    "initial_seed": (seed_by(lambda worker_id: torch.initial_seed() % 2**32), (ALL, ALL, ALL)),
    "worker_info": (seed_by(lambda worker_id: torch.utils.data.get_worker_info().seed % 2**32), (ALL, ALL, ALL)),
    "default_rng": (seed_by(lambda worker_id: np.random.default_rng().integers(2**32)), (ALL, ALL, ALL)),
    "get_state": (seed_by(lambda worker_id: np.random.get_state()[1][0] + worker_id), (2 * WORKERS, WORKERS, ALL)),
    "detectron2": (detectron2, (2 * WORKERS, ALL, ALL)),
    "global_step": (global_step, (WORKERS * EPOCHS,) * 3),
    "new_lambda": (lambda epoch: lambda worker_id: np.random.seed(100 * epoch + worker_id), (WORKERS * EPOCHS,) * 3),
    "worker_id_alone": (seed_by(lambda worker_id: worker_id), (WORKERS,) * 3),
}
ITS_OWN_SEED = {"initial_seed", "worker_info", "global_step", "new_lambda", "worker_id_alone"}
if TORCH < (1, 2):
    del WORKAROUNDS["worker_info"]  # came with torch 1.2
# NumPy 1.17 brought it; numpy#16066: it is always 0, from NumPy 1.17.3 to 1.18.3
if not hasattr(getattr(np, "random", None), "default_rng") or np.random.default_rng(0).integers(2**32) == 0:
    del WORKAROUNDS["default_rng"]

each_workaround = pytest.mark.parametrize("workaround", WORKAROUNDS)


@functools.lru_cache(maxsize=None)
def streams(workaround, *installed):
    """The streams of a workaround, alone or WITH_US; the former before the latter in a test."""
    if installed:
        workerseed.install()
    found = []
    dataset = Items(lambda index: np.random.randint(0, 2**31 - 1, 4).tolist(), WORKERS)  # an item for each worker
    for seed in SEEDS:
        torch.manual_seed(seed)
        np.random.seed(seed)
        loader = DataLoader(dataset, num_workers=WORKERS, collate_fn=as_list)
        for epoch in range(EPOCHS):
            loader.worker_init_fn = WORKAROUNDS[workaround][0](epoch)
            found += [tuple(item) for batch in loader for item in batch]
    assert len(found) == ALL
    return found


@each_workaround
def test_what_a_workaround_does_alone(workaround):
    assert len(set(streams(workaround))) == WORKAROUNDS[workaround][1][1 if NATIVE else 0]


@only_legacy
@each_workaround
def test_no_workaround_gets_worse_with_workerseed(workaround):
    on_stock, _, with_us = WORKAROUNDS[workaround][1]
    assert len(set(streams(workaround, WITH_US))) == with_us >= on_stock


@only_legacy
@each_workaround
def test_only_a_workaround_that_sets_a_seed_of_its_own_draws_what_it_draws_without_workerseed(workaround):
    assert (streams(workaround) == streams(workaround, WITH_US)) == (workaround in ITS_OWN_SEED)


@pytest.mark.skipif("default_rng" not in WORKAROUNDS, reason="this NumPy has no default_rng, or 0 of it")
def test_a_workaround_that_asks_the_operating_system_draws_others_in_every_run():
    assert not set(streams("default_rng")) & set(streams("default_rng", WITH_US))


@only_native
def test_torch_1_9_and_later_leave_the_get_state_workaround_without_any_seed():
    per_worker = [np.random.RandomState(2**31 + worker).randint(0, 2**31 - 1, 4) for worker in range(WORKERS)]
    assert streams("get_state") == [tuple(stream) for stream in per_worker] * EPOCHS * len(SEEDS)
