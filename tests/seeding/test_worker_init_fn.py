"""Any worker_init_fn keeps working, after the seeding; it draws itself, and the items show what it was called with."""

import functools
import time

import pytest
from support import TORCH, Draws, Items, as_list, draw_of_numpy, epoch, error_of, expected_draws, start_method
from torch.utils.data import DataLoader

calls = []  # in a worker: the worker id and a draw, for each call


def calls_so_far(index):
    return list(calls)


CALLS = Items(calls_so_far, 2)


def note_call(worker_id):
    calls.append((worker_id, draw_of_numpy()))


def note_call_named(name, worker_id):
    assert name == "partial"
    note_call(worker_id)


class Initialiser:
    def __call__(self, worker_id):
        note_call(worker_id)


class OddCallable(Initialiser):
    """Refuses every question that one may ask it."""

    def refuse(self, *arguments):
        raise LookupError("ask no questions")

    __bool__ = __eq__ = __hash__ = __len__ = __repr__ = __getattr__ = refuse
    __class__ = property(refuse)


KINDS = {
    "function": note_call,
    "partial": functools.partial(note_call_named, "partial"),
    "callable object": Initialiser(),
    "odd callable": OddCallable(),
}


def are_called_once_after_the_seeding(loader):
    calls_of_workers = [item for batch in epoch(loader) for item in batch]
    return calls_of_workers == [[(worker_id, draw)] for worker_id, draw in enumerate(expected_draws(length=2))]


# What is pickled is the same under spawn, where each worker imports torch anew: one kind is enough there.
@pytest.mark.parametrize(
    "method, kind", [*(("fork", kind) for kind in KINDS), ("forkserver", "partial"), ("spawn", "callable object")]
)
def test_it_is_called_once_with_the_worker_id_after_the_seeding(patched, method, kind):
    with start_method(method) as options:
        loader = DataLoader(CALLS, num_workers=2, collate_fn=as_list, worker_init_fn=KINDS[kind], **options)
        assert are_called_once_after_the_seeding(loader)


def test_one_assigned_after_construction_is_called_after_the_seeding(patched):
    loader = DataLoader(CALLS, num_workers=2, collate_fn=as_list)
    loader.worker_init_fn = note_call
    assert are_called_once_after_the_seeding(loader)


def test_one_taken_away_after_construction_is_not_called(patched):
    loader = DataLoader(Draws(), num_workers=2, worker_init_fn=refuse)
    loader.worker_init_fn = None
    assert [int(batch) for batch in epoch(loader)] == expected_draws()


def refuse(worker_id):
    time.sleep(TORCH < (1, 2))  # until the parent waits: a worker that dies earlier can make torch 1.0 hang
    raise LookupError(f"worker {worker_id} will not start")


def test_what_it_raises_reaches_the_user_as_on_stock_torch(as_on_stock):
    kind, text = as_on_stock(error_of, DataLoader(Draws(), num_workers=1, worker_init_fn=refuse))
    if TORCH < (1, 2):  # which do not forward it: the worker dies
        assert "exited unexpectedly" in text
    else:
        assert kind is LookupError
        assert "worker 0 will not start" in text


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_one_that_cannot_be_pickled_fails_as_on_stock_torch(as_on_stock, method):
    with start_method(method) as options:
        loader = DataLoader(Draws(), num_workers=1, worker_init_fn=lambda worker_id: None, **options)
        _, text = as_on_stock(error_of, loader)
    assert "pickle" in text
