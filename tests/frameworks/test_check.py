"""``workerseed check`` names the generators that real packages hold, by their paths."""

import pytest
from support import forks_of
from variants import WITH_GENERATORS

IMAGES = {}
IMAGES["imgaug"] = """
import imgaug.augmenters as iaa
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = iaa.Sequential([iaa.Fliplr(0.5), iaa.AdditiveGaussianNoise(scale=3)])

    def __getitem__(self, index):
        return self.augment(image=np.zeros((4, 4, 3), np.uint8))
"""
IMAGES["albumentations"] = """
import albumentations
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = albumentations.Compose([albumentations.HorizontalFlip(p=0.5), albumentations.GaussNoise(p=1)])

    def __getitem__(self, index):
        return self.augment(image=np.zeros((4, 4, 3), np.uint8))["image"]
"""
IMAGES["monai"] = """
from monai.transforms import Compose, RandFlip, RandGaussianNoise
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = Compose([RandFlip(0.5), RandGaussianNoise(1.0)])

    def __getitem__(self, index):
        return self.augment(np.zeros((1, 4, 4), np.float32))
"""
LOADER = """
import torch
from torch.utils.data import DataLoader, Dataset
{}
    def __len__(self):
        return 8

loader = DataLoader(Images(), num_workers=2)
"""


forks = forks_of(".", *WITH_GENERATORS)


@pytest.fixture
def duplicated(judged, tmp_path_factory):
    """Finds the sources that stay duplicated with workerseed."""

    def of(package, options=""):
        program = tmp_path_factory.getbasetemp() / f"train_{package}.py"  # the same for each test of the package
        program.write_text(LOADER.format(IMAGES[package]))
        sources = judged(f"{program}:loader", options)["sources"]
        used = {name: source["workerseed"] for name, source in sources.items() if source["workerseed"]}
        return {name for name, comparison in used.items() if "same" in comparison.values()}

    return of


def needs(package):
    return pytest.mark.skipif(package not in WITH_GENERATORS, reason=f"{package} is not here, or has no generators")


@needs("imgaug")
def test_generators_of_imgaug_are_named(duplicated):
    assert duplicated("imgaug") == {"dataset.augment.random_state.generator"}  # the one that all of them share


@needs("albumentations")
def test_generators_of_albumentations_2_are_named(duplicated):
    holders = ("dataset.augment", "dataset.augment.transforms[0]", "dataset.augment.transforms[1]")
    generators = ("random_generator", "py_random")
    found = duplicated("albumentations")  # those that are drawn from
    assert found
    assert found <= {f"{holder}.{generator}" for holder in holders for generator in generators}


@needs("monai")
def test_generators_of_monai_are_named(duplicated):
    assert {"dataset.augment.transforms[0].R", "dataset.augment.transforms[1].R"} <= duplicated("monai")


@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_with_the_option_no_generator_stays_duplicated(duplicated, package):
    assert duplicated(package, "generators") == set()
