"""What stock torch promises around workers holds with the shim, too: every case runs without it and with it."""

import collections
import json
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest
import torch
import torch.utils.data
from support import HAS_CONTEXT, TORCH, as_list, environment_with, error_of, np, only_legacy, text_of
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, Dataset, SequentialSampler, TensorDataset

import workerseed

IterableDataset = getattr(torch.utils.data, "IterableDataset", Dataset)
get_worker_info = getattr(torch.utils.data, "get_worker_info", None)

has_iterable = pytest.mark.skipif(
    TORCH < (1, 2), reason="torch 1.2 brought IterableDataset, the worker info and contexts"
)
has_length_warning = pytest.mark.skipif(TORCH < (1, 4), reason="torch 1.4 brought len() of an IterableDataset's loader")
has_persistent = pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent workers and prefetch_factor")
pytestmark = only_legacy


@pytest.fixture
def both():
    """Runs a case on stock torch and then with the shim: their outcomes are equal, and no worker is left."""

    def outcome_of(case):
        torch.manual_seed(0)
        random.seed(0)
        outcome = case()
        assert multiprocessing.active_children() == []
        return outcome

    def run(case):
        stock = outcome_of(case)
        workerseed.install()
        assert workerseed.status().state == "active"
        assert outcome_of(case) == stock
        return stock

    yield run
    workerseed.uninstall()


def plain(batch):
    """A batch with lists in place of tensors and tuples."""
    if isinstance(batch, torch.Tensor):
        return batch.tolist()
    if isinstance(batch, (list, tuple)):
        return [plain(part) for part in batch]
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return batch


def outcomes(iterable):
    """What each step of an iteration gives, past errors: a batch, or the type and the text of an error."""
    iterator = iter(iterable)
    found = []
    while len(found) < 20:
        try:
            found.append(plain(next(iterator)))
        except StopIteration:
            break
        except Exception as error:
            found.append((type(error).__name__, text_of(error)))
    return found


def attempt(call):
    """What a call returns, or the type and the text of its error."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__, text_of(error)


def with_warnings(call):
    """What a call returns, and its warnings: what they say and the file that they blame."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [(text_of(warning.message), warning.filename) for warning in caught]


def processes_of(iterator):
    return iterator.workers if hasattr(iterator, "workers") else iterator._workers


# Errors


class OddError(Exception):
    """As those of many libraries, it cannot be made from a message alone."""

    def __init__(self, code, reason):
        super().__init__(code, reason)


ERRORS = {
    "ValueError": ValueError("no such item"),
    "KeyError": KeyError("no such item"),
    "FileNotFoundError": FileNotFoundError(2, "no such item"),
    "UnicodeDecodeError": UnicodeDecodeError("utf-8", b"no such item", 0, 1, "no such item"),
    "OddError": OddError(1, "no such item"),
    "StopIteration": StopIteration("no such item"),
}


