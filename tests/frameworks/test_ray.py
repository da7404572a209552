"""Ray Train, which starts the processes of a job on any machines it has, activated by its ``runtime_env`` alone."""

import pytest

pytest.importorskip("ray")

from variants import (
    NUMPY,
    RANDOM,
    STOCK,
    TORCH,
    are_those_of_rank,
    are_those_of_torch_1_9,
    column,
    drawn,
    repeats,
    result,
    with_starts_of,
)

RANKS = (0, 1)
BY_RUNTIME_ENV = "by runtime_env"
WITH_RANKS = "by runtime_env, with ranks"


def ray(variant):
    """By rank: what the process returned."""
    results = result("use_ray.py", variant)
    assert [of_rank["rank"] for of_rank in results] == list(RANKS)
    return results


@pytest.mark.parametrize("variant, value", [(STOCK, None), (BY_RUNTIME_ENV, "1"), (WITH_RANKS, "ranks")])
def test_runtime_env_brings_the_variable_and_ray_sets_no_rank(variant, value):
    for rank in RANKS:
        assert ray(variant)[rank]["variables"] == {"WORKERSEED": value, "RANK": None}


def test_stock_repeats_draws_in_workers_epochs_and_ranks():
    first, second = (ray(STOCK)[rank]["plain"] for rank in RANKS)
    assert repeats(first) == len(first) * 5 / 6  # two workers, three epochs
    assert drawn(second) == drawn(first)


def test_without_the_option_each_rank_draws_as_on_torch_1_9():
    first, second = (ray(BY_RUNTIME_ENV)[rank]["plain"] for rank in RANKS)
    assert repeats(first) == 0
    assert are_those_of_torch_1_9(first)
    assert drawn(second) == drawn(first)


def test_with_the_option_rank_0_draws_as_without():
    assert ray(WITH_RANKS)[0]["plain"] == ray(BY_RUNTIME_ENV)[0]["plain"]


@pytest.mark.parametrize("stream", [NUMPY, RANDOM, TORCH])
def test_with_the_option_no_two_starts_share_a_stream(stream):
    draws = [draw for rank in RANKS for draw in column(ray(WITH_RANKS)[rank]["plain"], stream)]
    assert len(set(draws)) == len(draws) == 24


@pytest.mark.parametrize("rank", RANKS)
def test_with_the_option_each_start_draws_what_its_words_give(rank):
    first, rows = (ray(WITH_RANKS)[number]["plain"] for number in (0, rank))
    assert are_those_of_rank(with_starts_of(first, rows), rank)


@pytest.mark.parametrize("case", ["own function", "reproducible"])
def test_functions_that_seed_by_torchs_seed_differ_between_ranks_with_the_option_only(case):
    for variant, is_same in ((STOCK, True), (BY_RUNTIME_ENV, True), (WITH_RANKS, False)):
        first, second = (ray(variant)[rank][case] for rank in RANKS)
        assert (column(first, NUMPY) == column(second, NUMPY)) is is_same
        assert drawn(first) == drawn(ray(STOCK)[0][case])


def test_the_loader_keeps_the_function_of_the_user_or_of_ray():
    for variant in (STOCK, BY_RUNTIME_ENV, WITH_RANKS):
        for rank in RANKS:
            assert ray(variant)[rank]["worker_init_fn"] == ["own_worker_init_fn", "wrapper"]
