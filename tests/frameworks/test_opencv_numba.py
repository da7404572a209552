"""OpenCV and numba in the workers: they draw from generators of their own, which neither torch nor workerseed seeds."""

import pytest

pytest.importorskip("cv2")
pytest.importorskip("numba")

from variants import STOCK, result

VARIANTS = [STOCK, "imported after the framework"]


def drawn(variant, case, by):
    return result("use_opencv_numba.py", variant)[case][by]


@pytest.mark.parametrize("variant", VARIANTS)
def test_opencv_draws_the_same_in_every_worker_and_epoch(variant):
    assert len(set(drawn(variant, "as it is", "OpenCV"))) == 4  # of 24


@pytest.mark.parametrize("variant", VARIANTS)
def test_numba_draws_otherwise_in_every_worker_and_run_whatever_the_seed(variant):
    draws = drawn(variant, "as it is", "numba")
    assert len(set(draws)) == 24
    assert not set(draws) & set(drawn(variant, "again", "numba"))


@pytest.mark.parametrize("by", ["OpenCV", "numba"])
def test_a_function_that_seeds_them_works_with_workerseed_as_without(by):
    stock, ours = (drawn(variant, "with a function", by) for variant in VARIANTS)
    assert ours == stock
    assert len(set(ours)) == 24
