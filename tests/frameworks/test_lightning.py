"""Training with pytorch-lightning in one process, and loaders that it rebuilds."""

import pytest

pytest.importorskip("pytorch_lightning")

from variants import (
    ACTIVATIONS,
    SEEDINGS,
    STOCK,
    are_those_of_torch_1_9,
    column,
    drawn,
    repeats,
    result,
    without_numpy,
)

UNSEEDED_BY_LIGHTNING = [("unseeded", "training"), ("seed_everything", "training"), ("rebuilt", "rows")]
OWN_FUNCTION = [("unseeded", "validation"), ("seed_everything", "validation"), ("rebuilt with a function", "rows")]
FUNCTIONS = {
    "unseeded": [None, "own_worker_init_fn"],
    "seed_everything": [None, "own_worker_init_fn"],
    "seed_everything with workers": [["partial of", "pl_worker_init_function", {"rank": 0}], "own_worker_init_fn"],
    "rebuilt": None,
    "rebuilt with a function": "own_worker_init_fn",
}
activations = pytest.mark.parametrize("activation", ACTIVATIONS)


def lightning(variant):
    return result("use_lightning.py", variant)


def trained_with_workers(variant):
    if "seed_everything with workers" not in lightning(variant):
        pytest.skip("seed_everything of Lightning below 1.3 does not seed workers")
    return lightning(variant)["seed_everything with workers"]


@pytest.mark.parametrize("case, part", UNSEEDED_BY_LIGHTNING)
def test_stock_repeats_draws(case, part):
    rows = lightning(STOCK)[case][part]
    assert repeats(rows) >= len(rows) / 2


@activations
@pytest.mark.parametrize("case, part", UNSEEDED_BY_LIGHTNING)
def test_draws_are_those_of_torch_1_9_without_repeats(case, part, activation):
    rows = lightning(activation)[case][part]
    assert repeats(rows) == 0
    assert are_those_of_torch_1_9(rows)


@activations
@pytest.mark.parametrize("case, part", UNSEEDED_BY_LIGHTNING)
def test_only_numpy_draws_otherwise(case, part, activation):
    assert without_numpy(lightning(activation)[case][part]) == without_numpy(lightning(STOCK)[case][part])


@activations
def test_seed_everything_with_workers_draws_as_on_stock(activation):
    stock = drawn(trained_with_workers(STOCK)["training"])
    assert drawn(trained_with_workers(activation)["training"]) == stock


@activations
@pytest.mark.parametrize("case, part", OWN_FUNCTION)
def test_loaders_with_a_function_draw_as_on_stock(case, part, activation):
    assert drawn(lightning(activation)[case][part]) == drawn(lightning(STOCK)[case][part])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", FUNCTIONS)
def test_worker_init_fn_is_what_lightning_or_the_user_set(case, variant):
    if "workers" in case:
        trained_with_workers(variant)
    assert lightning(variant)[case]["worker_init_fn"] == FUNCTIONS[case]


@activations
def test_a_loader_rebuilt_four_times_seeds_once(activation):
    assert set(column(lightning(activation)["rebuilt"]["rows"], SEEDINGS)) == {1}
    once_and_the_function = set(column(lightning(STOCK)["rebuilt with a function"]["rows"], SEEDINGS)).pop() + 1
    assert set(column(lightning(activation)["rebuilt with a function"]["rows"], SEEDINGS)) == {once_and_the_function}
