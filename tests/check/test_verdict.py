"""The verdict, from records alone."""

import itertools

import pytest

from workerseed._check import command, report, verdict

LOADER = {"workers": 2, "start_method": "fork", "iterable": False, "distributed": False, "seeds_torch": True}


def worker(number, start, end, batches="xyy"):
    """What a worker records of one source: its states before the init function, at the start and at the end."""
    states = {when: {"np.random": state} for when, state in (("before", start), ("started", start), ("after", end))}
    return dict(states, epoch=0, worker=number, seeded=[], batches=list(batches), moving=["np.random"])


def run(first, second, again=None):
    """Two epochs, each a list of (start, end) by worker, and the first again."""
    first, second, again = (
        [one if isinstance(one, dict) else worker(i, *one) for i, one in enumerate(epoch or first)]
        for epoch in (first, second, again)
    )
    starts = [*first, *(dict(one, epoch=1) for one in second)]
    status = {"state": "active", "reason": "", "options": []}
    return {"starts": starts, "again": again, "unread": [], "status": status}


def judged(as_it_is, workerseed, *others, **about):
    found = {"name": "loader", "loader": dict(LOADER, **about), "status": None, "options": []}
    runs = [dict(zip(("as_it_is", "workerseed"), pair)) for pair in [(as_it_is, workerseed), *others]]
    return verdict.judge(*(dict(found, rank=rank, runs=each) for rank, each in enumerate(runs)))


GOOD = run([("a", "A"), ("b", "B")], [("c", "C"), ("d", "D")])
FLAWED = {
    "workers": run([("a", "A"), ("a", "A")], [("c", "C"), ("c", "C")]),
    "epochs": run([("a", "A"), ("b", "B")], [("a", "A"), ("b", "B")]),
    "crosswise": run([("a", "A"), ("b", "B")], [("b", "B"), ("c", "C")]),
    "ends": run([("a", "A"), ("b", "A")], [("c", "C"), ("d", "D")]),
    "varies": run([("a", "A"), ("b", "B")], [("c", "C"), ("d", "D")], [("e", "E"), ("f", "F")]),
}


@pytest.mark.parametrize("flawed", FLAWED.values(), ids=list(FLAWED))
def test_each_flaw_counts_without_workerseed_and_with_it(flawed):
    assert judged(GOOD, GOOD)["verdict"] == "not affected"
    assert judged(flawed, GOOD)["verdict"] == "fixed"
    assert judged(flawed, flawed)["verdict"] == "not fixed"
    assert judged(GOOD, flawed)["verdict"] == "not fixed"


def test_ranks_that_draw_the_same_repeat_each_other():
    found = judged(GOOD, GOOD, (GOOD, GOOD))
    assert (found["verdict"], found["sources"]["np.random"]["workerseed"]["ranks"]) == ("not fixed", "repeat")
    assert max(map(len, report.table(found).splitlines())) < 80


def test_a_rank_that_fails_is_a_reason_beside_what_the_others_show():
    found = {"name": "loader", "loader": LOADER, "status": None, "options": [], "rank": 0}
    failed = dict(found, rank=1, error="it raised KeyError", details="its traceback")
    for reports in itertools.permutations([dict(found, runs={"as_it_is": GOOD, "workerseed": GOOD}), failed]):
        judged = verdict.judge(*reports)
        assert (judged["verdict"], judged["reasons"]) == ("cannot tell", ["it raised KeyError"])
        assert judged["sources"]["np.random"]["workerseed"]["workers"] == "differ"
        assert "its traceback" in report.table(judged)


def test_only_another_rank_is_compared():
    ranks = [{"name": "loader", "rank": rank} for rank in range(2)]
    assert [command.is_another_rank(each, ranks[:1]) for each in ranks] == [False, True]


def test_something_else_that_repeats_beside_a_good_source_is_seen():
    first = [worker(0, "a", "A", batches="1xy"), worker(1, "b", "B", batches="2xy")]
    second = [worker(0, "c", "C", batches="3vw"), worker(1, "d", "D", batches="4vw")]
    sources = judged(run(first, second), run(first, second))["sources"]
    assert {name: source["workerseed"]["workers"] for name, source in sources.items()} == {
        "np.random": "differ",
        "something else": "repeat",
    }


def test_what_only_a_rerun_draws_varies():
    kept = run([("a", "a"), ("b", "b")], [("c", "c"), ("d", "d")], [("a", "A"), ("b", "B")])
    assert judged(kept, kept)["sources"]["np.random"]["workerseed"]["rerun"] == "varies"


def test_batches_that_cannot_be_compared_are_no_verdict():
    unknown = run([worker(0, "a", "a", batches=[None] * 3)], [worker(0, "b", "b", batches=[None] * 3)])
    assert judged(unknown, unknown)["verdict"] == "cannot tell"


def test_the_table_fits_80_columns_and_sums_up_long_lists():
    states = {f"dataset.transforms[{i}].rng": "a" for i in range(300)}
    ends = dict.fromkeys(states, "b")
    start = dict(worker(0, "a", "b"), before=states, started=states, after=ends, moving=list(states))
    many = run([start], [start])
    lines = report.table(judged(many, many)).splitlines()
    assert max(map(len, lines)) < 80
    assert len(lines) < 20
    label = lines.index("dataset.transforms[0].rng, dataset.transforms[100].rng,")
    assert lines[label + 1] == "  dataset.transforms[101].rng, 297 more"
