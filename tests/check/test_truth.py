"""The verdict of ``workerseed check`` on each loader, and what is true of it."""

import sys

import loaders
import pytest
from support import NATIVE, true_verdict

from workerseed._check.verdict import UNSEEN

# Not `spawned` where each of its forty workers imports torch 2: those of `served_holds` are not forked, either.
NAMES = [loader.__name__ for loader in loaders.JUDGED if not (NATIVE and loader is loaders.spawned)]
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


NO_WORKERS = "it started no worker process through torch's DataLoader (num_workers is "
REASONS = {
    "foreign": NO_WORKERS + "2)",
    "threads": NO_WORKERS + "2)",
    "processes": NO_WORKERS + "2)",
    "no_workers": NO_WORKERS + "0)",
    "empty": "its workers loaded no batch",
    "broken": f"{sys.executable} raised ValueError: Caught ValueError in DataLoader worker process 0.",
    "broken_init": f"{sys.executable} raised KeyError: ",
    "dies": f"{sys.executable} raised RuntimeError: DataLoader worker (pid",
    "gets_stuck": f"{sys.executable} raised ValueError: not with Stuck",
    "unpicklable": f"{sys.executable} raised ",
    "created_and_dropped": UNSEEN,
    "operating_system": UNSEEN,
}


@pytest.mark.parametrize("name", [loader.__name__ for loader in loaders.CANNOT_TELL])
def test_the_reason_is_given_where_it_cannot_tell(judged, name):
    found = judged(f"loaders:{name}")
    reason = found["error"] if "error" in found else found["notes"][0]
    assert (found["verdict"], reason[: len(REASONS[name])]) == ("cannot tell", REASONS[name])
