"""Ignite's engines, of which the deterministic one rebuilds its loader."""

import pytest

pytest.importorskip("ignite")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    repeats,
    result,
)

FIXED = ["plain", "deterministic", "rebuilt four times"]
UNCHANGED = ["deterministic, with a function", "rebuilt four times, with a function"]


def ignite(variant):
    return result("use_ignite.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_a_loader_of_an_engine_is_seeded_once(case, activation):
    ours, stock = ignite(activation)[case]["rows"], ignite(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_a_loader_with_a_function_draws_as_on_stock(case, activation):
    check_that_nothing_changes(ignite(activation)[case]["rows"], ignite(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_the_deterministic_engine_rebuilds_the_loader_and_keeps_the_users_function(case, variant):
    assert ignite(variant)[case]["worker_init_fn"] == ("own_worker_init_fn" if "function" in case else None)
    assert ignite(variant)[case]["sampler"] == ("BatchSampler" if case == "plain" else "ReproducibleBatchSampler")


def test_stock_repeats_draws_in_the_other_worker_only():
    rows = ignite(STOCK)["deterministic"]["rows"]
    assert repeats(rows) == len(rows) / 2
