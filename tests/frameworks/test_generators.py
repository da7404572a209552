"""Packages that draw from generators of their own: duplicates without the option ``generators``, none with it."""

import pytest
from variants import WITH_GENERATORS, result


def drawn(package, options, method):
    return result("use_generators.py", package, options, method)


def duplicates(epochs):
    numbers = [number for epoch in epochs for number in epoch]
    return len(numbers) - len(set(numbers))


@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_without_the_option_workers_and_epochs_repeat_draws(package):
    first, second = drawn(package, "", "fork")
    assert first == second
    assert first[::2] == first[1::2]  # of one worker and of the other


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_with_the_option_no_draw_repeats(package, method):
    assert duplicates(drawn(package, "generators", method)) == 0
