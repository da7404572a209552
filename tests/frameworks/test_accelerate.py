"""Training on loaders that Accelerate has prepared, which is to say rebuilt."""

import pytest

pytest.importorskip("accelerate")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    result,
)

FIXED = ["prepared", "prepared four times"]
UNCHANGED = ["prepared four times, with a function"]


def accelerate(variant):
    return result("use_accelerate.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_a_prepared_loader_is_seeded_once(case, activation):
    ours, stock = accelerate(activation)[case]["rows"], accelerate(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_a_loader_with_a_function_draws_as_on_stock(case, activation):
    check_that_nothing_changes(accelerate(activation)[case]["rows"], accelerate(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_a_prepared_loader_keeps_the_users_function(case, variant):
    assert accelerate(variant)[case]["worker_init_fn"] == ("own_worker_init_fn" if "function" in case else None)
    assert accelerate(variant)[case]["loader"] == "DataLoaderShard"
