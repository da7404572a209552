"""The verdict of ``workerseed check`` on each loader, and what is true of it."""

import functools

import loaders
import pytest
from truth import truths

NAMES = [loader.__name__ for loader in loaders.JUDGED]


@pytest.fixture(scope="session")
def truth():
    return functools.lru_cache(maxsize=None)(lambda extras: truths(NAMES, extras))


@pytest.mark.parametrize("extras", [None, "generators"])
@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_true(results, truth, name, extras):
    variables = {"WORKERSEED": extras} if extras else {}
    assert results(f"loaders:{name}", **variables)["verdict"] == truth(extras)[name]


def test_each_verdict_is_true_of_several_loaders(truth):
    found = [*truth(None).values(), *truth("generators").values()]
    assert min(map(found.count, ["fixed", "not fixed", "not affected"])) >= 3


REASONS = {
    "foreign": "it started no workers through torch's DataLoader",
    "threads": "it started no workers through torch's DataLoader",
    "processes": "it started no workers through torch's DataLoader",
    "no_workers": "it has num_workers=0 and starts no workers",
    "empty": "its workers loaded no batch",
    "broken": "loading from it failed",
    "broken_init": "the worker_init_fn failed in worker 0",
    "dies": "a worker died: DataLoader worker (pid",
    "unpicklable": "its workers cannot be started",
}


@pytest.mark.parametrize("name", [loader.__name__ for loader in loaders.CANNOT_TELL])
def test_the_reason_is_given_where_it_cannot_tell(results, name):
    found = results(f"loaders:{name}")
    assert (found["verdict"], found["error"][: len(REASONS[name])]) == ("cannot tell", REASONS[name])
