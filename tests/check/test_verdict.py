"""The verdict, from records alone."""

import pytest

from workerseed._check.verdict import NUMPY_ALONE, UNSEEN, judge

STATUS = {"state": "active", "reason": "", "options": []}
LOADER = {"worker_init_fn": False, "iterable": False, "distributed": False}


def pair(first, second, again, source="np.random", seeds="12"):
    """A pair of records: each epoch is a list of workers, each a list of the states from which it drew.

    Args:
        first, second, again: the epochs.
        source: what the workers drew from.
        seeds: the states of NumPy and torch after the program was imported.
    """
    epochs = [[{"np.random": [], source: states} for states in epoch] for epoch in (first, second, again)]
    about = {"status": STATUS, "loader": LOADER, "states": dict(zip(("np.random", "torch"), seeds))}
    return dict(about, epochs=epochs[:2]), dict(about, epochs=epochs[2:])


GOOD = pair([["a"], ["b"]], [["c"], ["d"]], [["a"], ["b"]])
WORKERS = pair([["a"], ["a"]], [["c"], ["c"]], [["a"], ["a"]])
EPOCHS = pair([["a"], ["b"]], [["a"], ["b"]], [["a"], ["b"]])
IRREPRODUCIBLE = pair([["a"], ["b"]], [["c"], ["d"]], [["e"], ["f"]])
UNUSED = pair([[], []], [[], []], [[], []])


@pytest.mark.parametrize("flawed", [WORKERS, EPOCHS, IRREPRODUCIBLE])
def test_each_flaw_counts_without_workerseed_as_with_it(flawed):
    assert judge(GOOD, GOOD)["verdict"] == "not affected"
    assert judge(flawed, GOOD)["verdict"] == "fixed"
    assert judge(flawed, flawed)["verdict"] == "not fixed"
    assert judge(GOOD, flawed)["verdict"] == "not fixed"


def test_what_is_compared():
    source = judge(WORKERS, GOOD)["sources"]["np.random"]
    assert source["as_it_is"] == {"workers": "same", "epochs": "differ", "repeatable": True}
    assert source["workerseed"] == {"workers": "differ", "epochs": "differ", "repeatable": True}
    assert source["used"] == 2


def test_what_is_not_used_is_not_judged():
    found = judge(UNUSED, UNUSED)
    assert found["verdict"] == "not affected"
    assert found["sources"]["np.random"] == {"used": 0, "as_it_is": None, "workerseed": None, "advice": None}


def test_a_worker_that_does_not_draw_repeats_nobody():
    found = judge(pair([["a"], []], [["c"], []], [["a"], []]), GOOD)
    assert (found["verdict"], found["sources"]["np.random"]["used"]) == ("not affected", 2)


def test_some_workers_can_be_the_same():
    some = pair([["a"], ["a"], ["b"]], [["c"], ["c"], ["d"]], [["a"], ["a"], ["b"]])
    assert judge(some, some)["sources"]["np.random"]["as_it_is"]["workers"] == "some same"


def test_two_runs_that_load_different_batches_are_no_verdict():
    other = pair([["a"], ["b"]], [["c"], ["d"]], [["a"], ["e"]], source="the batch")
    found = judge(other, other)
    assert (found["verdict"], found["notes"], set(found["sources"])) == ("cannot tell", [UNSEEN], {"np.random"})
    alike = pair([["a"], ["b"]], [["c"], ["d"]], [["a"], ["b"]], source="the batch")
    assert judge(alike, alike)["verdict"] == "not affected"


@pytest.mark.parametrize(
    "seeds, notes", [("34", []), ("14", [NUMPY_ALONE]), ("12", []), ("32", [])], ids=["none", "numpy", "both", "torch"]
)
def test_a_state_that_does_not_depend_on_our_seed_was_seeded_by_the_program(seeds, notes):
    epochs = [["a"], ["b"]], [["c"], ["d"]], [["a"], ["b"]]
    assert judge(pair(*epochs, seeds="12"), pair(*epochs, seeds=seeds))["notes"] == notes
    assert judge(pair([[]], [[]], [[]], seeds="12"), pair([[]], [[]], [[]], seeds=seeds))["notes"] == []
