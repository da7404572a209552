"""The words that seed NumPy, and the step that seeds a worker with them."""

import random
import sys
import threading
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import Draws, expected_draws, has_seed_sequence, lock_of, needs_numpy, np, only_legacy, only_native
from torch.utils.data import DataLoader

from workerseed import _seeding, numpy_seed

np_random = getattr(np, "random", None)
WORDS = st.integers(min_value=0, max_value=2**32 - 1)
BASE_SEEDS = st.integers(min_value=0, max_value=2**63 - 1)  # what torch draws: a non-negative int64
WORKER_IDS = st.integers(min_value=0, max_value=10_000)

# Entropy words, and what SeedSequence(entropy).generate_state(4) of NumPy 1.17.0 made of them.
FROM_NUMPY = [
    ([0, 0, 0, 0], [2968811710, 3677149159, 745650761, 2884920346]),
    ([1, 0, 0, 0], [1835504127, 1731038949, 1320224556, 2330041505]),
    ([0, 1, 0, 0], [3964924996, 1358922860, 3894904162, 2051610843]),
    ([0, 0, 1, 0], [3831201730, 2013799314, 3589971085, 2228851942]),
    ([0, 0, 0, 1], [3317235285, 3915018311, 397946026, 3471206770]),
    ([3, 2**32 - 1, 2**31 - 1, 0], [1885505632, 4179896284, 1438801625, 814051130]),
    ([1, 1849077329, 209651212, 0], [1530714843, 1152727643, 985419094, 3525036883]),
    ([2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1], [819991049, 2207585912, 3432630979, 2227233661]),
]


@pytest.mark.parametrize("entropy, words", FROM_NUMPY)
def test_own_words_are_those_of_numpy(entropy, words):
    assert _seeding.generate_state(entropy) == words


@has_seed_sequence
@given(st.lists(WORDS, min_size=4, max_size=4))
def test_own_words_are_those_of_this_numpy(entropy):
    assert _seeding.generate_state(entropy) == np.random.SeedSequence(entropy).generate_state(4).tolist()


@given(BASE_SEEDS, WORDS)
def test_own_words_are_the_seed(base_seed, worker_id):
    entropy = [worker_id, base_seed % 2**32, base_seed // 2**32]
    assert numpy_seed(base_seed, worker_id) == _seeding.generate_state([*entropy, 0])
    assert numpy_seed(base_seed, worker_id, 5) == _seeding.generate_state([*entropy, 5])


@only_native
@given(BASE_SEEDS, WORKER_IDS)
def test_the_seed_is_that_of_this_torch(base_seed, worker_id):
    from torch.utils.data._utils.worker import _generate_state

    assert numpy_seed(base_seed, worker_id) == _generate_state(base_seed, worker_id)


@needs_numpy
def test_integers_of_numpy_are_taken():
    assert numpy_seed(np.uint64(2**63), np.int64(3)) == numpy_seed(2**63, 3)


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ((-1, 0), ValueError, "base_seed must be from 0 to 18446744073709551615, got -1"),
        ((2**64, 0), ValueError, "base_seed must be from 0 to 18446744073709551615, got 18446744073709551616"),
        ((0, -1), ValueError, "worker_id must be from 0 to 4294967295, got -1"),
        ((0, 0, 2**32), ValueError, "rank must be from 0 to 4294967295, got 4294967296"),
        ((1.5, 0), TypeError, "base_seed must be an integer, got 1.5"),
    ],
)
def test_what_is_no_number_in_range_is_an_error(arguments, kind, message):
    with pytest.raises(kind) as error:
        numpy_seed(*arguments)
    assert str(error.value) == message


@pytest.fixture(scope="module")
def keep_generators():
    states = random.getstate(), torch.get_rng_state(), np and np.random.get_state()
    yield
    random.setstate(states[0])
    torch.set_rng_state(states[1])
    if np is not None:
        np.random.set_state(states[2])


def reseed(worker_id):
    _seeding.SeededWorkerInit(None)(worker_id)


def test_the_step_seeds_random_with_the_seed_of_torch(keep_generators):
    torch.manual_seed(1234)
    reseed(1)
    assert random.random() == random.Random(1234).random()


@needs_numpy
def test_the_step_seeds_numpy_with_the_words(keep_generators):
    torch.manual_seed(1234)
    reseed(1)
    assert np.random.random_sample() == np.random.RandomState(numpy_seed(1233, 1)).random_sample()


def first_key_word(base_seed, worker_id):
    torch.manual_seed((base_seed + worker_id) % 2**63)  # beyond that, manual_seed of torch 1.2 overflows
    reseed(worker_id)
    return int(np.random.get_state()[1][0])


