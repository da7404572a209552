"""Training with Catalyst."""

import pytest

pytest.importorskip("catalyst")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    repeats,
    result,
)

FIXED = ["loader"]
UNCHANGED = ["loader with a function", "loader of Catalyst"]


def catalyst(variant):
    return result("use_catalyst.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_training_is_seeded(case, activation):
    ours, stock = catalyst(activation)[case]["rows"], catalyst(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_loaders_that_catalyst_or_the_user_seeds_draw_as_on_stock(case, activation):
    check_that_nothing_changes(catalyst(activation)[case]["rows"], catalyst(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
def test_loaders_of_catalyst_repeat_their_draws_in_each_epoch_as_on_stock(variant):
    rows = catalyst(variant)["loader of Catalyst"]["rows"]
    assert repeats(rows) == len(rows) * 2 / 3


def test_stock_repeats_draws_in_the_other_worker_only():
    rows = catalyst(STOCK)["loader"]["rows"]
    assert repeats(rows) == len(rows) / 2
