"""Each piece of advice that ``workerseed check`` gives, followed: the check that is run again says that it helped."""

import pytest
from support import NATIVE, iterate, only_legacy, only_native

FINE = ("fixed", "not affected")


def advice(found):
    return [source["advice"] for source in found["sources"].values() if source["advice"]]


@only_legacy
def test_to_import_workerseed(judged):
    assert advice(judged("loaders:plain")) == ["import workerseed, or start the program with `workerseed run`"]
    assert judged("loaders:imports_workerseed")["verdict"] == "not affected"


@only_legacy
def test_to_turn_it_on_again(judged):
    (text,) = advice(judged("loaders:uninstalls"))
    assert text.startswith("workerseed is off: ")
    assert judged("loaders:plain")["verdict"] == "fixed"


def test_to_install_an_option(judged):
    found = judged("loaders:holds_random", "generators")
    assert advice(found) == ["import workerseed, or start the program with `workerseed run --generators`"]
    assert judged("loaders:installs_generators")["verdict"] == "not affected"


GENERATORS = "turn on the `generators` option (WORKERSEED=generators, or `workerseed run --generators`)"
CAVEAT = "unless its workers shuffle one order with it and take a share each: they would lose items"
SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
ADVICE = [
    # a loader, the options that are on, the advice; the loader that follows it, and the options for that
    ("holds_random", "", GENERATORS, "holds_random", "generators"),
    ("unseeded", "", f"{GENERATORS}; and create it with a seed", "holds_random_state", "generators"),
    (
        "unseeded",
        "generators",
        "not reproducible: it is created without a seed; give it one",
        "holds_random_state",
        "generators",
    ),
    (
        "iterable_holds",
        "",
        f"{GENERATORS} and call workerseed.reseed with the loader, {CAVEAT}",
        "iterable_reseeded",
        "generators",
    ),
    (
        "iterable_holds",
        "generators",
        f"call workerseed.reseed with the loader, {CAVEAT}",
        "iterable_reseeded",
        "generators",
    ),
    ("kept", "generators", "workerseed.keep leaves it as it is", "holds_random", "generators"),
    (
        "seeds_stored",
        "generators",
        "the worker_init_fn seeds it, or workerseed.keep leaves it as it is",
        "holds_random_state",
        "generators",
    ),
    (
        "lazy_by_number",
        "",
        f"it is seeded or created while items are loaded: do it once in each worker, from {SEED}",
        "lazy_by_seed",
        "",
    ),
    (
        "each_item",
        "",
        f"it is seeded or created while items are loaded: do it once in each worker, from {SEED}",
        "lazy_by_seed",
        "",
    ),
    ("seeded_by_number", "", f"the worker_init_fn seeds it: remove that, or seed it with {SEED}", "seeded_by_seed", ""),
    ("seeded_by_system", "", f"the worker_init_fn seeds it: remove that, or seed it with {SEED}", "plain", ""),
]


@pytest.mark.parametrize("name, options, text, follows, options_then", ADVICE)
def test_advice(judged, name, options, text, follows, options_then):
    found = judged(f"loaders:{name}", options)
    assert (found["verdict"], advice(found)) == ("not fixed", [text])
    assert judged(f"loaders:{follows}", options_then)["verdict"] in FINE


@only_native
def test_to_remove_a_workaround_that_this_torch_breaks(judged):
    (text,) = advice(judged("loaders:seeded_by_state"))
    assert text == f"the worker_init_fn seeds it: remove that, or seed it with {SEED}"
    assert judged("loaders:plain")["verdict"] == "not affected"


@pytest.mark.parametrize("name", ["distributed", "ranked_in_batch_sampler"])
def test_ranks(judged, name):
    (note,) = judged(f"loaders:{name}")["notes"]
    assert "turn on the `ranks` option" in note and "rank=..." in note
    assert judged(f"loaders:{name}", "ranks")["notes"] == []


def test_to_seed_torch_where_numpy_is_seeded(judged):
    (note,) = judged("loaders:seeds_numpy_alone")["notes"]
    assert "seeded NumPy but not torch" in note and "call torch.manual_seed, too" in note
    assert judged("loaders:seeds_numpy_and_torch")["notes"] == []


@pytest.mark.parametrize(
    "name, with_workerseed, repeatable",
    [
        ("seeds_numpy_alone", False, not NATIVE),
        ("seeds_numpy_alone", True, False),
        ("seeds_numpy_and_torch", True, True),
    ],
)
def test_what_is_said_of_numpy_is_true(forks, name, with_workerseed, repeatable):
    first, again = (iterate(forks, f"loaders:{name}", "1" if with_workerseed else "0", seed=seed) for seed in (1, 2))
    assert (sorted(first[0]) == sorted(again[0])) == repeatable


def test_nothing_is_advised_where_there_is_nothing_to_do(judged):
    found = judged("loaders:plain" if NATIVE else "loaders:plain_torch")
    assert (found["verdict"], advice(found), found["notes"]) == ("not affected", [], [])