@needs_numpy
@given(BASE_SEEDS, WORKER_IDS)
def test_the_first_key_word_is_a_seed_even_with_a_worker_id_added(keep_generators, base_seed, worker_id):
    assert 2**31 <= first_key_word(base_seed, worker_id) < 2**32 - worker_id


@needs_numpy
def test_the_first_key_word_depends_on_worker_and_base_seed(keep_generators):
    words = {first_key_word(base_seed, worker_id) for base_seed in range(15) for worker_id in range(15)}
    assert len(words) == 225


@needs_numpy
@given(BASE_SEEDS)
def test_the_first_key_word_reaches_no_output(keep_generators, base_seed):
    first_key_word(base_seed, 0)
    plain = np.random.RandomState(numpy_seed(base_seed, 0))
    drawn = [np.random, plain]
    assert len({tuple(generator.randint(0, 2**31 - 1, 2000)) for generator in drawn}) == 1  # over two blocks of 624
    assert len({tuple(generator.standard_normal(101)) for generator in drawn}) == 1
    assert len({str(generator.get_state()[1].tolist()) for generator in drawn}) == 1


@needs_numpy
def test_the_step_takes_a_seed_of_torch_below_the_worker_id(keep_generators):
    torch.manual_seed(3)  # as in a custom worker loop that does not seed torch by worker
    reseed(5)
    assert np.random.random_sample() == np.random.RandomState(numpy_seed(2**64 - 2, 5)).random_sample()


def fail(*arguments):
    raise OSError("not today")


FAILURES = {"initial_seed": (torch, "random and NumPy"), "seed": (np and np.random.mtrand, "NumPy")}


@needs_numpy
@pytest.mark.parametrize("name", FAILURES)
def test_a_step_that_fails_warns_of_what_it_did_not_seed_and_the_users_function_is_called(
    keep_generators, monkeypatch, name
):
    module, unseeded = FAILURES[name]
    monkeypatch.setattr(module, name, fail)
    called = []
    with pytest.warns(RuntimeWarning, match=f"worker 7 did not seed {unseeded}: OSError.'not today'"):
        _seeding.SeededWorkerInit(called.append)(7)
    assert called == [7]


class FailingFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "numpy":
            raise OSError("disk full")


@needs_numpy
def test_an_import_of_numpy_that_fails_is_warned_of_and_random_is_seeded(keep_generators, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "numpy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [FailingFinder, *sys.meta_path])
    torch.manual_seed(1234)
    with pytest.warns(RuntimeWarning, match="worker 1 did not seed NumPy: OSError.'disk full'"):
        reseed(1)
    assert random.random() == random.Random(1234).random()


@needs_numpy
@pytest.mark.parametrize("value", [None, object(), np and np.random.RandomState(0)])
def test_the_generator_of_numpy_is_seeded_whatever_np_random_is(keep_generators, monkeypatch, value):
    own = np.random.mtrand._rand
    monkeypatch.setattr(np, "random", value)
    torch.manual_seed(1234)
    reseed(1)
    assert own.random_sample() == np_random.RandomState(numpy_seed(1233, 1)).random_sample()


@only_legacy
@needs_numpy
def test_workers_start_where_somebody_replaced_the_generator_of_numpy(shim, monkeypatch):
    monkeypatch.setattr(np.random.mtrand, "_rand", object())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(list(DataLoader(range(4), num_workers=2))) == 4


# Locks that a thread of the parent holds as a worker is forked (numpy#9248)


@needs_numpy
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["RandomState", "default_rng"])
def test_the_lock_of_any_generator_is_released(name):
    if not hasattr(np.random, name):
        pytest.skip("NumPy 1.17 brought it")
    generator = getattr(np.random, name)()
    thread = threading.Thread(target=lock_of(generator).acquire)
    thread.start()
    thread.join()
    _seeding.release_lock(generator)
    assert lock_of(generator).acquire(False)


@only_legacy
@needs_numpy
@pytest.mark.timeout(60)
def test_workers_start_while_a_thread_of_the_parent_draws(shim):
    with lock_of(np.random.mtrand._rand):  # as a thread that draws holds it
        loader = DataLoader(Draws(), num_workers=2, timeout=30)
        torch.manual_seed(0)
        drawn = [int(batch) for batch in loader]
    assert drawn == expected_draws()


@needs_numpy
@pytest.mark.timeout(60)
def test_a_worker_in_a_thread_of_the_parent_waits_for_a_lock_and_never_releases_it(keep_generators):
    step = _seeding.SeededWorkerInit(None)  # MONAI's ThreadDataLoader runs it so
    thread = threading.Thread(target=step, args=(0,))
    with lock_of(np.random.mtrand._rand):
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
