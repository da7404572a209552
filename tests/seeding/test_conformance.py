"""What stock torch does around workers it does with workerseed, too."""

import itertools
import multiprocessing
import random
import time

import pytest
import torch
import torch.utils.data
from support import TORCH, as_list, only_legacy, text_of
from torch.utils.data import DataLoader, Dataset

pytestmark = [only_legacy, pytest.mark.timeout(120)]


class Items(Dataset):
    """Each item is what a function makes of its index."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.make(index)


def fail_at_1(index):
    if index == 1:
        raise ValueError("no such item")
    return index


def view_of_a_worker(index):
    numbers = torch.initial_seed(), torch.rand(1).item(), random.random()
    info = torch.utils.data.get_worker_info() if TORCH >= (1, 2) else None
    of_info = info and (info.id, info.num_workers, info.seed, type(info.dataset))
    return (*numbers, torch.get_num_threads(), multiprocessing.current_process().daemon, of_info)


def batches_of(dataset, **options):
    """What each step of an epoch gives, past errors: a batch, or the type and the text of an error."""
    iterator = iter(DataLoader(dataset, collate_fn=as_list, **options))
    found = []
    while len(found) < 20:
        try:
            found.append(next(iterator))
        except StopIteration:
            break
        except Exception as error:
            found.append((type(error), text_of(error)))
    return found


def an_error_in_the_dataset():
    found = batches_of(Items(fail_at_1), num_workers=2)
    assert [found[0], found[2], found[3]] == [[0], [2], [3]]
    assert "no such item" in found[1][1]
    return found


def a_timeout():
    found = batches_of(Items(lambda index: time.sleep(0.6)), num_workers=1, timeout=0.1)[0]
    assert found == (RuntimeError, "DataLoader timed out after 0.1 seconds")
    return found


def seeds_settings_and_info_of_a_worker():
    return batches_of(Items(view_of_a_worker), num_workers=2)


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


@pytest.mark.parametrize("case", [an_error_in_the_dataset, a_timeout, seeds_settings_and_info_of_a_worker])
def test_it_is_as_on_stock_torch(as_on_stock, case):
    as_on_stock(outcome_of, case)


@pytest.mark.parametrize("batches", [1, None])
def test_workers_end_as_on_stock_torch(as_on_stock, batches):
    as_on_stock(outcome_of, end_of_workers_after, batches)
