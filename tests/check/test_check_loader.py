"""``workerseed check`` with a loader of the user's: what it finds in the loaders of train.py, and what it advises."""

import pytest
from support import HAS_CONTEXT, NATIVE, TORCH, checked, np, only_legacy, only_native

pytestmark = checked

FINE = {"workers": "differ", "epochs": "differ", "repeatable": True}
SAME = {"workers": "same", "epochs": "same", "repeatable": True}


def test_a_plain_loader(facts):
    found = facts("train:loader")
    assert found["sources"]["np.random"]["as_it_is"] == (FINE if NATIVE else SAME)
    assert [found["sources"][source]["workerseed"] for source in ("np.random", "random", "torch")] == [FINE] * 3
    assert found["loader"]["workers"] == 3


@pytest.mark.parametrize("name", ["train:make", "train.py:loader", "{project}/train.py:make"])
def test_a_loader_by_other_names(facts, project, name):
    found = facts(name.format(project=project))
    assert (found["verdict"], found["loader"]["workers"]) == ("not affected" if NATIVE else "fixed", 3)


def test_a_module_that_reads_the_command_line_sees_none_of_ours(facts):
    assert facts("parsing:loader")["loader"]["workers"] == 3


@only_legacy
def test_a_loader_whose_program_has_workerseed_is_not_affected(facts):
    assert facts("train:activated")["verdict"] == "not affected"


def test_held_generators_are_found_with_their_paths(facts):
    sources = facts("train:holding")["sources"]
    held = {"dataset.transforms[0].rng", "dataset.transforms[1]['torch']", "dataset.listing.rng"}
    held |= {"dataset.draw.__self__", "dataset.of_class", "train.RNG"}
    if hasattr(np.random, "default_rng"):
        held |= {"dataset.rng", "dataset.bits"}
    assert set(sources) == held | {"np.random", "random", "torch"}
    assert [sources[path]["workerseed"] for path in held] == [SAME] * len(held)
    assert {sources[path]["advice"] for path in held} == {
        "switch the extra on that is for it: WORKERSEED=generators, or `workerseed run --generators`"
    }


def test_a_generator_of_a_partial_is_found(facts):
    assert facts("train:collated")["sources"]["collate_fn.args[0]"]["as_it_is"] == SAME


def test_a_generator_of_a_closure_is_found(facts):
    assert facts("train:closed")["sources"]["worker_init_fn.<rng>"]["as_it_is"] == SAME


def test_a_generator_that_worker_init_fn_makes_anew_is_fine(facts):
    sources = facts("train:renewing")["sources"]
    assert sources["dataset.of_class"]["workerseed"] == FINE
    assert sources["dataset.of_class"]["advice"] is None


def test_with_the_extra_no_generator_stays_duplicated(facts):
    found = facts("train:holding", WORKERSEED="generators")
    assert found["verdict"] == "fixed"
    assert [source["workerseed"] for source in found["sources"].values()] == [FINE] * len(found["sources"])


def test_with_the_extra_the_advice_is_to_switch_it_on(check):
    printed = " ".join(check("train:holding", WORKERSEED="generators").stdout.split())
    assert "Affected, and fixed by workerseed with WORKERSEED=generators. - " in printed
    assert "import workerseed, or start the program with `workerseed run --generators`." in printed


def test_with_the_extra_a_loader_that_is_kept_stays_duplicated_and_says_why(facts):
    source = facts("train:keeping", WORKERSEED="generators")["sources"]["dataset.listing.rng"]
    assert (source["workerseed"], source["advice"]) == (SAME, "`workerseed.keep` leaves it as it is")


def test_with_the_extra_a_generator_that_worker_init_fn_seeds_stays_duplicated_and_says_why(facts):
    source = facts("train:reseeding", WORKERSEED="generators")["sources"]["dataset.listing.rng"]
    assert source["workerseed"] == SAME
    assert source["advice"] == "the worker_init_fn seeds it, or `workerseed.keep` leaves it as it is"


def test_with_the_extra_a_generator_without_a_seed_is_not_repeatable_and_says_so(facts):
    source = facts("train:unseeded", WORKERSEED="generators")["sources"]["dataset.rng"]
    assert source["workerseed"] == {"workers": "differ", "epochs": "differ", "repeatable": False}
    assert source["advice"] == "no other run repeats it: give it a seed where it is made"


def test_a_loader_without_workers_is_checked_as_if_with_two(check, facts):
    found = facts("train:without")
    assert (found["loader"]["num_workers"], found["loader"]["workers"]) == (0, 2)
    assert found["sources"]["np.random"]["workerseed"] == FINE
    assert "num_workers=0, and nothing to compare: checked as if it had 2." in check("train:without").stdout


def test_a_worker_init_fn_that_seeds_by_number_is_not_fixed(facts):
    numpy_source = facts("train:numbering")["sources"]["np.random"]
    assert numpy_source["workerseed"] == {"workers": "differ", "epochs": "same", "repeatable": True}
    assert numpy_source["advice"].startswith("the worker_init_fn seeds it")


def test_a_worker_init_fn_that_seeds_from_the_system_is_not_repeatable(facts):
    numpy_source = facts("train:irreproducible")["sources"]["np.random"]
    assert numpy_source["workerseed"] == {"workers": "differ", "epochs": "differ", "repeatable": False}
    assert numpy_source["advice"].startswith("the worker_init_fn seeds it")


@only_native
def test_the_workaround_by_get_state_is_recognised_where_torch_seeds_numpy(facts):
    numpy_source = facts("train:workaround")["sources"]["np.random"]
    assert numpy_source["as_it_is"]["epochs"] == "same"
    assert numpy_source["advice"].startswith("the worker_init_fn seeds from np.random.get_state()[1][0]")


@only_legacy
def test_the_workaround_by_get_state_is_fine_with_workerseed(facts):
    assert facts("train:workaround")["sources"]["np.random"]["workerseed"] == FINE


def test_a_distributed_sampler_is_noted(check):
    assert "- It has a DistributedSampler: " in check("train:distributed").stdout


def test_with_the_extra_ranks_a_distributed_sampler_is_fine(check):
    assert "DistributedSampler" not in check("train:distributed", WORKERSEED="ranks").stdout


def test_the_table_names_the_extras_that_are_on(check):
    assert "with workerseed, ranks, generators\n" in check("train:loader", WORKERSEED="generators,ranks").stdout


@pytest.mark.skipif(not HAS_CONTEXT, reason="torch 1.2 brought multiprocessing_context")
def test_spawned_workers(facts):
    found = facts("train:spawned")
    assert found["loader"]["start_method"] == "spawn"
    assert found["sources"]["np.random"]["workerseed"] == FINE


@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
def test_persistent_workers(facts):
    assert facts("train:persistent")["sources"]["np.random"]["workerseed"] == FINE


@pytest.mark.skipif(TORCH < (1, 6), reason="torch 1.6 brought the generator")
def test_a_generator_of_the_loader(facts):
    assert facts("train:generating")["sources"]["np.random"]["workerseed"] == FINE
