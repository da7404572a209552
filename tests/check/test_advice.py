"""Each piece of advice that ``workerseed check`` gives, followed: the check that is run again says that it helped."""

import pytest
from support import NATIVE, only_legacy, only_native

FINE = ("fixed", "not affected")


def advice(found):
    return [source["advice"] for source in found["sources"].values() if source["advice"]]


@only_legacy
def test_to_import_workerseed(results):
    assert advice(results("loaders:plain")) == ["import workerseed, or start the program with `workerseed run`"]
    assert results("loaders:imports_workerseed")["verdict"] == "not affected"


GENERATORS = "turn on the `generators` extra (WORKERSEED=generators, or `workerseed run --generators`)"
CAVEAT = "unless its workers shuffle one order with it and take a share each: they would lose items"
SEED = "torch.initial_seed() % 2**32, which differs by worker and epoch"
ADVICE = [
    # a loader, the extras that are on, the advice; the loader that follows it, and the extras for that
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


@pytest.mark.parametrize("name, extras, text, follows, extras_then", ADVICE)
def test_advice(results, name, extras, text, follows, extras_then):
    found = results(f"loaders:{name}", WORKERSEED=extras)
    assert (found["verdict"], advice(found)) == ("not fixed", [text])
    assert results(f"loaders:{follows}", WORKERSEED=extras_then)["verdict"] in FINE


@only_native
def test_to_remove_the_workaround_by_get_state(results):
    (text,) = advice(results("loaders:seeded_by_state"))
    assert text.startswith("the worker_init_fn seeds it from np.random.get_state()[1][0], which is 2**31 on this torch")
    assert results("loaders:plain")["verdict"] == "not affected"


@pytest.mark.parametrize("name", ["distributed", "ranked_in_batch_sampler"])
def test_ranks(results, name):
    (note,) = results(f"loaders:{name}")["notes"]
    assert "turn on the `ranks` extra" in note and "rank=..." in note
    assert results(f"loaders:{name}", WORKERSEED="ranks")["notes"] == []


def test_nothing_is_advised_where_there_is_nothing_to_do(results):
    found = results("loaders:plain" if NATIVE else "loaders:plain_torch")
    assert (found["verdict"], advice(found), found["notes"]) == ("not affected", [], [])
