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


def seconds_in_worker(seed):
    """Return how long it takes in a process just forked, which copies each page of memory that it writes to."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        torch.manual_seed(BASE_SEED + WORKER_ID)  # as every torch does
        os.write(writing, str(seconds(seed, 1)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    took = float(os.read(reading, 100))
    os.close(reading)
    os.close(writing)
    return took


if __name__ == "__main__":
    torch.manual_seed(BASE_SEED + WORKER_ID)

    took = ratio_of(lambda: seconds_in_worker(seed_as_torch), lambda: seconds_in_worker(seed_as_workerseed), 1000)
    print("once in a worker, torch 1.9.1 = 1: ", took)
    took = ratio_of(lambda: seconds_in_worker(seed_as_torch), lambda: seconds_in_worker(seed_as_torch), 1000)
    print("once in a worker, torch's own twice:", took)
    print("again and again, torch 1.9.1 = 1:  ", ratio(seed_as_torch, seed_as_workerseed, 1000, 10))
