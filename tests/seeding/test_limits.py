"""What documentation names as limits: whose seed counts, and which workers are reached."""

import pytest
import torch.utils.data
from support import NATIVE, TORCH, USE, Draws, draws, needs_numpy, np, only_legacy
from torch.utils.data import DataLoader

pytestmark = needs_numpy

IMPORT = "" if NATIVE else "import workerseed"
SEEDED = (
    USE
    + """
np.random.seed(0)
print([batch.tolist() for batch in DataLoader(RandomDataset(), batch_size=2, num_workers=2)])
"""
)


@only_legacy
def test_a_program_that_seeds_numpy_alone_draws_the_same_in_every_run_without_workerseed(prints):
    assert prints(SEEDED) == prints(SEEDED)


def test_a_program_that_seeds_numpy_alone_draws_otherwise_in_every_run_as_on_torch_1_9(prints):
    assert prints(IMPORT + SEEDED) != prints(IMPORT + SEEDED)


@only_legacy
@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
@pytest.mark.parametrize("persistent, repeat", [(True, True), (False, False)])
def test_workers_that_run_already_stay_as_they_are(request, persistent, repeat):
    loader = DataLoader(Draws(), num_workers=2, persistent_workers=persistent)
    draws(loader)
    request.getfixturevalue("shim")
    first, second = draws(loader)[:2]
    assert (first == second) == repeat


if TORCH >= (1, 2):

    class Shares(torch.utils.data.IterableDataset):
        """Each worker shuffles the numbers, and takes its share of them."""

        def __init__(self, generator):
            self.generator = generator

        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            return iter(self.generator(info).permutation(16)[info.id :: info.num_workers].tolist())


def np_random(info):
    return np.random


def from_the_base_seed(info):
    return np.random.RandomState((info.seed - info.id) % 2**32)


def loaded(generator):
    """How many of 16 items are loaded in each of two epochs."""
    torch.manual_seed(0)
    loader = DataLoader(Shares(generator), batch_size=None, num_workers=2)
    return [len(set(map(int, loader))) for _ in range(2)]


has_iterable_datasets = pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought IterableDataset")


@has_iterable_datasets
def test_workers_that_share_an_order_of_np_random_lose_items_as_on_torch_1_9(request):
    assert NATIVE or loaded(np_random) == [16, 16]
    request.getfixturevalue("shim")
    assert loaded(np_random) == [13, 13]


@has_iterable_datasets
def test_workers_that_share_an_order_of_the_base_seed_lose_nothing(shim):
    assert loaded(from_the_base_seed) == [16, 16]
