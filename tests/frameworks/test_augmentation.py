"""Augmentation libraries in the workers, with generators of their own or not: what workerseed helps, and what not."""

import re

import pytest
from support import forks_of
from variants import ACTIVATIONS, BY_VARIABLE, PROGRAMS, STOCK, WITH_GENERATORS, installed, result, version_of

# A module, a case of programs/use_augmentation.py, and how many of 24 draws differ on stock and with workerseed.
TABLE = [
    ("albumentations", "MultiplicativeNoise", 4, 24),  # from np.random
    ("albumentations", "GaussNoise", 24, 24),  # from random
    ("imgaug", "as it is", 4, 4),
    ("imgaug", "with a function", 24, 24),
    ("cv2", "as it is", 4, 4),
    ("cv2", "with a function", 24, 24),
    ("numba", "as it is", 24, 24),  # numba seeds each process by the operating system
    ("numba", "with a function", 24, 24),
]
HERE = [row for row in TABLE if installed(row[0])]
STORING = [name for name in ("imgaug", "albumentations", "monai") if installed(name)]  # generators of their own
if "" < version_of("albumentations") < "2":
    STORING.remove("albumentations")
else:
    HERE = [row for row in HERE if row[0] != "albumentations"]


def drawn(variant, library, case):
    return result("use_augmentation.py", variant, library)[case]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("library, case, on_stock, with_workerseed", HERE)
def test_so_many_draws_differ_on_stock_and_with_workerseed(library, case, on_stock, with_workerseed, activation):
    stock, ours = (drawn(variant, library, case) for variant in (STOCK, activation))
    assert (len(set(stock)), len(set(ours))) == (on_stock, with_workerseed)
    if case != "MultiplicativeNoise" and (library, case) != ("numba", "as it is"):  # the first is what we seed
        assert ours == stock


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.skipif(not installed("numba"), reason="there is no numba here")
def test_numba_draws_otherwise_in_every_run_whatever_the_seed(variant):
    assert not set(drawn(variant, "numba", "as it is")) & set(drawn(variant, "numba", "again"))


@pytest.mark.parametrize("package", STORING)
def test_without_the_option_workers_and_epochs_repeat_draws(package):
    (drawn,) = result("use_augmentation.py", BY_VARIABLE, package, "fork")
    assert drawn == [draw for draw in drawn[:8:2] for _ in range(2)] * 3


@pytest.mark.parametrize("package", STORING)
def test_with_the_option_no_draw_repeats(package):
    forked, spawned = result("use_augmentation.py", WITH_GENERATORS, package, "fork", "spawn")
    assert (len(set(forked)), len(set(spawned))) == (24, 24)


forks = forks_of(PROGRAMS, *STORING)
PATHS = r"dataset\.draw\.augment(\.transforms\[0\])?\.(random_state\.generator|random_generator|py_random|R)"


@pytest.mark.parametrize("package", STORING)
def test_the_check_names_the_generators_and_with_the_option_none_stays_duplicated(judged, package):
    def duplicated(options):
        sources = judged(f"use_augmentation:{package}_holds", options)["sources"]
        return [name for name in sources if "repeat" in (sources[name]["workerseed"] or {}).values()]

    found = duplicated("")
    assert found and all(re.fullmatch(PATHS, name) for name in found)
    assert duplicated("generators") == []