class FailingDataset(Dataset):
    """Raises at item 1."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 1:
            raise self.error
        return index


@pytest.mark.parametrize("name", ["ValueError", "KeyError", "FileNotFoundError"])
def test_an_error_in_the_dataset_reaches_the_user_and_the_next_batches_too(both, name):
    found = both(lambda: outcomes(DataLoader(FailingDataset(ERRORS[name]), num_workers=2)))
    assert [found[0], found[2], found[3]] == [[0], [2], [3]]
    # torch 1.1 makes an Exception of a KeyError
    assert found[1][0] == ("Exception" if name == "KeyError" and TORCH == (1, 1) else name)
    assert "Traceback (most recent call last)" in found[1][1]
    assert ERRORS[name].args[-1] in found[1][1]


@pytest.mark.parametrize("name", ["UnicodeDecodeError", "OddError"])
def test_an_error_that_a_message_alone_cannot_make_fails_as_on_stock_torch(both, name):
    found = both(lambda: outcomes(DataLoader(FailingDataset(ERRORS[name]), num_workers=2)))
    assert [found[0], found[2], found[3]] == [[0], [2], [3]]
    assert found[1][0] == "TypeError"


def test_stop_iteration_in_the_dataset_ends_the_epoch(both):
    loader = DataLoader(FailingDataset(ERRORS["StopIteration"]), num_workers=2)
    assert both(lambda: outcomes(loader)) == [[0]]


def fail_to_collate(batch):
    raise ArithmeticError(f"cannot collate {batch}")


def test_an_error_in_collate_fn_reaches_the_user(both):
    found = both(lambda: outcomes(DataLoader(range(2), num_workers=1, collate_fn=fail_to_collate)))
    assert [error for error, _ in found] == ["ArithmeticError"] * 2
    assert "cannot collate [0]" in found[0][1]


class FailingSampler(torch.utils.data.Sampler):
    def __init__(self):
        pass

    def __iter__(self):
        raise LookupError("no sample")

    def __len__(self):
        return 1


def test_an_error_in_the_sampler_reaches_the_user(both):
    loader = DataLoader(range(2), num_workers=1, sampler=FailingSampler())
    assert both(lambda: error_of(loader)) == (LookupError, "no sample")


def test_an_error_in_the_loop_ends_the_workers(both):
    def case():
        try:
            for batch in DataLoader(range(100), num_workers=2):
                raise ZeroDivisionError(plain(batch))
        except ZeroDivisionError as error:
            return str(error)

    assert both(case) == "[0]"


class SleepingDataset(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        time.sleep(0.6)
        return index


def test_timeout_raises(both):
    loader = DataLoader(SleepingDataset(), num_workers=1, timeout=0.1)
    assert both(lambda: error_of(loader)) == (RuntimeError, "DataLoader timed out after 0.1 seconds")


def test_a_timeout_that_is_long_enough_does_not_raise(both):
    assert both(lambda: outcomes(DataLoader(SleepingDataset(), num_workers=2, timeout=60))) == [[0], [1]]


# Iterators


def test_workers_exit_well_at_the_end_of_the_epoch(both):
    def case():
        iterator = iter(DataLoader(range(4), num_workers=2))
        processes = processes_of(iterator)
        running = [(process.daemon, process.is_alive()) for process in processes]
        return running, outcomes(iterator), [process.exitcode for process in processes]

    assert both(case) == ([(True, True)] * 2, [[0], [1], [2], [3]], [0, 0])


def test_workers_exit_well_after_an_early_break(both):
    def case():
        iterator = iter(DataLoader(range(100), num_workers=2))
        processes = list(processes_of(iterator))
        for batch in iterator:
            assert plain(batch) == [0]
            break
        del iterator
        return [process.exitcode for process in processes]

    assert both(case) == [0, 0]


def test_workers_exit_well_without_a_single_batch_taken(both):
    def case():
        iterator = iter(DataLoader(range(100), num_workers=2))
        processes = list(processes_of(iterator))
        del iterator
        return [process.exitcode for process in processes]

    assert both(case) == [0, 0]


def test_iterators_of_one_loader_live_side_by_side(both):
    def case():
        loader = DataLoader(range(4), num_workers=2, shuffle=True)
        return [(int(a), int(b)) for a, b in zip(loader, loader)]

    one, other = zip(*both(case))
    assert sorted(one) == sorted(other) == [0, 1, 2, 3]


def test_iterators_can_be_nested(both):
    def case():
        loader = DataLoader(range(2), num_workers=1)
        return [(int(a), int(b)) for a in loader for b in loader]

    assert both(case) == [(0, 0), (0, 1), (1, 0), (1, 1)]


class LoadingDataset(Dataset):
    """Each item is what a loader of its own yields."""

    def __init__(self, workers):
        self.workers = workers

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [int(batch) for batch in DataLoader(range(3), num_workers=self.workers)]


@pytest.mark.parametrize("outer, inner", [(0, 2), (2, 0)])
def test_a_dataset_may_use_a_loader(both, outer, inner):
    loader = DataLoader(LoadingDataset(inner), num_workers=outer, collate_fn=as_list)
    assert both(lambda: outcomes(loader)) == [[[0, 1, 2]]] * 2


def test_a_worker_cannot_start_workers(both):
    error, text = both(lambda: error_of(DataLoader(LoadingDataset(1), num_workers=1)))
    assert error is AssertionError
    assert "daemonic processes are not allowed to have children" in text


def test_a_loader_can_be_used_in_a_thread(both):
    def case():
        found = []
        thread = threading.Thread(target=lambda: found.extend(outcomes(DataLoader(range(3), num_workers=2))))
        thread.start()
        thread.join()
        return found

    assert both(case) == [[0], [1], [2]]


def test_an_iterator_is_the_one_of_torch(both):
    def case():
        iterator = iter(DataLoader(range(3), num_workers=1))
        loaders = [name for name, value in vars(iterator).items() if isinstance(value, DataLoader)]
        return type(iterator).__name__, len(iterator), iter(iterator) is iterator, loaders, sorted(vars(iterator))

    name, length, own, loaders, attributes = both(case)
    assert name in ("_DataLoaderIter", "_MultiProcessingDataLoaderIter")
    assert (length, own, loaders) == (3, True, [])
    assert len(attributes) > 10


def test_an_iterator_cannot_be_pickled(both):
    outcome = both(lambda: attempt(lambda: pickle.dumps(iter(DataLoader(range(3), num_workers=1)))))
    assert outcome[0] == "NotImplementedError"


class CountingSampler(SequentialSampler):
    """Counts what is taken from it."""

    taken = 0

    def __iter__(self):
        for index in super().__iter__():
            self.taken += 1
            yield index


def test_two_batches_for_each_worker_are_asked_for_ahead(both):
    def case():
        sampler = CountingSampler(range(100))
        iterator = iter(DataLoader(range(100), num_workers=3, sampler=sampler))
        taken = [sampler.taken]
        next(iterator)
        return [*taken, sampler.taken]

    assert both(case) == [6, 7]


@has_persistent
def test_prefetch_factor_is_how_many_are_asked_for_ahead(both):
    def case():
        sampler = CountingSampler(range(100))
        iterator = iter(DataLoader(range(100), num_workers=3, sampler=sampler, prefetch_factor=4))
        return len(processes_of(iterator)), sampler.taken

    assert both(case) == (3, 12)


@has_persistent
def test_persistent_workers_stay_from_epoch_to_epoch(both):
    def case():
        loader = DataLoader(range(3), num_workers=2, persistent_workers=True)
        batches, pids = [], []
        for _ in range(2):
            iterator = iter(loader)
            pids.append([process.pid for process in processes_of(iterator)])
            batches.append(outcomes(iterator))
            alive = [process.is_alive() for process in processes_of(iterator)]
        return batches, pids[0] == pids[1], alive

    assert both(case) == ([[[0], [1], [2]]] * 2, True, [True, True])


# What a worker sees


class WorkerView(Dataset):
    """Each item is what torch and random are like in the worker."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        numbers = torch.initial_seed(), torch.rand(1).item(), random.random()
        return (*numbers, torch.get_num_threads(), multiprocessing.current_process().daemon)


