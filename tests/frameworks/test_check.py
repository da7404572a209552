"""``workerseed check`` names the generators that real packages hold, by their paths."""

import pytest
from support import forks_of
from variants import WITH_GENERATORS

IMAGE = "np.full((4, 4, 3), 0.5, np.float32)"
# By package: how it augments, as expressions, and the paths of generators that its transforms may hold.
PACKAGES = {
    "imgaug": (
        "imgaug.augmenters.Sequential([imgaug.augmenters.Fliplr(0.5), imgaug.augmenters.AdditiveGaussianNoise(0, 3)])",
        "self.augment(image=np.zeros((4, 4, 3), np.uint8))",
        {"dataset.augment.random_state.generator"},  # the one that all of them share
    ),
    "albumentations": (
        "albumentations.Compose([albumentations.HorizontalFlip(p=0.5), albumentations.GaussNoise(p=1)])",
        f"self.augment(image={IMAGE})['image']",
        {
            f"dataset.augment{part}.{generator}"
            for part in ("", ".transforms[0]", ".transforms[1]")
            for generator in ("random_generator", "py_random")
        },
    ),
    "monai": (
        "monai.transforms.Compose([monai.transforms.RandFlip(0.5), monai.transforms.RandGaussianNoise(1.0)])",
        f"self.augment({IMAGE})",
        {"dataset.augment.transforms[0].R", "dataset.augment.transforms[1].R", "dataset.augment.R"},
    ),
}
PROGRAM = """
import importlib
import {package}, numpy as np
from torch.utils.data import DataLoader, Dataset

importlib.import_module({package!r} + {{"imgaug": ".augmenters", "monai": ".transforms"}}.get({package!r}, ""))

class Images(Dataset):
    def __init__(self):
        self.augment = {augment}

    def __getitem__(self, index):
        return {item}

    def __len__(self):
        return 8

loader = DataLoader(Images(), num_workers=2)
"""

forks = forks_of(".", *WITH_GENERATORS)


@pytest.fixture
def duplicated(judged, tmp_path_factory):
    """Finds the sources that stay duplicated with workerseed."""

    def of(package, options=""):
        augment, item, _ = PACKAGES[package]
        program = tmp_path_factory.getbasetemp() / f"train_{package}.py"  # the same for each test of the package
        program.write_text(PROGRAM.format(package=package, augment=augment, item=item))
        sources = judged(f"{program}:loader", options)["sources"]
        used = {name: source["workerseed"] for name, source in sources.items() if source["workerseed"]}
        return {name for name, comparison in used.items() if "same" in comparison.values()}

    return of


@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_its_generators_are_named_and_with_the_option_none_stays_duplicated(duplicated, package):
    found = duplicated(package)
    assert found and found <= PACKAGES[package][2]
    assert duplicated(package, "generators") == set()
