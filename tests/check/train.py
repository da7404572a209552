"""A training script as people write them: prints what it draws; it may hang, or wait at its end."""

import random
import sys
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    def __init__(self, seconds=0):
        self.seconds = seconds

    def __len__(self):
        return 12

    def __getitem__(self, index):
        time.sleep(self.seconds)
        return np.random.rand() + random.random() + torch.rand(()).item()


class Plain(Noisy):
    def __getitem__(self, index):
        return float(index)


def main(mode):
    torch.manual_seed(1)
    np.random.seed(2)
    random.seed(3)
    val = DataLoader(Plain(), 4, num_workers=2)
    for _ in range(2):
        train = hanging() if mode == "hangs" else DataLoader(Noisy(), 3, shuffle=True, num_workers=2)
        print([batch.tolist() for batch in train], [batch.tolist() for batch in val])
    print(np.random.rand(), random.random(), torch.rand(()).item(), flush=True)
    if mode == "waits":
        time.sleep(600)


def hanging():
    print("this hangs", flush=True)
    return DataLoader(Noisy(600), num_workers=1, worker_init_fn=lambda worker: print("its worker waits", flush=True))


if __name__ == "__main__":
    main(sys.argv[1])