def test_a_worker_has_the_seeds_and_settings_of_stock_torch(both):
    loader = DataLoader(WorkerView(), num_workers=2, collate_fn=as_list)
    found = [item for batch in both(lambda: outcomes(loader)) for item in batch]
    seed = found[0][0]
    assert [item[0] for item in found] == [seed, seed + 1] * 2
    assert [item[2] for item in found[:2]] == [random.Random(seed + worker).random() for worker in (0, 1)]
    assert [item[3:] for item in found] == [[1, True]] * 4


class InfoDataset(Dataset):
    """Each item is what get_worker_info() says."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        info = get_worker_info()
        values = [getattr(info, name) for name in ("id", "num_workers", "seed")]
        return [*values, info.dataset is self, attempt(lambda: setattr(info, "id", 5))]


@has_iterable
def test_get_worker_info(both):
    loader = DataLoader(InfoDataset(), num_workers=2, collate_fn=as_list)
    first, second = (item for batch in both(lambda: outcomes(loader)) for item in batch)
    refused = ["RuntimeError", "Cannot assign attributes to WorkerInfo objects"]
    assert first == [0, 2, first[2], True, refused]
    assert second == [1, 2, first[2] + 1, True, refused]
    assert get_worker_info() is None


class KeepInfo:
    """A worker_init_fn that keeps what get_worker_info() says in the dataset."""

    def __call__(self, worker_id):
        info = get_worker_info()
        info.dataset.kept = [worker_id, info.id, info.num_workers, info.seed == torch.initial_seed()]


class KeepingDataset(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.kept


@has_iterable
def test_get_worker_info_in_worker_init_fn(both):
    loader = DataLoader(KeepingDataset(), num_workers=2, collate_fn=as_list, worker_init_fn=KeepInfo())
    assert both(lambda: outcomes(loader)) == [[[0, 0, 2, True]], [[1, 1, 2, True]]]


# Iterable datasets


class Shares(IterableDataset):
    """Worker 0 yields one item, worker 1 two, and so on."""

    def __init__(self, length=None):
        self.length = length

    def __iter__(self):
        worker = get_worker_info().id
        return iter([10 * worker + item for item in range(worker + 1)])

    def __len__(self):
        if self.length is None:
            raise TypeError("a stream has no length")
        return self.length


@has_iterable
def test_workers_of_an_iterable_dataset_end_at_different_times(both):
    found = both(lambda: outcomes(DataLoader(Shares(), num_workers=3)))
    assert found == [[0], [10], [20], [11], [21], [22]]


@has_length_warning
def test_an_iterable_dataset_longer_than_it_says_warns(both):
    def case():
        loader = DataLoader(Shares(2), num_workers=2)
        return len(loader), with_warnings(lambda: outcomes(loader))

    length, (batches, warned) = both(case)
    assert (length, batches) == (2, [[0], [10], [11]])
    assert ["but 3 samples have been fetched" in text for text, _ in warned] == [True]


@has_iterable
@pytest.mark.parametrize("option", ["sampler", "batch_sampler", "shuffle"])
def test_an_iterable_dataset_takes_no_sampler(both, option):
    error, text = both(lambda: attempt(lambda: DataLoader(Shares(), **{option: [0]})))
    assert error == "ValueError"
    assert f"expected unspecified {option} option" in text


# Options, attributes and length


@pytest.mark.parametrize(
    "attribute",
    ["batch_size", "sampler", "drop_last", "batch_sampler", "dataset", "num_workers", "persistent_workers", "other"],
)
def test_setting_an_attribute_later_is_refused_as_on_stock_torch(both, attribute):
    loader = DataLoader(range(4))
    refusal = "ValueError", f"{attribute} attribute should not be set after DataLoader is initialized"
    outcome = both(lambda: attempt(lambda: setattr(loader, attribute, 1)))
    always = attribute in ("batch_size", "sampler", "drop_last")
    assert outcome == refusal or (outcome is None and not always)


@pytest.mark.skipif(not HAS_CONTEXT, reason="this torch has no multiprocessing_context")
def test_a_wrong_multiprocessing_context_is_refused(both):
    def case():
        return [
            attempt(lambda: DataLoader(range(2), num_workers=1, multiprocessing_context="thread")),
            attempt(lambda: DataLoader(range(2), num_workers=1, multiprocessing_context=7)),
            attempt(lambda: DataLoader(range(2), num_workers=0, multiprocessing_context="spawn")),
            attempt(lambda: setattr(DataLoader(range(2)), "multiprocessing_context", "spawn")),
        ]

    name, kind, unused, later = both(case)
    assert "should specify a valid start method" in name[1]
    assert "should be a valid context object or a string" in kind[1]
    assert "can only be used with multi-process loading" in unused[1]
    assert later == unused


@pytest.mark.skipif(not HAS_CONTEXT, reason="this torch has no multiprocessing_context")
def test_a_multiprocessing_context_may_be_an_object_set_later(both):
    context = multiprocessing.get_context("fork")

    def case():
        loader = DataLoader(range(2), num_workers=1)
        loader.multiprocessing_context = context
        iterator = iter(loader)
        kind = type(processes_of(iterator)[0]).__name__
        return loader.multiprocessing_context is context, kind, outcomes(iterator)

    assert both(case) == (True, "ForkProcess", [[0], [1]])


def test_the_length_of_a_loader(both):
    loaders = [
        (DataLoader(range(10), num_workers=1), 10),
        (DataLoader(range(10), num_workers=1, batch_size=3), 4),
        (DataLoader(range(10), num_workers=1, batch_size=3, drop_last=True), 3),
        (DataLoader(range(10), num_workers=1, sampler=SequentialSampler(range(4))), 4),
        (DataLoader(range(10), num_workers=1, batch_sampler=[[0, 1], [2]]), 2),
    ]
    for loader, length in loaders:
        assert both(lambda loader=loader: (len(loader), len(outcomes(loader)))) == (length, length)


@has_iterable
def test_the_length_of_a_loader_of_a_stream_is_an_error(both):
    error, _ = both(lambda: attempt(lambda: len(DataLoader(Shares(), num_workers=1))))
    assert error in ("TypeError", "NotImplementedError")


@pytest.mark.skipif(TORCH < (1, 8), reason="torch 1.8 brought the warning")
def test_more_workers_than_processors_warn(both):
    _, warned = both(lambda: with_warnings(lambda: len(DataLoader(range(4), num_workers=10**6))))
    assert ["excessive worker creation" in text for text, _ in warned] == [True]


# Batches


def shuffled():
    return DataLoader(range(8), num_workers=2, shuffle=True)


def weighted():
    sampler = torch.utils.data.WeightedRandomSampler([0.0, 1.0, 1.0], 8)
    return DataLoader(range(3), num_workers=2, sampler=sampler)


def subset():
    sampler = torch.utils.data.SubsetRandomSampler([1, 3, 5])
    return DataLoader(range(8), num_workers=2, sampler=sampler)


def split():
    return DataLoader(torch.utils.data.random_split(range(8), [5, 3])[1], num_workers=2)


def distributed():
    sampler = torch.utils.data.distributed.DistributedSampler(range(8), num_replicas=2, rank=1)
    sampler.set_epoch(1)
    return DataLoader(range(8), num_workers=2, sampler=sampler)


@pytest.mark.parametrize("build, count", [(shuffled, 8), (weighted, 8), (subset, 3), (split, 3), (distributed, 4)])
def test_the_order_of_samples_is_that_of_stock_torch(both, build, count):
    batches = both(lambda: outcomes(build()))
    assert len(batches) == count
    assert batches != sorted(batches)


@pytest.mark.skipif(TORCH < (1, 6), reason="torch 1.6 brought the option generator")
def test_the_order_of_samples_by_a_generator_is_that_of_stock_torch(both):
    def case():
        generator = torch.Generator()
        generator.manual_seed(5)
        loader = DataLoader(WorkerView(), num_workers=2, shuffle=True, generator=generator, collate_fn=as_list)
        return outcomes(loader), generator.get_state().tolist()

    assert len(both(case)[0]) == 4


@has_iterable
def test_a_sampler_of_batches_without_automatic_batching(both):
    dataset = TensorDataset(torch.arange(5))
    sampler = BatchSampler(SequentialSampler(dataset), batch_size=2, drop_last=False)
    outcome = both(
        lambda: attempt(lambda: outcomes(DataLoader(dataset, num_workers=2, batch_size=None, sampler=sampler)))
    )
    assert outcome == [[[0, 1]], [[2, 3]], [[4]]] or "mutually exclusive" in outcome[1]


Point = collections.namedtuple("Point", "x y")


class Nested(Dataset):
    """Items of every kind that default_collate knows."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {
            "tensor": torch.tensor([index, 2]),
            "point": Point(index, 0.5),
            "text": "item",
            "array": np.array([index, 3]),
            "number": np.float64(index),
            "pair": (index, [index]),
        }


