"""Packages that draw from generators of their own: duplicates without the extra ``generators``, none with it."""

import pytest
from variants import WITH_GENERATORS, result


def drawn(package, extras, method):
    return result("use_generators.py", package, extras, method)


def duplicates(epochs):
    numbers = [number for epoch in epochs for number in epoch]
    return len(numbers) - len(set(numbers))


@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_without_the_extra_workers_and_epochs_repeat_draws(package):
    first, second = drawn(package, "", "fork")
    assert first == second
    assert first[::2] == first[1::2]  # of one worker and of the other


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("package", WITH_GENERATORS)
def test_with_the_extra_no_draw_repeats(package, method):
    assert duplicates(drawn(package, "generators", method)) == 0
