"""What seeding ``random`` and ``np.random`` costs a worker, in units of what it costs in torch 1.9.1 itself."""

import random

import torch
from paired import ratio
from torch.utils.data._utils.worker import _generate_state

from workerseed import _seeding

WORKER_ID = 3
BASE_SEED = 0x7AB05C3D12345678


def seed_as_torch():
    """Do what ``_worker_loop`` of torch 1.9.1 does for the two."""
    random.seed(BASE_SEED + WORKER_ID)
    np_seed = _generate_state(BASE_SEED, WORKER_ID)
    import numpy as np

    np.random.seed(np_seed)


def seed_as_workerseed():
    _seeding.seed_worker(WORKER_ID)


if __name__ == "__main__":
    torch.manual_seed(BASE_SEED + WORKER_ID)
    print("the seeding of a worker, torch 1.9.1 = 1:", ratio(seed_as_torch, seed_as_workerseed, 1000, 10))
