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
    return (*numbers, torch.get_num_threads(), multiprocessing.current_process().daemon)


def worker_info(index):
    info = torch.utils.data.get_worker_info()
    return info.id, info.num_workers, info.seed, type(info.dataset)


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


def seeds_and_settings_of_a_worker():
    return batches_of(Items(view_of_a_worker), num_workers=2)


def the_worker_info():
    return batches_of(Items(worker_info), num_workers=2)


def a_loader_in_a_worker():
    return batches_of(Items(lambda index: list(DataLoader(range(3), collate_fn=as_list))), num_workers=2)


def processes_of(iterator):
    return list(iterator.workers if hasattr(iterator, "workers") else iterator._workers)


def exit_after(batches):
    """How workers end when an iterator goes after so many batches, None for all."""
    iterator = iter(DataLoader(range(10), num_workers=2, collate_fn=as_list))
    processes = processes_of(iterator)
    items = list(itertools.islice(iterator, batches))
    del iterator
    codes = [process.exitcode for process in processes]
    assert codes == [0, 0]
    return items, codes


def an_early_break():
    return exit_after(1)


def the_end_of_the_epoch():
    return exit_after(None)


def persistent_workers():
    loader = DataLoader(range(3), num_workers=2, collate_fn=as_list, persistent_workers=True)
    pids, batches = [], []
    for _ in range(2):
        iterator = iter(loader)
        pids.append([process.pid for process in processes_of(iterator)])
        batches.append(list(iterator))
    assert pids[0] == pids[1]
    return batches, [process.is_alive() for process in processes_of(iterator)]


CASES = [an_error_in_the_dataset, a_timeout, seeds_and_settings_of_a_worker, a_loader_in_a_worker]
CASES += [an_early_break, the_end_of_the_epoch]
CASES += [the_worker_info] if TORCH >= (1, 2) else []
CASES += [persistent_workers] if TORCH >= (1, 7) else []


def outcome_of(case):
    torch.manual_seed(0)
    random.seed(0)
    outcome = case()
    assert multiprocessing.active_children() == []
    return outcome


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_on_stock_torch(as_on_stock, case):
    as_on_stock(outcome_of, case)
