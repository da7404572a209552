"""What documentation names as limits: whose seed counts, and which workers are reached."""

import pytest
from support import NATIVE, TORCH, USE, needs_numpy, only_legacy

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


SHARES = """
from torch.utils.data import IterableDataset, get_worker_info

class Shares(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        return iter({}.permutation(16)[info.id :: info.num_workers].tolist())

torch.manual_seed(0)
loader = DataLoader(Shares(), batch_size=None, num_workers=2)
print([len(set(map(int, loader))) for epoch in range(2)])
"""
FROM_THE_BASE_SEED = "np.random.RandomState((info.seed - info.id) % 2**32)"


@pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought IterableDataset")
@pytest.mark.parametrize(
    "activation, generator, items",
    [
        pytest.param("", "np.random", "[16, 16]", marks=only_legacy),
        (IMPORT, "np.random", "[13, 13]"),
        (IMPORT, FROM_THE_BASE_SEED, "[16, 16]"),
    ],
    ids=["alone", "as on torch 1.9", "from the base seed"],
)
def test_workers_that_share_an_order_of_np_random_lose_items(prints, activation, generator, items):
    assert prints(activation + USE + SHARES.format(generator)) == items + "\n"
