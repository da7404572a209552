"""Frameworks of today on the newest torch, with a dataset that stores a generator, and what `check` says of theirs."""

import pytest
from support import forks_of, true_verdict
from variants import PROGRAMS, result

from workerseed._check.advice import ELSE

REPEATING = ("torchdata", "accelerate", "lightning", "transformers", "monai")
USED = ("accelerate", "numba", "torchdata.stateful_dataloader")
for module in USED:
    pytest.importorskip(module)


def loaded(framework, options):
    return result("use_today.py", framework)[options]


def draws_of(epochs):
    return [draw for epoch in epochs[:2] for _, draw in epoch]


@pytest.mark.parametrize("framework", REPEATING)
def test_without_the_option_workers_and_epochs_repeat_draws(framework):
    assert len(set(draws_of(loaded(framework, "")))) == 4  # of 16: each worker and each epoch draws the same four


@pytest.mark.parametrize("framework", REPEATING)
def test_with_the_option_no_draw_repeats_and_no_item_is_lost(framework):
    epochs = loaded(framework, "generators")
    assert len(set(draws_of(epochs))) == 16
    assert [sorted(number for number, _ in epoch) for epoch in epochs[:2]] == [list(range(8))] * 2


def test_a_loader_that_accelerate_has_prepared_can_be_kept():
    assert len(set(draws_of(loaded("accelerate_kept", "generators")))) == 4


each_option = pytest.mark.parametrize("options", ["", "generators"])


@each_option
def test_a_stateful_loader_resumes_where_it_was(options):
    assert loaded("torchdata", options)[2] == list(range(8))


@each_option
def test_a_stream_that_workers_shuffle_alike_and_share_loses_nothing(options):
    (epoch,) = loaded("datasets", options)
    assert sorted(number for number, _ in epoch) == list(range(16))


@each_option
def test_thread_workers_draw_from_the_generator_of_the_parent_as_it_is(options):
    drawn, expected = loaded("monai_threads", options)
    assert drawn == expected


forks = forks_of(PROGRAMS, *USED)


@each_option
@pytest.mark.parametrize("name", ["accelerate", "torchdata", "compiled"])
def test_the_verdict_is_true(judged, forks, name, options):
    found = judged(f"loaders_today:{name}", options)
    assert found["verdict"] == true_verdict(forks, f"loaders_today:{name}", options)
    assert found["loader"]["workers"] == 2
    assert [source for source in found["sources"] if found["sources"][source]["as_it_is"]] == ["dataset.rng"]


def test_numbas_own_generator_is_something_else(judged, forks):
    found = judged("loaders_today:compiled_draws")
    assert found["sources"][ELSE]["as_it_is"]["rerun"] == "varies"
    assert found["verdict"] == true_verdict(forks, "loaders_today:compiled_draws", "")  # each process draws as it likes
