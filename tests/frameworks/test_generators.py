"""Packages that draw from generators of their own: duplicates without the extra ``generators``, none with it."""

import pytest
from variants import result

PACKAGES = ("imgaug", "albumentations", "monai", "numpy")
METHODS = ("fork", "spawn")


def drawn(package, extras, method):
    if package != "numpy":
        module = pytest.importorskip(package)
        if package == "albumentations" and module.__version__ < "2":
            pytest.skip("albumentations 2 brought generators of its own")
    return result("use_generators.py", package, extras, method)


def duplicates(epochs):
    numbers = [number for epoch in epochs for number in epoch]
    return len(numbers) - len(set(numbers))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("package", PACKAGES)
def test_without_the_extra_workers_and_epochs_repeat_draws(package, method):
    first, second = drawn(package, "", method)
    assert first == second
    assert first[::2] == first[1::2]  # of one worker and of the other


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("package", PACKAGES)
def test_with_the_extra_no_draw_repeats(package, method):
    assert duplicates(drawn(package, "generators", method)) == 0
