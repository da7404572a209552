"""Nothing changes but what NumPy and random draw in workers."""

import inspect
import itertools
import multiprocessing
import pickle
import random
import sys
import time

import pytest
import torch
import torch.utils.data
from support import TORCH, Draws, Items, as_list, draws, error_of, init, needs_numpy, np, only_legacy
from torch.utils.data import DataLoader, dataloader

import workerseed

pytestmark = pytest.mark.timeout(120)
SIGNATURE = inspect.signature(DataLoader.__init__), inspect.getfullargspec(DataLoader.__init__)


def test_the_signature_stays(patched):
    assert (inspect.signature(DataLoader.__init__), inspect.getfullargspec(DataLoader.__init__)) == SIGNATURE


def test_the_class_stays(patched):
    assert torch.utils.data.DataLoader is dataloader.DataLoader is DataLoader
    assert type(DataLoader(Draws())) is DataLoader


def error_in_a_call(options):
    with pytest.raises((TypeError, ValueError)) as error:
        DataLoader(Draws(), **options)
    return error.type, str(error.value)


@pytest.mark.parametrize("options", [{"num_workers": -1}, {"shuffle": True, "sampler": [0]}, {"no_such_option": 1}])
def test_errors_are_those_of_stock_torch(as_on_stock, options):
    as_on_stock(error_in_a_call, options)


@needs_numpy
def test_a_pickled_loader_can_be_read_without_workerseed(shim, monkeypatch):
    loader = DataLoader(range(3), num_workers=1)
    workerseed.keep(loader)  # its mark is pickled, too
    pickled = pickle.dumps(loader)
    for name in [name for name in sys.modules if name.partition(".")[0] == "workerseed"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert pickle.loads(pickled).dataset == range(3)


# The parent process


def parent_state():
    numpy_state = () if np is None else tuple(str(part) for part in np.random.get_state())
    return torch.get_rng_state().tolist(), torch.initial_seed(), random.getstate(), numpy_state


def states_along_a_run():
    torch.manual_seed(0)
    loader = DataLoader(range(4), num_workers=2, worker_init_fn=init)
    return [(parent_state(), len(list(loader))) for _ in range(3)]


def test_the_generators_of_the_parent_move_as_on_stock_torch(as_on_stock):
    as_on_stock(states_along_a_run)


@needs_numpy
def test_a_loader_without_workers_draws_from_the_parent(shim):
    np.random.seed(3)
    drawn = draws(DataLoader(Draws()))
    assert drawn == np.random.RandomState(3).randint(0, 2**31 - 1, 8).tolist()


# What happens around workers


def fail_at_1(index):
    if index == 1:
        raise ValueError("no such item")
    return index


def view_of_a_worker(index):
    numbers = torch.initial_seed(), torch.rand(1).item(), random.random()
    info = torch.utils.data.get_worker_info() if TORCH >= (1, 2) else None
    of_info = info and (info.id, info.num_workers, info.seed, type(info.dataset))
    return (*numbers, torch.get_num_threads(), multiprocessing.current_process().daemon, of_info)


def an_error_in_the_dataset():
    iterator = iter(DataLoader(Items(fail_at_1, 4), num_workers=2))
    assert int(next(iterator)) == 0
    kind, text = error_of(iterator)
    assert "no such item" in text
    return kind, text, [int(batch) for batch in iterator]  # an epoch goes on past it


def a_timeout():
    found = error_of(DataLoader(Items(lambda index: time.sleep(0.6)), num_workers=1, timeout=0.1))
    assert found == (RuntimeError, "DataLoader timed out after 0.1 seconds")
    return found


def seeds_settings_and_info_of_a_worker():
    return list(DataLoader(Items(view_of_a_worker, 4), num_workers=2, collate_fn=as_list))


def end_of_workers_after(batches):
    """How workers end when an iterator goes after so many batches, None for all."""
    iterator = iter(DataLoader(range(10), num_workers=2, collate_fn=as_list))
    processes = list(iterator.workers if hasattr(iterator, "workers") else iterator._workers)
    items = list(itertools.islice(iterator, batches))
    del iterator
    codes = [process.exitcode for process in processes]
    assert codes == [0, 0]
    return items, codes


def outcome_of(case, *arguments):
    torch.manual_seed(0)
    random.seed(0)
    outcome = case(*arguments)
    assert multiprocessing.active_children() == []
    return outcome


@only_legacy
@pytest.mark.parametrize("case", [an_error_in_the_dataset, a_timeout, seeds_settings_and_info_of_a_worker])
def test_what_happens_in_workers_is_as_on_stock_torch(as_on_stock, case):
    as_on_stock(outcome_of, case)


@only_legacy
@pytest.mark.parametrize("batches", [1, None])
def test_workers_end_as_on_stock_torch(as_on_stock, batches):
    as_on_stock(outcome_of, end_of_workers_after, batches)
