"""What documentation names as limits: whose seed counts, and which workers are reached."""

import pytest
from support import NATIVE, TORCH, USE, needs_numpy, only_legacy

pytestmark = needs_numpy

SEEDED = """
{activation}
import random
import numpy as np
random.seed(0)
np.random.seed(0)
from torch.utils.data import DataLoader, Dataset
class RandomDataset(Dataset):
    def __getitem__(self, index):
        return np.random.randint(0, 1000, 3)

    def __len__(self):
        return 8

print([batch.tolist() for batch in DataLoader(RandomDataset(), batch_size=2, num_workers=2)])
"""


@only_legacy
def test_a_program_that_seeds_numpy_alone_draws_the_same_in_every_run_without_workerseed(prints):
    assert prints(SEEDED.format(activation="")) == prints(SEEDED.format(activation=""))


def test_a_program_that_seeds_numpy_alone_draws_otherwise_in_every_run_as_on_torch_1_9(prints):
    activation = "" if NATIVE else "import workerseed"
    assert prints(SEEDED.format(activation=activation)) != prints(SEEDED.format(activation=activation))


@only_legacy
@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
@pytest.mark.parametrize("persistent, repeat", [(True, "workers repeat"), (False, "workers differ")])
def test_workers_that_run_already_stay_as_they_are(prints, persistent, repeat):
    code = f"""
def second_epoch_of(loader):
    list(loader)
    import workerseed
    first, second = [batch.tolist() for batch in loader][:2]
    print("workers repeat" if first == second else "workers differ", workerseed.status().state)

second_epoch_of(DataLoader(RandomDataset(), batch_size=2, num_workers=2, persistent_workers={persistent}))
"""
    assert prints(USE + code) == f"{repeat} active\n"
