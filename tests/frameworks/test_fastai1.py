"""The DataBunch of fastai 1, which puts a function of its own in the place of DataLoader.__init__."""

import pytest

pytest.importorskip("fastai.basic_data")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    result,
)

FIXED = ["as it is"]
UNCHANGED = ["with a function", "renewed"]


def fastai(variant):
    return result("use_fastai1.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_a_data_bunch_is_seeded_once(case, activation):
    ours, stock = fastai(activation)[case]["rows"], fastai(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_a_data_bunch_with_a_function_draws_as_on_stock_also_renewed_four_times(case, activation):
    check_that_nothing_changes(fastai(activation)[case]["rows"], fastai(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_worker_init_fn_is_that_of_the_user(case, variant):
    assert fastai(variant)[case]["worker_init_fn"] == (None if case == "as it is" else "own_worker_init_fn")
