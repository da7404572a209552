"""What stock torch promises around workers holds with the shim, too: every case runs without it and with it."""

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
import torch.utils.data
from support import HAS_CONTEXT, TORCH, as_list, environment_with, error_of, only_legacy, text_of
from torch.utils.data import DataLoader, Dataset, SequentialSampler, TensorDataset

import workerseed

IterableDataset = getattr(torch.utils.data, "IterableDataset", Dataset)
get_worker_info = getattr(torch.utils.data, "get_worker_info", None)

has_iterable = pytest.mark.skipif(
    TORCH < (1, 2), reason="torch 1.2 brought IterableDataset, the worker info and contexts"
)
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


def processes_of(iterator):
    return iterator.workers if hasattr(iterator, "workers") else iterator._workers


# Errors


ERRORS = {
    "ValueError": ValueError("no such item"),
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


def test_an_error_in_the_dataset_reaches_the_user_and_the_next_batches_too(both):
    found = both(lambda: outcomes(DataLoader(FailingDataset(ERRORS["ValueError"]), num_workers=2)))
    assert [found[0], found[2], found[3]] == [[0], [2], [3]]
    assert found[1][0] == "ValueError"
    assert "no such item" in found[1][1]


def test_stop_iteration_in_the_dataset_ends_the_epoch(both):
    loader = DataLoader(FailingDataset(ERRORS["StopIteration"]), num_workers=2)
    assert both(lambda: outcomes(loader)) == [[0]]


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


class SleepingDataset(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        time.sleep(0.6)
        return index


def test_timeout_raises(both):
    loader = DataLoader(SleepingDataset(), num_workers=1, timeout=0.1)
    assert both(lambda: error_of(loader)) == (RuntimeError, "DataLoader timed out after 0.1 seconds")


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


def test_iterators_of_one_loader_live_side_by_side(both):
    def case():
        loader = DataLoader(range(4), num_workers=2, shuffle=True)
        return [(int(a), int(b)) for a, b in zip(loader, loader)]

    one, other = zip(*both(case))
    assert sorted(one) == sorted(other) == [0, 1, 2, 3]


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
def test_a_multiprocessing_context_may_be_an_object_set_later(both):
    context = multiprocessing.get_context("fork")

    def case():
        loader = DataLoader(range(2), num_workers=1)
        loader.multiprocessing_context = context
        iterator = iter(loader)
        kind = type(processes_of(iterator)[0]).__name__
        return loader.multiprocessing_context is context, kind, outcomes(iterator)

    assert both(case) == (True, "ForkProcess", [[0], [1]])


# Batches


def test_the_order_of_samples_is_that_of_stock_torch(both):
    batches = both(lambda: outcomes(DataLoader(range(8), num_workers=2, shuffle=True)))
    assert len(batches) == 8
    assert batches != sorted(batches)


@pytest.mark.skipif(TORCH < (1, 6), reason="torch 1.6 brought the option generator")
def test_the_order_of_samples_by_a_generator_is_that_of_stock_torch(both):
    def case():
        generator = torch.Generator()
        generator.manual_seed(5)
        loader = DataLoader(WorkerView(), num_workers=2, shuffle=True, generator=generator, collate_fn=as_list)
        return outcomes(loader), generator.get_state().tolist()

    assert len(both(case)[0]) == 4


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_pin_memory_without_a_gpu(both):
    def case():
        loader = DataLoader(TensorDataset(torch.arange(3)), num_workers=2, pin_memory=True)
        return loader.pin_memory, [batch.is_pinned() for (batch,) in loader]

    assert both(case) == (True, [False] * 3)


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
