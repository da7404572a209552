"""What stock torch promises around workers holds with workerseed, too: every case runs without it and with it."""

import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
import torch.utils.data
from support import TORCH, as_list, environment_with, only_legacy, text_of
from torch.utils.data import DataLoader, Dataset

pytestmark = [only_legacy, pytest.mark.timeout(120)]


@pytest.fixture
def both(as_on_stock):
    """Runs a case on stock torch and with workerseed, the generators seeded; no worker is left."""

    def outcome_of(case):
        torch.manual_seed(0)
        random.seed(0)
        outcome = case()
        assert multiprocessing.active_children() == []
        return outcome

    return lambda case: as_on_stock(outcome_of, case)


def outcomes(iterable):
    """What each step of an iteration gives, past errors: a batch as a list, or the type and the text of an error."""
    iterator = iter(iterable)
    found = []
    while len(found) < 20:
        try:
            batch = next(iterator)
            found.append(batch.tolist() if isinstance(batch, torch.Tensor) else batch)
        except StopIteration:
            break
        except Exception as error:
            found.append((type(error), text_of(error)))
    return found


def processes_of(iterator):
    return list(iterator.workers if hasattr(iterator, "workers") else iterator._workers)


class Items(Dataset):
    """Each item is what a function makes of its index."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.make(index)


# Errors


def fail_at_1(index):
    if index == 1:
        raise ValueError("no such item")
    return index


def test_an_error_in_the_dataset_reaches_the_user_and_the_next_batches_too(both):
    found = both(lambda: outcomes(DataLoader(Items(fail_at_1), num_workers=2)))
    assert [found[0], found[2], found[3]] == [[0], [2], [3]]
    assert found[1][0] is ValueError
    assert "no such item" in found[1][1]


def test_a_timeout_raises(both):
    loader = DataLoader(Items(lambda index: time.sleep(0.6)), num_workers=1, timeout=0.1)
    first = both(lambda: outcomes(loader)[0])
    assert first == (RuntimeError, "DataLoader timed out after 0.1 seconds")


# Workers and iterators


@pytest.mark.parametrize("batches", [1, None], ids=["an early break", "the end of the epoch"])
def test_workers_exit_well_after(both, batches):
    def case():
        iterator = iter(DataLoader(range(10), num_workers=2))
        processes = processes_of(iterator)
        running = [(process.daemon, process.is_alive()) for process in processes]
        items = [int(batch) for batch in itertools.islice(iterator, batches)]
        del iterator
        return running, items, [process.exitcode for process in processes]

    assert both(case) == ([(True, True)] * 2, list(range(10))[:batches], [0, 0])


@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent workers")
def test_persistent_workers_stay_from_epoch_to_epoch(both):
    def case():
        loader = DataLoader(range(3), num_workers=2, persistent_workers=True)
        batches, pids = [], []
        for _ in range(2):
            iterator = iter(loader)
            pids.append([process.pid for process in processes_of(iterator)])
            batches.append(outcomes(iterator))
        return batches, pids[0] == pids[1], [process.is_alive() for process in processes_of(iterator)]

    assert both(case) == ([[[0], [1], [2]]] * 2, True, [True, True])


def view_of_a_worker(index):
    numbers = torch.initial_seed(), torch.rand(1).item(), random.random()
    return (*numbers, torch.get_num_threads(), multiprocessing.current_process().daemon)


def test_a_worker_has_the_seeds_and_settings_of_stock_torch(both):
    loader = DataLoader(Items(view_of_a_worker), num_workers=2, collate_fn=as_list)
    found = [item for batch in both(lambda: outcomes(loader)) for item in batch]
    seed = found[0][0]
    assert [item[0] for item in found] == [seed, seed + 1] * 2
    assert [item[2] for item in found[:2]] == [random.Random(seed + worker).random() for worker in (0, 1)]
    assert [item[3:] for item in found] == [(1, True)] * 4


def worker_info(index):
    info = torch.utils.data.get_worker_info()
    return info.id, info.num_workers, info.seed - torch.initial_seed(), type(info.dataset)


@pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought the worker info")
def test_get_worker_info(both):
    loader = DataLoader(Items(worker_info), num_workers=2, collate_fn=as_list)
    assert both(lambda: outcomes(loader)) == [[(worker, 2, 0, Items)] for worker in (0, 1, 0, 1)]


# The end of workers, whatever ends their program


PROGRAM = """
import multiprocessing, signal, sys, time
import torch, workerseed
from torch.utils.data import DataLoader

signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests may ignore it, and we inherit that
iterator = iter(DataLoader(range(10 ** 6), num_workers=2))
batches = next(iterator), next(iterator)  # of either worker: one whose parent dies as it starts never notices
print(*[child.pid for child in multiprocessing.active_children()], flush=True)
if sys.argv[1] == "error":
    raise ValueError("the user")
if sys.argv[1] != "exit":
    time.sleep(60)
"""
ENDS = {"exit": 0, "error": 1, "SIGINT": -signal.SIGINT, "SIGKILL": -signal.SIGKILL}


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "XZ"
    except OSError:
        return False


@pytest.fixture
def start():
    """Starts a program in a process group of its own, which ends with the test."""
    started = []

    def run(*command):
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "universal_newlines": True}
        started.append(subprocess.Popen(command, env=environment_with(), start_new_session=True, **pipe))
        return started[0]

    yield run
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started[0].pid, signal.SIGKILL)
    started[0].communicate()


@pytest.mark.parametrize("end", ENDS)
def test_workers_end_with_their_program(start, end):
    process = start(sys.executable, "-W", "ignore", "-c", PROGRAM, end)
    pids = process.stdout.readline().split()
    assert len(pids) == 2
    if end.startswith("SIG"):
        process.send_signal(getattr(signal, end))
    assert process.wait(60) in (ENDS[end], 1)  # before Python 3.8, an interrupt ends a program with 1
    limit = time.time() + 20  # torch's workers look every five seconds whether their parent is there
    while any(map(is_running, pids)) and time.time() < limit:
        time.sleep(0.1)
    assert not any(map(is_running, pids))