def test_default_collate(both):
    assert both(lambda: outcomes(DataLoader(Nested(), num_workers=1, batch_size=2))) == [
        {
            "tensor": [[0, 2], [1, 2]],
            "point": [[0, 1], [0.5, 0.5]],
            "text": ["item", "item"],
            "array": [[0, 3], [1, 3]],
            "number": [0.0, 1.0],
            "pair": [[0, 1], [[0, 1]]],
        }
    ]


def test_default_collate_refuses_what_it_does_not_know(both):
    loader = DataLoader([object(), object()], num_workers=1, batch_size=2)
    error, text = both(lambda: error_of(loader))
    assert error is TypeError
    assert "numbers, dicts or lists; found <class 'object'>" in text


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_pin_memory_without_a_gpu(both):
    def case():
        loader = DataLoader(TensorDataset(torch.arange(3)), num_workers=2, pin_memory=True)
        return loader.pin_memory, [batch.is_pinned() for (batch,) in loader]

    assert both(case) == (True, [False] * 3)


def test_tensors_from_workers_are_in_shared_memory(both):
    loader = DataLoader(TensorDataset(torch.arange(3)), num_workers=1)
    assert both(lambda: [batch.is_shared() for (batch,) in loader]) == [True] * 3


def test_datasets_put_together(both):
    loader = DataLoader(ConcatDataset([range(2), range(5, 7)]), num_workers=2, batch_size=3)
    assert both(lambda: outcomes(loader)) == [[0, 1, 5], [6]]


