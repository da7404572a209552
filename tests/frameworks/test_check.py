"""``workerseed check`` names the generators that real packages hold, by their paths."""

import json

import pytest
from support import run_python

IMGAUG = """
import imgaug.augmenters as iaa
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = iaa.Sequential([iaa.Fliplr(0.5), iaa.AdditiveGaussianNoise(scale=3)])

    def __getitem__(self, index):
        return self.augment(image=np.zeros((4, 4, 3), np.uint8))
"""
ALBUMENTATIONS = """
import albumentations
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = albumentations.Compose([albumentations.HorizontalFlip(p=0.5), albumentations.GaussNoise(p=1)])

    def __getitem__(self, index):
        return self.augment(image=np.zeros((4, 4, 3), np.uint8))["image"]
"""
MONAI = """
from monai.transforms import Compose, RandFlip, RandGaussianNoise
import numpy as np

class Images(Dataset):
    def __init__(self):
        self.augment = Compose([RandFlip(0.5), RandGaussianNoise(1.0)])

    def __getitem__(self, index):
        return self.augment(np.zeros((1, 4, 4), np.float32))
"""
TORCH = """
class Images(Dataset):
    def __getitem__(self, index):  # as the transforms of torchvision draw
        return torch.zeros(4, 4).flip(0) if torch.rand(1) < 0.5 else torch.randn(4, 4)
"""
LOADER = """
import torch
from torch.utils.data import DataLoader, Dataset
{}
    def __len__(self):
        return 8

loader = DataLoader(Images(), num_workers=2)
"""


@pytest.fixture
def duplicated(tmp_path):
    """Finds the sources that stay duplicated with workerseed."""

    def of(images, **variables):
        (tmp_path / "train.py").write_text(LOADER.format(images))
        done = run_python("-m", "workerseed", "check", "--json", "train:loader", cwd=str(tmp_path), **variables)
        results = json.loads(done.stdout)
        used = {name: source["workerseed"] for name, source in results["sources"].items() if source["used"]}
        return {name for name, comparison in used.items() if "same" in comparison.values()}

    return of


def test_generators_of_imgaug_are_named(duplicated):
    pytest.importorskip("imgaug")
    assert duplicated(IMGAUG) == {"dataset.augment.random_state.generator"}  # the one that all of them share


def test_generators_of_albumentations_2_are_named(duplicated):
    albumentations = pytest.importorskip("albumentations")
    if albumentations.__version__ < "2":
        pytest.skip("albumentations 2 brought generators of its own")
    holders = ("dataset.augment", "dataset.augment.transforms[0]", "dataset.augment.transforms[1]")
    generators = ("random_generator", "py_random")
    found = duplicated(ALBUMENTATIONS)  # those that are drawn from
    assert found
    assert found <= {f"{holder}.{generator}" for holder in holders for generator in generators}


def test_generators_of_monai_are_named(duplicated):
    pytest.importorskip("monai")
    assert {"dataset.augment.transforms[0].R", "dataset.augment.transforms[1].R"} <= duplicated(MONAI)


@pytest.mark.parametrize("package, images", [("imgaug", IMGAUG), ("albumentations", ALBUMENTATIONS), ("monai", MONAI)])
def test_with_the_extra_no_generator_stays_duplicated(duplicated, package, images):
    pytest.importorskip(package)
    assert duplicated(images, WORKERSEED="generators") == set()


def test_code_in_the_manner_of_torchvision_is_fine(duplicated):
    assert duplicated(TORCH) == set()
