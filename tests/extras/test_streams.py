"""Workers draw what docs/streams/ways.py computes without torch: docs/streams.md rests on that."""

import os
import runpy

import pytest
import torch
from support import ROOT, Draws, as_list, needs_numpy, np, only_legacy
from torch.utils.data import DataLoader

pytestmark = needs_numpy

WAYS = os.path.join(ROOT, "docs", "streams", "ways.py")
SEED = 7


class SeedAndWords(Draws):
    """Each item is torch's seed in the worker that loads it, and the next four words that ``np.random`` draws there."""

    def __getitem__(self, index):
        return torch.initial_seed(), np.random.randint(0, 2**32, 4, np.uint32).tolist()


def seed_plus_worker_id(worker_id):
    np.random.seed(SEED + worker_id)


def initial_seed(worker_id):
    np.random.seed(torch.initial_seed() % 2**32)


def assert_workers_draw(way, worker_init_fn):
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    loader = DataLoader(SeedAndWords(2), num_workers=2, worker_init_fn=worker_init_fn, collate_fn=as_list)
    epochs = [[item for batch in loader for item in batch] for _ in range(2)]
    base_seeds = [items[0][0] for items in epochs]  # worker 0 adds nothing
    computed = runpy.run_path(WAYS)["streams"](way, SEED, 2, base_seeds, 4)
    assert [[words for _, words in items] for items in epochs] == computed.tolist()


@only_legacy
def test_workers_of_torch_alone_draw_what_is_computed():
    assert_workers_draw("torch 1.0 to 1.8.1 alone", None)


@pytest.mark.parametrize(
    "way, worker_init_fn", [("seed + worker_id", seed_plus_worker_id), ("torch.initial_seed() % 2**32", initial_seed)]
)
def test_workers_with_a_workaround_draw_what_is_computed(way, worker_init_fn):
    assert_workers_draw(way, worker_init_fn)


def test_workers_with_workerseed_draw_what_is_computed(shim):
    assert_workers_draw("workerseed", None)
