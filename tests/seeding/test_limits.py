"""What documentation names as limits: whose seed counts, and which workers are reached."""

import random

import pytest
import torch.utils.data
from support import NATIVE, TORCH, Draws, draws, needs_numpy, np, only_legacy
from torch.utils.data import DataLoader

pytestmark = needs_numpy


def draws_of_a_program_that_seeds_numpy_alone():
    np.random.seed(0)
    torch.manual_seed(random.SystemRandom().getrandbits(32))  # as every new process does
    return [int(batch) for batch in DataLoader(Draws(), num_workers=2)]


def test_a_program_that_seeds_numpy_alone_draws_otherwise_in_every_run_as_on_torch_1_9(request):
    assert NATIVE or draws_of_a_program_that_seeds_numpy_alone() == draws_of_a_program_that_seeds_numpy_alone()
    request.getfixturevalue("shim")
    assert draws_of_a_program_that_seeds_numpy_alone() != draws_of_a_program_that_seeds_numpy_alone()


@only_legacy
@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
@pytest.mark.parametrize("persistent, repeat", [(True, True), (False, False)])
def test_workers_that_run_already_stay_as_they_are(request, persistent, repeat):
    loader = DataLoader(Draws(), num_workers=2, persistent_workers=persistent)
    draws(loader)
    request.getfixturevalue("shim")
    first, second = draws(loader)[:2]
    assert (first == second) == repeat


class Shares(getattr(torch.utils.data, "IterableDataset", object)):
    """Each worker shuffles the numbers, and takes its share of them."""

    def __init__(self, generator):
        self.generator = generator

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        return iter(self.generator(info).permutation(16)[info.id :: info.num_workers].tolist())


def loaded(generator):
    """How many of 16 items are loaded in each of two epochs."""
    torch.manual_seed(0)
    loader = DataLoader(Shares(generator), batch_size=None, num_workers=2)
    return [len(set(map(int, loader))) for _ in range(2)]


@pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought IterableDataset")
def test_workers_that_share_an_order_of_np_random_lose_items_as_on_torch_1_9_unless_it_is_of_the_base_seed(request):
    assert NATIVE or loaded(lambda info: np.random) == [16, 16]
    request.getfixturevalue("shim")
    assert loaded(lambda info: np.random) == [13, 13]
    assert loaded(lambda info: np.random.RandomState((info.seed - info.id) % 2**32)) == [16, 16]
