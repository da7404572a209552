"""Albumentations in the workers: some transforms draw from np.random, most from random, which torch seeds."""

import pytest

if pytest.importorskip("albumentations").__version__ >= "2":
    pytest.skip("albumentations 2 draws from generators of its own: test_check.py", allow_module_level=True)

from variants import ACTIVATIONS, STOCK, result


def distinct(variant, transform):
    return len(set(result("use_albumentations.py", variant)[transform]))


def test_stock_repeats_the_noise_that_is_drawn_from_np_random():
    assert distinct(STOCK, "MultiplicativeNoise") == 4  # of 24


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_noise_repeats(activation):
    assert distinct(activation, "MultiplicativeNoise") == 24


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_drawn_from_random_is_as_on_stock(activation):
    ours, stock = (result("use_albumentations.py", variant)["GaussNoise"] for variant in (activation, STOCK))
    assert ours == stock
    assert len(set(ours)) == 24
