"""Ray Train, which starts the processes of a job on any machines it has, activated by its ``runtime_env`` alone."""

import pytest

pytest.importorskip("ray")

import variants
from variants import NUMPY, column, drawn, repeats, result

from workerseed.__main__ import SITECUSTOMIZE


def ray(value, part="plain"):
    """By rank: a part of what the process returned, where WORKERSEED has that value, "" for none."""
    first, second = result("use_ray.py", value, SITECUSTOMIZE)
    assert [first["rank"], second["rank"]] == [0, 1]
    return first[part], second[part]


@pytest.mark.parametrize("value", ["", "1", "ranks"])
def test_runtime_env_brings_the_variable_and_the_loader_keeps_its_function(value):
    assert ray(value, "variables") == ({"WORKERSEED": value or None, "RANK": None},) * 2
    assert ray(value, "worker_init_fn") == (["own_worker_init_fn", "wrapper"],) * 2


def test_stock_repeats_draws_in_workers_epochs_and_ranks():
    first, second = ray("")
    assert repeats(first) == len(first) * 5 / 6  # two workers, three epochs
    assert drawn(second) == drawn(first)


def test_without_the_option_each_rank_draws_as_on_torch_1_9():
    first, second = ray("1")
    assert repeats(first) == 0
    assert variants.are_those_of_torch_1_9(first)
    assert drawn(second) == drawn(first)


def test_with_the_option_no_two_starts_share_a_stream():
    first, second = ray("ranks")
    assert first == ray("1")[0]
    assert len(first + second) == 24
    variants.assert_ranks_share_no_stream(first, second)


@pytest.mark.parametrize("case", ["own function", "reproducible"])
def test_functions_that_seed_by_torchs_seed_differ_between_ranks_with_the_option_only(case):
    for value in ("", "1", "ranks"):
        first, second = ray(value, case)
        assert (column(first, NUMPY) == column(second, NUMPY)) is (value != "ranks")
        assert drawn(first) == drawn(ray("", case)[0])
