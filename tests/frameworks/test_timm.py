"""The loaders that timm makes; from 0.5 on it seeds NumPy itself unless an argument says otherwise."""

import pytest

pytest.importorskip("timm")

import timm
from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    result,
)

KINDS = ["as it is", "not persistent", "multi-epochs"]
SEEDS_NUMPY = timm.__version__ >= "0.5"
FIXED = ["part", "part, not persistent", "part, multi-epochs"] if SEEDS_NUMPY else KINDS
UNCHANGED = KINDS if SEEDS_NUMPY else []


def loaders(variant):
    return result("use_timm.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", FIXED)
def test_numpy_is_seeded_where_timm_does_not(case, activation):
    ours, stock = loaders(activation)[case]["rows"], loaders(STOCK)[case]["rows"]
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_loaders_that_timm_seeds_draw_as_on_stock(case, activation):
    check_that_nothing_changes(loaders(activation)[case]["rows"], loaders(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", [*FIXED, *UNCHANGED])
def test_worker_init_fn_is_what_timm_set(case, variant):
    assert loaders(variant)[case]["worker_init_fn"] == expected(case)
    assert loaders(variant)[case]["loader"] == ("MultiEpochsDataLoader" if "multi" in case else "DataLoader")


def expected(case):
    if not SEEDS_NUMPY:
        return None
    return ["partial of", "_worker_init", {"worker_seeding": "part" if "part" in case else "all"}]
