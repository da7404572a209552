"""Training with skorch's NeuralNet."""

import pytest

pytest.importorskip("skorch")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    result,
)

FIXED = ["as it is"]
UNCHANGED = ["with a function"]


def skorch(variant):
    return result("use_skorch.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_training_is_seeded(case, activation):
    ours, stock = skorch(activation)[case]["rows"], skorch(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_training_with_a_function_draws_as_on_stock(case, activation):
    check_that_nothing_changes(skorch(activation)[case]["rows"], skorch(STOCK)[case]["rows"])
