"""imgaug in the workers: it draws from a generator of its own, which is not seeded."""

import pytest

pytest.importorskip("imgaug")

from variants import ACTIVATIONS, STOCK, result


def imgaug(variant, case):
    return result("use_imgaug.py", variant)[case]


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
def test_workers_repeat_draws_as_on_stock(variant):
    assert len(set(imgaug(variant, "as it is"))) == 4  # of 24


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_function_that_seeds_imgaug_works_as_on_stock(activation):
    ours = imgaug(activation, "with a function")
    assert ours == imgaug(STOCK, "with a function")
    assert len(set(ours)) == 24
