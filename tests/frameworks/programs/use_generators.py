"""Augments with packages that draw from generators of their own, in the workers of a plain torch loader."""

import sys

import numpy as np
from items import seed_parent, write
from torch.utils.data import DataLoader, Dataset

import workerseed

package, options, method = sys.argv[2:]


class Augmented(Dataset):
    """Each item is a pixel of an augmented image, times 2**26."""

    def __init__(self, augment):
        self.augment = augment

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return int(self.augment(np.full((4, 4, 3), 0.5, np.float32))[0, 0, 0] * 2**26)


class OfImgaug:
    def __init__(self):
        import imgaug.augmenters

        imgaug.seed(0)
        self.augment = imgaug.augmenters.Multiply((0.5, 2.0))

    def __call__(self, image):
        return self.augment(image=image)


class OfAlbumentations:
    def __init__(self):
        import albumentations

        self.augment = albumentations.Compose([albumentations.MultiplicativeNoise((0.5, 0.9), p=1)])

    def __call__(self, image):
        return self.augment(image=image)["image"]


class OfMonai:
    def __init__(self):
        from monai.transforms import Compose, RandGaussianNoise

        self.augment = Compose([RandGaussianNoise(1.0)]).set_random_state(seed=5)

    def __call__(self, image):
        return self.augment(image)


if __name__ == "__main__":
    workerseed.install([options] if options else [])
    augment = {"imgaug": OfImgaug, "albumentations": OfAlbumentations, "monai": OfMonai}[package]()
    seed_parent()
    loader = DataLoader(Augmented(augment), num_workers=2, multiprocessing_context=method)
    write([[int(batch) for batch in loader] for _ in range(2)])
