"""Augments with Albumentations in the workers of a plain loader."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import albumentations

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import numpy as np
from items import seed_parent, write
from torch.utils.data import DataLoader, Dataset


class Augmented(Dataset):
    """Each item is a pixel of an augmented image, times 2**20."""

    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 8

    def __getitem__(self, index):
        image = np.full((4, 4, 3), 0.5, np.float32)
        return int(self.transform(image=image)["image"][0, 0, 0] * 2**20)


def iterated(transform):
    seed_parent()
    loader = DataLoader(Augmented(transform), num_workers=2)
    return [int(batch) for _ in range(3) for batch in loader]


write(
    {
        "MultiplicativeNoise": iterated(albumentations.MultiplicativeNoise((0.5, 2.0), p=1)),
        "GaussNoise": iterated(albumentations.GaussNoise((0.01, 0.02), p=1)),
    }
)
