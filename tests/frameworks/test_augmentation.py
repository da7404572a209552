"""Augmentation libraries in the workers: workerseed helps those that draw from np.random."""

import pytest
from variants import ACTIVATIONS, STOCK, WITH_GENERATORS, installed, result

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
if "albumentations" in WITH_GENERATORS:  # version 2 draws from generators of its own: test_generators.py
    HERE = [row for row in HERE if row[0] != "albumentations"]
AS_ON_STOCK = [row[:2] for row in HERE if row[1] != "MultiplicativeNoise" and row[:2] != ("numba", "as it is")]


def drawn(variant, library, case):
    return result("use_augmentation.py", variant, library)[case]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("library, case, on_stock, with_workerseed", HERE)
def test_so_many_draws_differ_on_stock_and_with_workerseed(library, case, on_stock, with_workerseed, activation):
    assert len(set(drawn(STOCK, library, case))) == on_stock
    assert len(set(drawn(activation, library, case))) == with_workerseed


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("library, case", AS_ON_STOCK)
def test_what_does_not_draw_from_np_random_draws_as_on_stock(library, case, activation):
    assert drawn(activation, library, case) == drawn(STOCK, library, case)


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.skipif(not installed("numba"), reason="there is no numba here")
def test_numba_draws_otherwise_in_every_run_whatever_the_seed(variant):
    assert not set(drawn(variant, "numba", "as it is")) & set(drawn(variant, "numba", "again"))
