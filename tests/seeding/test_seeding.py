"""The words that seed NumPy, and the step that seeds a worker with them."""

import random
import sys
import threading

import pytest
import torch
from support import Draws, Items, as_list, draws, expected_draws, has_seed_sequence, lock_of, np, only_legacy
from torch.utils.data import DataLoader

from workerseed import _seeding, numpy_seed

# Entropy words, and what SeedSequence(entropy).generate_state(4) of NumPy 1.17.0 made of them.
FROM_NUMPY = [
    ([1, 0, 0, 0], [1835504127, 1731038949, 1320224556, 2330041505]),
    ([0, 1, 0, 0], [3964924996, 1358922860, 3894904162, 2051610843]),
    ([0, 0, 1, 0], [3831201730, 2013799314, 3589971085, 2228851942]),
    ([0, 0, 0, 1], [3317235285, 3915018311, 397946026, 3471206770]),
    ([3, 2**32 - 1, 2**31 - 1, 0], [1885505632, 4179896284, 1438801625, 814051130]),
    ([2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1], [819991049, 2207585912, 3432630979, 2227233661]),
]


def words_of(worker_id, low, high, rank):
    return numpy_seed(low | high << 32, worker_id, rank)


@pytest.mark.parametrize("entropy, words", FROM_NUMPY)
def test_own_words_are_those_of_numpy(entropy, words):
    assert words_of(*entropy) == words


@has_seed_sequence
def test_own_words_are_those_of_this_numpy():
    numbers = random.Random(0)
    for _ in range(200):
        entropy = [numbers.choice([0, 2**32 - 1, numbers.getrandbits(32)]) for _ in range(4)]
        words = np.random.SeedSequence(entropy).generate_state(8).tolist()
        assert (_seeding.generate_state(entropy, 8), words_of(*entropy)) == (words, words[:4])


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


def run_step(seed_of_torch, worker_id):
    torch.manual_seed(seed_of_torch)
    _seeding.SeededWorkerInit(None)(worker_id)


@pytest.mark.parametrize(
    "seed_of_torch, base_seed, worker_id",
    [(1234, 1233, 1), (3, 2**64 - 2, 5)],
    ids=["as torch seeds", "below the worker id, by a worker loop that gives each the same seed"],
)
def test_the_step_seeds_random_and_numpy(seed_of_torch, base_seed, worker_id):
    run_step(seed_of_torch, worker_id)
    assert random.random() == random.Random(seed_of_torch).random()
    assert np.random.random_sample() == np.random.RandomState(numpy_seed(base_seed, worker_id)).random_sample()


def test_the_first_key_word_is_a_seed_of_worker_and_base_seed_even_with_a_worker_id_added():
    words = set()
    for base_seed, worker_id in [(base_seed, worker_id) for base_seed in range(15) for worker_id in range(15)]:
        run_step(base_seed + worker_id, worker_id)
        words.add(int(np.random.get_state()[1][0]))
    assert len(words) == 225
    assert all(2**31 <= word < 2**32 - 10000 for word in words)


def test_the_first_key_word_reaches_no_output():
    for base_seed in range(50):
        run_step(base_seed, 0)
        plain = np.random.RandomState(numpy_seed(base_seed, 0))
        drawn = [np.random, plain]
        assert len({tuple(generator.randint(0, 2**31 - 1, 2000)) for generator in drawn}) == 1  # over two blocks of 624
        assert len({tuple(generator.standard_normal(101)) for generator in drawn}) == 1
        assert len({str(generator.get_state()[1].tolist()) for generator in drawn}) == 1


def fail(*arguments):
    raise OSError("not today")


FAILURES = {"initial_seed": (torch, "random and NumPy"), "seed": (np.random.mtrand, "NumPy")}


@pytest.mark.parametrize("name", FAILURES)
def test_a_step_that_fails_warns_of_what_it_did_not_seed_and_the_users_function_is_called(monkeypatch, name):
    module, unseeded = FAILURES[name]
    monkeypatch.setattr(module, name, fail)
    called = []
    with pytest.warns(RuntimeWarning, match=f"worker 7 did not seed {unseeded}: OSError.'not today'"):
        _seeding.SeededWorkerInit(called.append)(7)
    assert called == [7]


def test_the_users_function_gets_further_arguments_of_a_loop_that_passes_some():
    assert _seeding.SeededWorkerInit(lambda *args, **kwargs: (args, kwargs))(7, 1, more=2) == ((7, 1), {"more": 2})


def test_where_stored_generators_fail_nothing_else_is_warned_of():
    step = _seeding.SeededWorkerInit(None, reseed=fail)
    step.parent = None  # as in a worker process
    with pytest.warns(RuntimeWarning, match="worker 7 did not seed stored generators: OSError"):
        step(7)


@pytest.mark.parametrize("value", [None, object(), np.random.RandomState(0)])
def test_the_generator_of_numpy_is_seeded_whatever_np_random_is(monkeypatch, value):
    own, expected = np.random.mtrand._rand, np.random.RandomState(numpy_seed(1233, 1))
    monkeypatch.setattr(np, "random", value)
    run_step(1234, 1)
    assert own.random_sample() == expected.random_sample()


@only_legacy
@pytest.mark.filterwarnings("error::RuntimeWarning")  # then one of ours goes to stderr
def test_without_numpy_random_is_seeded(shim, monkeypatch, capfd):
    for name in ("numpy", "numpy.random"):
        monkeypatch.setitem(sys.modules, name, None)
    dataset = Items(lambda index: (torch.initial_seed(), random.random()), 2)
    drawn = [item for batch in DataLoader(dataset, num_workers=2, collate_fn=as_list) for item in batch]
    assert [number == random.Random(seed).random() for seed, number in drawn] == [True, True]
    assert capfd.readouterr().err == ""


# Locks that a thread of the parent holds as a worker is forked (numpy#9248)


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
@pytest.mark.timeout(60)
def test_workers_start_while_a_thread_of_the_parent_draws(shim):
    with lock_of(np.random.mtrand._rand):  # as a thread that draws holds it
        drawn = draws(DataLoader(Draws(), num_workers=2, timeout=30))
    assert drawn == expected_draws()


@pytest.mark.timeout(60)
def test_a_worker_in_a_thread_of_the_parent_waits_for_a_lock_and_never_releases_it():
    step = _seeding.SeededWorkerInit(None)  # MONAI's ThreadDataLoader runs it so
    thread = threading.Thread(target=step, args=(0,))
    with lock_of(np.random.mtrand._rand):
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
