"""Augments in the workers of a plain loader: FILE VARIANT MODULE [METHOD].

Each function below is for a module, and returns by case what three epochs drew. With a start method, the packages that
draw from generators of their own augment.
"""

import functools
import importlib
import sys

import items
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

LARGE = 2**31 - 1
IMAGE = np.full((4, 4, 3), 0.5, np.float32)


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


def cases(draw, seed):
    """As it is, twice, and where the user's ``worker_init_fn`` seeds the library by torch's seed."""
    found = {name: epochs(draw, seed) for name in ("as it is", "again")}
    found["with a function"] = epochs(draw, seed, worker_init_fn=lambda _: seed(torch.initial_seed() % 2**31))
    return found


class Pixel:
    """Draws a pixel of an augmented image, times 2**20; a library may want the image as an argument of that name."""

    def __init__(self, augment, name=None):
        self.augment, self.name = augment, name

    def __call__(self):
        augmented = self.augment(image=IMAGE) if self.name else self.augment(IMAGE)
        return (augmented["image"] if self.name == "albumentations" else augmented)[0, 0, 0] * 2**20


def albumentations():
    from albumentations import GaussNoise, MultiplicativeNoise

    noises = MultiplicativeNoise((0.5, 2.0), p=1), GaussNoise((0.01, 0.02), p=1)
    return {type(noise).__name__: epochs(Pixel(noise, "albumentations")) for noise in noises}


def imgaug():
    import imgaug.augmenters

    return cases(Pixel(imgaug.augmenters.Multiply((0.5, 2.0)), "imgaug"), imgaug.seed)


def cv2():
    import cv2

    def draw():
        noise = np.zeros((1, 1), np.int32)
        cv2.randu(noise, 0, LARGE)
        return noise[0, 0]

    return cases(draw, cv2.setRNGSeed)


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
    return cases(draw, seed)


def pixel_of_generators(name):
    """Of an augmentation that draws from generators of its own."""
    package = importlib.import_module({"imgaug": "imgaug.augmenters", "monai": "monai.transforms"}.get(name, name))
    if name == "imgaug":
        importlib.import_module("imgaug").seed(0)
        return Pixel(package.Multiply((0.5, 2.0)), name)
    if name == "monai":
        return Pixel(package.Compose([package.RandGaussianNoise(1.0)]).set_random_state(seed=5))
    return Pixel(package.Compose([package.MultiplicativeNoise((0.5, 0.9), p=1)]), name)


def holding(name):
    """A loader for ``workerseed check``."""
    return DataLoader(Drawn(pixel_of_generators(name)), num_workers=2)


imgaug_holds = functools.partial(holding, "imgaug")
albumentations_holds = functools.partial(holding, "albumentations")
monai_holds = functools.partial(holding, "monai")

if __name__ == "__main__":
    module, methods = items.activated(), sys.argv[4:]
    of_method = [epochs(pixel_of_generators(module), multiprocessing_context=method) for method in methods]
    items.write(of_method or globals()[module]())
