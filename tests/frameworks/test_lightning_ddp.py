"""Training with pytorch-lightning in two processes (DDP on the CPU), whose loaders it rebuilds."""

import pytest

pytest.importorskip("pytorch_lightning")

import pytorch_lightning
from variants import (
    ACTIVATIONS,
    BY_VARIABLE,
    NUMPY,
    SEEDINGS,
    STOCK,
    are_those_of_torch_1_9,
    column,
    drawn,
    repeats,
    results_of_ranks,
    without_numpy,
)

VERSION = tuple(int(part) for part in pytorch_lightning.__version__.split(".")[:2])
WORKERS = "seed_everything with workers"
activations = pytest.mark.parametrize("activation", ACTIVATIONS)
seeds_workers = pytest.mark.skipif(VERSION < (1, 3), reason="seed_everything of Lightning below 1.3 takes no workers")


def ranks(variant, *options):
    return results_of_ranks("use_lightning_ddp.py", variant, *options)


@seeds_workers
@activations
def test_ranks_draw_differently_and_as_on_stock_under_seed_everything_with_workers(activation):
    stock = [drawn(rank["training"]) for rank in ranks(STOCK, WORKERS)]
    first, second = (rank["training"] for rank in ranks(activation, WORKERS))
    assert [drawn(first), drawn(second)] == stock
    assert repeats(first + second) == 0


@seeds_workers
@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
def test_worker_init_fn_of_a_rebuilt_loader_is_lightnings_own(variant):
    for number, rank in enumerate(ranks(variant, WORKERS)):
        assert rank["sampler"][0] == "DistributedSampler"
        assert rank["worker_init_fn"][0] == ["partial of", "pl_worker_init_function", {"rank": number}]


@seeds_workers
@activations
def test_a_rebuilt_loader_is_seeded_once_before_lightning_does(activation):
    for rank in ranks(activation, WORKERS):
        assert set(column(rank["training"], SEEDINGS)) == {2}


@seeds_workers
@activations
def test_a_rebuilt_loader_keeps_the_users_function_under_seed_everything_with_workers(activation):
    keeps_the_users_function(ranks(STOCK, WORKERS), ranks(activation, WORKERS))


def test_a_rebuilt_loader_keeps_the_users_function():
    keeps_the_users_function(ranks(STOCK), ranks(BY_VARIABLE))


def keeps_the_users_function(of_stock, of_ours):
    for stock, ours in zip(of_stock, of_ours):
        assert ours["sampler"][1] == "DistributedSampler"
        assert ours["worker_init_fn"][1] == "own_worker_init_fn"
        assert drawn(ours["validation"]) == drawn(stock["validation"])
        assert set(column(ours["validation"], SEEDINGS)) == {2}


def test_stock_repeats_draws_in_each_rank():
    for rank in ranks(STOCK):
        assert repeats(rank["training"]) >= len(rank["training"]) / 2


def test_draws_of_each_rank_are_those_of_torch_1_9_without_repeats():
    for stock, ours in zip(ranks(STOCK), ranks(BY_VARIABLE)):
        assert repeats(ours["training"]) == 0
        assert are_those_of_torch_1_9(ours["training"])
        assert without_numpy(ours["training"]) == without_numpy(stock["training"])
        assert set(column(ours["training"], SEEDINGS)) == {1}


def test_ranks_of_the_same_seed_draw_the_same_as_on_torch_1_9():
    first, second = ranks(BY_VARIABLE)
    assert column(first["training"], NUMPY) == column(second["training"], NUMPY)


@pytest.mark.skipif(VERSION != (1, 3), reason="a slip of Lightning 1.3: reset_seed takes the string '0' for true")
def test_lightning_1_3_seeds_the_workers_of_ranks_whether_asked_or_not():
    of_stock, of_ours = ranks(STOCK, "seed_everything"), ranks(BY_VARIABLE, "seed_everything")
    assert [drawn(rank["training"]) for rank in of_ours] == [drawn(rank["training"]) for rank in of_stock]
    assert [rank["worker_init_fn"][0][1] for rank in of_ours] == ["pl_worker_init_function"] * 2
