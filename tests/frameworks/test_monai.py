"""MONAI's DataLoader, whose worker_init_fn seeds the transforms and not NumPy."""

import pytest

pytest.importorskip("monai")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    column,
    result,
)

FIXED = ["as it is"]
UNCHANGED = ["with a function"]
OF_THE_TRANSFORM = 7  # a further column


def monai(variant):
    return result("use_monai.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_numpy_is_seeded_where_monai_seeds_only_its_transforms(case, activation):
    ours, stock = monai(activation)[case]["rows"], monai(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_a_loader_with_a_function_draws_as_on_stock(case, activation):
    check_that_nothing_changes(monai(activation)[case]["rows"], monai(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_worker_init_fn_is_that_of_monai_or_of_the_user(case, variant):
    assert monai(variant)[case]["worker_init_fn"] == ("own_worker_init_fn" if "function" in case else "worker_init_fn")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_monais_transforms_draw_as_on_stock(case, activation):
    ours, stock = monai(activation)[case]["rows"], monai(STOCK)[case]["rows"]
    assert column(ours, OF_THE_TRANSFORM) == column(stock, OF_THE_TRANSFORM)
