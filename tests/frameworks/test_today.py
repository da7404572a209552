"""Frameworks of today: stored generators repeat without the option; with it none does, and no item is lost."""

import pytest
from variants import result

REPEATING = ("torchdata", "accelerate", "lightning", "transformers", "monai")


def loaded(framework, options):
    pytest.importorskip("torchdata")  # the environment of these tests has all of them
    return result("use_today.py", framework)[options]


def draws_of(epochs):
    return [draw for epoch in epochs[:2] for _, draw in epoch]


@pytest.mark.parametrize("framework", REPEATING)
def test_without_the_option_workers_and_epochs_repeat_draws(framework):
    epochs = loaded(framework, "")
    assert len(set(draws_of(epochs))) == 4  # of 16: each worker and each epoch draws the same four


@pytest.mark.parametrize("framework", REPEATING)
def test_with_the_option_no_draw_repeats_and_no_item_is_lost(framework):
    epochs = loaded(framework, "generators")
    assert len(set(draws_of(epochs))) == 16
    assert [sorted(number for number, _ in epoch) for epoch in epochs[:2]] == [list(range(8))] * 2


def test_a_loader_that_accelerate_has_prepared_can_be_kept():
    assert len(set(draws_of(loaded("accelerate_kept", "generators")))) == 4


@pytest.mark.parametrize("options", ["", "generators"])
def test_a_stateful_loader_resumes_where_it_was(options):
    assert loaded("torchdata", options)[2] == list(range(8))


@pytest.mark.parametrize("options", ["", "generators"])
def test_a_stream_that_workers_shuffle_alike_and_share_loses_nothing(options):
    (epoch,) = loaded("datasets", options)
    assert sorted(number for number, _ in epoch) == list(range(16))


@pytest.mark.parametrize("options", ["", "generators"])
def test_thread_workers_draw_from_the_generator_of_the_parent_as_it_is(options):
    drawn, expected = loaded("monai_threads", options)
    assert drawn == expected