# Deaths, each in interpreters of their own


@pytest.fixture
def programs(tmp_path):
    """Starts a program on stock torch and with the shim, each in a process group of its own."""
    script = tmp_path / "program.py"
    running = []

    def start(code):
        script.write_text(code)
        for mode in ("stock", "workerseed"):
            running.append(
                subprocess.Popen(
                    [sys.executable, "-W", "ignore", str(script), mode],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    universal_newlines=True,
                    env=environment_with(),
                    start_new_session=True,
                )
            )
        return running

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "XZ"
    except OSError:
        return False


def ends(pids):
    """Whether these processes end within some seconds; torch's workers look every five whether the parent is there."""
    for _ in range(200):
        if not any(is_running(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


START = """
import json, multiprocessing, os, resource, signal, sys, time
import torch
if sys.argv[1] == "workerseed":
    import workerseed
from torch.utils.data import DataLoader, Dataset
"""

DYING = (
    START
    + """
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

def send(number):
    os.kill(os.getpid(), number)

DEATHS = {
    "kill": lambda: send(signal.SIGKILL),
    "terminate": lambda: send(signal.SIGTERM),
    "segmentation fault": lambda: send(signal.SIGSEGV),
    "bus error": lambda: send(signal.SIGBUS),
    "_exit": lambda: os._exit(3),
    "exit": lambda: sys.exit(4),
}

class Deadly(Dataset):
    def __init__(self, die):
        self.die = die

    def __len__(self):
        return 2

    def __getitem__(self, index):
        time.sleep(0.2)  # the parent watches workers only after it has started them all
        self.die()

def death(die):
    try:
        list(DataLoader(Deadly(die), num_workers=1))
    except RuntimeError as error:
        return [str(error), str(error.__context__)]

print(json.dumps({name: [death(die), len(multiprocessing.active_children())] for name, die in DEATHS.items()}))
"""
)


def test_the_death_of_a_worker_is_reported(programs):
    (stock, noise), (ours, our_noise) = (process.communicate(timeout=120) for process in programs(DYING))
    ended = json.loads(text_of(stock))
    assert json.loads(text_of(ours)) == ended
    assert {left for _, left in ended.values()} == {0}
    ends = {
        "kill": "is killed by signal: Killed.",
        "terminate": "is killed by signal: Terminated.",
        "segmentation fault": "is killed by signal: Segmentation fault.",
        "bus error": "is killed by signal: Bus error.",
        "_exit": "exited unexpectedly with exit code 3.",
        "exit": "exited unexpectedly with exit code 4.",
    }
    for name, end in ends.items():
        assert f"DataLoader worker (pid #) {end}" in " ".join(ended[name][0])
    for text in (noise, our_noise):  # of torch's own signal handlers in the worker
        assert "ERROR: Unexpected segmentation fault encountered in worker." in text
        assert "ERROR: Unexpected bus error encountered in worker." in text


INTERRUPTED = (
    START
    + """
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests may ignore it, and we inherit that

class SlowAtThree(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 3:
            time.sleep(60)
        return index

try:
    for batch in DataLoader(SlowAtThree(), num_workers=2):
        if int(batch) == 2:
            print(*[child.pid for child in multiprocessing.active_children()], flush=True)
            WAIT
except KeyboardInterrupt:
    print("interrupted")  # until here its traceback may hold the iterator
print(len(multiprocessing.active_children()))
"""
)


# At a moment when the program waits: in the midst of Queue.put, Python's own, an interrupt can leave a lock behind.
@pytest.mark.parametrize("wait", ["time.sleep(60)", "continue"], ids=["in the loop", "for a batch"])
def test_control_c_interrupts_the_loop_and_ends_the_workers(programs, wait):
    for process in programs(INTERRUPTED.replace("WAIT", wait)):
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n0\n"
        assert process.returncode == 0
        assert ends(pids)


LOOPING = (
    START
    + """
for index, batch in enumerate(DataLoader(range(10 ** 6), num_workers=2)):
    if index == 3:
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
    time.sleep(0.01)
"""
)


def test_workers_end_when_their_parent_is_killed(programs):
    found = programs(LOOPING)
    pids = [int(pid) for process in found for pid in process.stdout.readline().split()]
    assert len(pids) == 4
    for process in found:
        process.kill()
    assert ends(pids)


EXITING = (
    START
    + """
iterator = iter(DataLoader(range(100), num_workers=2))
next(iterator)
print(*[child.pid for child in multiprocessing.active_children()])
"""
)


@pytest.mark.parametrize("last, code", [("", 0), ("raise ValueError('the user')", 1)])
def test_workers_end_with_a_program_that_leaves_its_iterator(programs, last, code):
    stock, ours = ((process.communicate(timeout=60), process.returncode) for process in programs(EXITING + last))
    for (printed, errors), returncode in (stock, ours):
        pids = [int(pid) for pid in printed.split()]
        assert len(pids) == 2
        assert ends(pids)
        assert returncode == code
        assert errors.splitlines()[-1:] == (["ValueError: the user"] if code == 1 else [])
