"""Training with pytorch-lightning in two processes (DDP on the CPU), whose loaders it rebuilds."""

import pytest

pytest.importorskip("pytorch_lightning")

import numpy as np
import pytorch_lightning
import torch
from variants import (
    ACTIVATIONS,
    BY_VARIABLE,
    NUMPY,
    RANDOM,
    SEEDINGS,
    START_HIGH,
    START_LOW,
    STOCK,
    TORCH,
    WITH_RANKS,
    WORKER,
    are_those_of_rank,
    are_those_of_torch_1_9,
    column,
    drawn,
    repeats,
    results_of_ranks,
    with_starts_of,
    without_numpy,
)

from workerseed._seeding import generate_state

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


def test_with_the_option_ranks_no_two_ranks_share_a_stream():
    first, second = (rank["training"] for rank in ranks(WITH_RANKS))
    assert drawn(first) == drawn(ranks(BY_VARIABLE)[0]["training"])
    for stream in (NUMPY, RANDOM, TORCH):
        assert len(set(column(first + second, stream))) == len(first + second)
    assert are_those_of_rank(first, 0)
    assert are_those_of_rank(with_starts_of(first, second), 1)


@seeds_workers
def test_seed_everything_with_workers_has_the_last_word_over_the_option_ranks():
    for number, rank in enumerate(ranks(WITH_RANKS, WORKERS)):
        assert rank["worker_init_fn"][0] == ["partial of", "pl_worker_init_function", {"rank": number}]
        assert set(column(rank["training"], SEEDINGS)) == {2}
        first = ranks(WITH_RANKS, WORKERS)[0]["training"]
        assert are_those_of_lightning(with_starts_of(first, rank["training"]), number)
    assert drawn(ranks(WITH_RANKS, WORKERS)[0]["training"]) == drawn(ranks(STOCK, WORKERS)[0]["training"])


def are_those_of_lightning(rows, rank):
    """Whether NumPy's draws are those of Lightning's function, called where torch is seeded as ``ranks`` does it."""
    from pytorch_lightning.utilities.seed import pl_worker_init_function

    streams = {}
    for row in rows:
        worker_id, start = row[WORKER], (row[START_HIGH] << 32) + row[START_LOW]
        if start not in streams:
            base_seed = start - worker_id
            words = generate_state([worker_id, base_seed % 2**32, base_seed // 2**32, rank], 8)
            torch.manual_seed((words[6] + (words[7] << 32)) // 2 if rank else start)
            pl_worker_init_function(worker_id, rank)
            streams[start] = np.random.RandomState()
            streams[start].set_state(np.random.get_state())
        if streams[start].randint(0, 2**31 - 1) != row[NUMPY]:
            return False
    return True
