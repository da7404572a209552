"""Training with pytorch-lightning in two processes (DDP on the CPU), whose loaders it rebuilds."""

import pytest

pytest.importorskip("pytorch_lightning")

import variants
from variants import ACTIVATIONS, NUMPY, SEEDINGS, STOCK, WITH_RANKS, column, drawn, repeats

VERSION = variants.version_of("pytorch_lightning")
WORKERS = "seed_everything with workers"
seeds_workers = pytest.mark.skipif(VERSION < "1.3", reason="seed_everything of Lightning below 1.3 takes no workers")


def ranks(variant, seeding="unseeded", part="training"):
    """By rank: the rows of a loader, and what it shows of itself."""
    found = variants.results_of_ranks("use_lightning.py", variant, "pytorch_lightning", seeding)
    return [of_rank[part] for of_rank in found]


@seeds_workers
@pytest.mark.parametrize("activation", [*ACTIVATIONS, WITH_RANKS])
def test_ranks_draw_differently_and_as_on_stock_under_seed_everything_with_workers(activation):
    ours, stock = ranks(activation, WORKERS), ranks(STOCK, WORKERS)
    as_on_stock = 1 if activation == WITH_RANKS else 2  # with the option, torch itself draws otherwise on rank 1
    assert [drawn(rank["rows"]) for rank in ours[:as_on_stock]] == [drawn(rank["rows"]) for rank in stock[:as_on_stock]]
    assert repeats(ours[0]["rows"] + ours[1]["rows"]) == 0
    for number, rank in enumerate(ours):
        assert rank["sampler"] == "DistributedSampler"
        assert rank["worker_init_fn"] == ["partial of", "pl_worker_init_function", {"rank": number}]
        assert set(column(rank["rows"], SEEDINGS)) == {2}  # once by us, before Lightning does


@pytest.mark.parametrize("seeding", ["unseeded", pytest.param(WORKERS, marks=seeds_workers)])
def test_a_rebuilt_loader_keeps_the_users_function(seeding):
    for stock, ours in zip(ranks(STOCK, seeding, "validation"), ranks(variants.BY_VARIABLE, seeding, "validation")):
        assert (ours["sampler"], ours["worker_init_fn"]) == ("DistributedSampler", "own_worker_init_fn")
        assert drawn(ours["rows"]) == drawn(stock["rows"])
        assert set(column(ours["rows"], SEEDINGS)) == {2}


def test_draws_of_each_rank_are_those_of_torch_1_9_and_ranks_of_the_same_seed_draw_the_same():
    ours = ranks(variants.BY_VARIABLE)
    for of_rank, stock in zip(ours, ranks(STOCK)):
        variants.assert_seeded_as_by_torch_1_9(of_rank["rows"], stock["rows"])
    assert column(ours[0]["rows"], NUMPY) == column(ours[1]["rows"], NUMPY)


@pytest.mark.skipif(VERSION[:3] != "1.3", reason="a slip of Lightning 1.3: reset_seed takes the string '0' for true")
def test_lightning_1_3_seeds_the_workers_of_ranks_whether_asked_or_not():
    of_stock, of_ours = ranks(STOCK, "seed_everything"), ranks(variants.BY_VARIABLE, "seed_everything")
    assert [drawn(rank["rows"]) for rank in of_ours] == [drawn(rank["rows"]) for rank in of_stock]
    assert [rank["worker_init_fn"][1] for rank in of_ours] == ["pl_worker_init_function"] * 2


def test_with_the_option_ranks_no_two_ranks_share_a_stream():
    first, second = (rank["rows"] for rank in ranks(WITH_RANKS))
    assert drawn(first) == drawn(ranks(variants.BY_VARIABLE)[0]["rows"])
    variants.assert_ranks_share_no_stream(first, second)
