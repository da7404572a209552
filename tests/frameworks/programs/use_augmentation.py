"""Augments in the workers of a plain loader.

Each function below is for a module, and returns by case what three epochs drew.
"""

import activated  # first
import items
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

LARGE = 2**31 - 1


class Drawn(Dataset):
    """Each item is what a function draws."""

    def __init__(self, draw):
        self.draw = draw

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return int(self.draw())


def epochs(draw, seed=None, **options):
    items.seed_parent()
    if seed is not None:
        seed(0)
    loader = DataLoader(Drawn(draw), num_workers=2, **options)
    return [int(batch) for _ in range(3) for batch in loader]


def as_it_is_and_seeded(draw, seed):
    """Also where the user's ``worker_init_fn`` seeds the library by torch's seed."""
    cases = {"as it is": epochs(draw, seed), "again": epochs(draw, seed)}
    return {**cases, "with a function": epochs(draw, seed, worker_init_fn=lambda _: seed(torch.initial_seed() % 2**31))}


def pixel_of(augment):
    """Draws a pixel of an augmented image, times 2**20."""
    return lambda: augment(image=np.full((4, 4, 3), 0.5, np.float32))[0, 0, 0] * 2**20


def albumentations():
    from albumentations import GaussNoise, MultiplicativeNoise

    def noise_of(transform):
        return epochs(pixel_of(lambda image: transform(image=image)["image"]))

    return {
        "MultiplicativeNoise": noise_of(MultiplicativeNoise((0.5, 2.0), p=1)),
        "GaussNoise": noise_of(GaussNoise((0.01, 0.02), p=1)),
    }


def imgaug():
    import imgaug.augmenters

    return as_it_is_and_seeded(pixel_of(imgaug.augmenters.Multiply((0.5, 2.0))), imgaug.seed)


def cv2():
    import cv2

    def draw():
        noise = np.zeros((1, 1), np.int32)
        cv2.randu(noise, 0, LARGE)
        return noise[0, 0]

    return as_it_is_and_seeded(draw, cv2.setRNGSeed)


def numba():
    from numba import njit

    np.random.seed = items.np_random_seed  # numba compiles no other

    @njit
    def draw():
        return np.random.randint(0, LARGE)

    @njit
    def seed(number):
        np.random.seed(number)

    draw(), seed(0)  # compiled here once, and not in each worker
    return as_it_is_and_seeded(draw, seed)


items.write(globals()[activated.module]())
