"""Each piece of advice that ``workerseed check`` gives, followed: the check that is run again says that it helped."""

import pytest
from support import NATIVE, only_legacy

from workerseed._check.advice import SEED

FINE = ("fixed", "not affected")


def advice(found):
    return " ".join(source["advice"] for source in found["sources"].values() if source["advice"])


@only_legacy
def test_to_import_workerseed(judged):
    assert advice(judged("loaders:plain")) == "import workerseed, or start the program with `workerseed run`."
    assert judged("loaders:imports_workerseed")["verdict"] == "not affected"


@only_legacy
def test_a_loader_that_workerseed_does_not_reach_is_the_reason(judged):
    text = f"workerseed does not see how the loader's iterator takes worker_init_fn. Seed it there with {SEED}"
    assert text in advice(judged("loaders:own_iterator"))
    assert judged("loaders:seeded_by_seed")["verdict"] == "not affected"


@pytest.mark.parametrize("name", ["iterable", "kept_order"])
def test_to_import_it_says_what_a_shared_order_could_lose(judged, name):
    assert NATIVE or "they would lose items" in advice(judged(f"loaders:{name}"))


ADVICE = [
    # a loader, the options that are on, what the advice says; the loader that follows it, and the options for that
    ("holds_random", "", "turn on the option `generators`", "holds_random", "generators"),
    ("iterable_holds", "", "Call workerseed.reseed with the loader. If workers", "iterable_reseeded", "generators"),
    ("iterable_holds", "generators", "they would lose items", "iterable_reseeded", "generators"),
    ("kept", "generators", "workerseed.keep excludes it, or worker_init_fn restores it", "holds_random", "generators"),
    ("lazy_by_number", "", f"seed it once in each worker, with {SEED}", "lazy_by_seed", ""),
    ("each_item", "", "If an item or a worker is meant to get the same random numbers", "plain", ""),
    ("seeded_by_number", "", f"worker_init_fn seeds it or sets its state: seed it with {SEED}", "seeded_by_seed", ""),
    ("seeded_by_system", "", f"worker_init_fn seeds it or sets its state: seed it with {SEED}", "seeded_by_seed", ""),
    ("set_by_state", "", "worker_init_fn seeds it or sets its state", "seeded_by_seed", ""),
    ("lazy_by_system", "", "it is seeded while items are loaded", "lazy_by_seed", ""),
    ("seeds_torch_in_each_epoch", "", "torch itself is seeded with the same number before each epoch", "plain", ""),
    ("made_by_init", "generators", "it is created in the worker, where no option reaches it", "makes_anew", ""),
    ("order_once", "", "if that makes an order, a split or a task, leave it", "order_once", "generators"),
    ("behind_import_module", "", "workerseed does not reseed these", "holds_random_state", "generators"),
]


@pytest.mark.parametrize("name, options, text, follows, options_then", ADVICE)
def test_advice(judged, name, options, text, follows, options_then):
    found = judged(f"loaders:{name}", options)
    assert found["verdict"] == "not fixed"
    assert text in advice(found)
    assert judged(f"loaders:{follows}", options_then)["verdict"] in FINE


@pytest.mark.parametrize("name", ["distributed", "ranked_in_batch_sampler"])
def test_ranks(judged, name):
    (note,) = [note for note in judged(f"loaders:{name}")["notes"] if "Its sampler gives each rank a share" in note]
    assert "turn on the option `ranks`" in note
    assert not any("rank" in note for note in judged(f"loaders:{name}", "ranks")["notes"])


@only_legacy
def test_to_seed_torch(judged):
    assert any("call torch.manual_seed" in note for note in judged("loaders:seeds_numpy_alone")["notes"])
    assert judged("loaders:seeds_numpy_and_torch")["notes"] == []
