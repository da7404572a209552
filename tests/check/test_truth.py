"""The verdict of ``workerseed check`` on each loader, and what is true of it."""

import loaders
import pytest
from support import NATIVE, true_verdict

# Not `spawned` where each of its forty workers imports torch 2: those of `served_holds` are not forked, either.
NAMES = [name for name in loaders.JUDGED if not (NATIVE and name == "spawned")]
# Without the option, a torch that seeds NumPy is as it is: the half of a verdict that the option has, too.
OPTIONS = ["generators"] if NATIVE else ["", "generators"]


@pytest.fixture(scope="session")
def truth(forks):
    return lambda name, options: true_verdict(forks, f"loaders:{name}", options)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_true(judged, truth, name, options):
    assert judged(f"loaders:{name}", options)["verdict"] == truth(name, options)


def test_each_verdict_is_true_of_several_loaders(truth):
    found = [truth(name, options) for name in NAMES for options in OPTIONS]
    assert min(map(found.count, ["fixed", "not fixed", "not affected"])) >= 3


def test_it_knows_iterable_style_loaders(judged):
    assert [judged(f"loaders:{name}")["loader"]["iterable"] for name in ("iterable", "plain")] == [True, False]
