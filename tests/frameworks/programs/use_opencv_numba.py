"""Draws from OpenCV's generator and from numba's in the workers of a plain loader."""

import sys

import cv2
import items
import numba
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401

np.random.seed = items.np_random_seed  # numba compiles no other


@numba.njit(cache=True)  # each process would compile it, for seconds
def draw_by_numba():
    return np.random.randint(0, 2**31 - 1)


@numba.njit(cache=True)
def seed_numba(seed):
    np.random.seed(seed)


def seed_opencv_and_numba(worker_id):
    seed = torch.initial_seed() % 2**31
    cv2.setRNGSeed(seed)
    seed_numba(seed)


class Noise(Dataset):
    """Each item is what OpenCV draws and what numba draws."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        noise = np.zeros((1, 1), np.int32)
        cv2.randu(noise, 0, 2**31 - 1)
        return int(noise[0, 0]), int(draw_by_numba())


def iterated(**options):
    items.seed_parent()
    cv2.setRNGSeed(0)
    seed_numba(0)
    loader = DataLoader(Noise(), num_workers=2, **options)
    drawn = [[int(number) for number in batch] for _ in range(3) for batch in loader]
    return dict(zip(("OpenCV", "numba"), zip(*drawn)))


seeded = iterated(worker_init_fn=seed_opencv_and_numba)
items.write({"as it is": iterated(), "again": iterated(), "with a function": seeded})
