"""``workerseed check`` of loaders of today's frameworks says what is true of them, or that it cannot tell."""

import os

import pytest
from support import forks_of, true_verdict

from workerseed._check.advice import ELSE

USED = ("accelerate", "numba", "torchdata.stateful_dataloader")
for module in USED:
    pytest.importorskip(module)
PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
LOADERS = [
    ("accelerate", ""),
    ("accelerate_holds", ""),
    ("accelerate_holds", "generators"),
    ("torchdata", ""),
    ("torchdata_holds", ""),
    ("torchdata_holds", "generators"),
    ("compiled", ""),
    ("compiled", "generators"),
]

forks = forks_of(PROGRAMS, *USED)


@pytest.mark.parametrize("name, options", LOADERS)
def test_the_verdict_is_true(judged, forks, name, options):
    found = judged(f"loaders_today:{name}", options)
    assert found["verdict"] == true_verdict(forks, f"loaders_today:{name}", options)
    assert found["loader"]["workers"] == 2


@pytest.mark.parametrize("name, source", [("accelerate", "np.random"), ("torchdata_holds", "dataset.rng")])
def test_what_is_used_is_named(judged, name, source):
    sources = judged(f"loaders_today:{name}")["sources"]
    assert [name for name in sources if sources[name]["as_it_is"]] == [source]


def test_numbas_own_generator_is_something_else(judged, forks):
    found = judged("loaders_today:compiled_draws")
    assert found["sources"][ELSE]["as_it_is"]["repeatable"] is False
    assert found["verdict"] == true_verdict(forks, "loaders_today:compiled_draws", "")  # each process draws as it likes
