"""Augments with imgaug in the workers of a plain loader."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import imgaug.augmenters

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import imgaug
import numpy as np
import torch
from items import seed_parent, write
from torch.utils.data import DataLoader, Dataset


class Augmented(Dataset):
    """Each item is a pixel of an augmented image, times 2**20."""

    def __init__(self):
        self.augment = imgaug.augmenters.Multiply((0.5, 2.0))

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return int(self.augment(image=np.full((4, 4, 3), 0.5, np.float32))[0, 0, 0] * 2**20)


def seed_imgaug(worker_id):
    imgaug.seed(torch.initial_seed() % 2**32)


def iterated(**options):
    seed_parent()
    imgaug.seed(0)
    loader = DataLoader(Augmented(), num_workers=2, **options)
    return [int(batch) for _ in range(3) for batch in loader]


write({"as it is": iterated(), "with a function": iterated(worker_init_fn=seed_imgaug)})
