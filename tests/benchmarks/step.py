"""What seeding ``random`` and ``np.random`` costs a worker, in units of what it costs in torch 1.9.1 itself."""

import os
import random

import numpy as np
import torch
from paired import ratio, ratio_of, seconds
from torch.utils.data._utils.worker import _generate_state

from workerseed import _seeding

WORKER_ID = 3
BASE_SEED = 0x7AB05C3D12345678

seeded_init = _seeding.SeededWorkerInit(None)


def seed_as_torch():
    """Do what ``_worker_loop`` of torch 1.9.1 does for the two."""
    random.seed(BASE_SEED + WORKER_ID)
    np.random.seed(_generate_state(BASE_SEED, WORKER_ID))


def seed_as_workerseed():
    seeded_init(WORKER_ID)


def in_worker(seed):
    """Make a function that times it in a process just forked, which copies each page of memory that it writes to."""

    def run():
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            torch.manual_seed(BASE_SEED + WORKER_ID)  # as every torch does
            os.write(writing, str(seconds(seed)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        took = float(os.read(reading, 100))
        os.close(reading)
        os.close(writing)
        return took

    return run


if __name__ == "__main__":
    torch.manual_seed(BASE_SEED + WORKER_ID)
    of_torch, ours = in_worker(seed_as_torch), in_worker(seed_as_workerseed)
    print("once in a worker, torch 1.9.1 = 1:  ", ratio_of(of_torch, ours, 1000))
    print("once in a worker, torch's own twice:", ratio_of(of_torch, of_torch, 1000))
    print("again and again, torch 1.9.1 = 1:   ", ratio(seed_as_torch, seed_as_workerseed, 1000, 10))
