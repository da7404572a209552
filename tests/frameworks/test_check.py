"""``workerseed check`` names the generators that real packages hold, by their paths."""

import re

import pytest
from support import forks_of
from variants import WITH_GENERATORS

# By package: its module, how it augments an image, and the paths of generators that its transforms may hold.
PACKAGES = {
    "imgaug": (
        "imgaug.augmenters",
        "Sequential([package.Fliplr(0.5), package.AdditiveGaussianNoise(0, 3)])",
        "self.augment(image=np.zeros((4, 4, 3), np.uint8))",
        "dataset.augment.random_state.generator",  # the one that all of them share
    ),
    "albumentations": (
        "albumentations",
        "Compose([package.HorizontalFlip(p=0.5), package.GaussNoise(p=1)])",
        "self.augment(image=np.full((4, 4, 3), 0.5, np.float32))['image']",
        r"dataset.augment(.transforms\[[01]\])?.(random_generator|py_random)",
    ),
    "monai": (
        "monai.transforms",
        "Compose([package.RandFlip(0.5), package.RandGaussianNoise(1.0)])",
        "self.augment(np.full((4, 4, 3), 0.5, np.float32))",
        r"dataset.augment(.transforms\[[01]\])?.R",
    ),
}
PROGRAM = """
import importlib
import numpy as np
from torch.utils.data import DataLoader, Dataset

package = importlib.import_module({!r})

class Images(Dataset):
    def __init__(self):
        self.augment = package.{}

    def __getitem__(self, index):
        return {}

    def __len__(self):
        return 8

loader = DataLoader(Images(), num_workers=2)
"""

forks = forks_of(".", *WITH_GENERATORS)


@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_its_generators_are_named_and_with_the_option_none_stays_duplicated(judged, tmp_path, package):
    def duplicated(options):
        sources = judged(f"{tmp_path}/train_{package}.py:loader", options)["sources"]
        return [name for name in sources if "same" in (sources[name]["workerseed"] or {}).values()]

    *code, paths = PACKAGES[package]
    (tmp_path / f"train_{package}.py").write_text(PROGRAM.format(*code))
    found = duplicated("")
    assert found and all(re.fullmatch(paths, name) for name in found)
    assert duplicated("generators") == []
