"""The loader is read and never written to: at every moment and in every process it is what it is on stock torch."""

import contextlib
import copy
import os
import pickle
import sys
import threading

import pytest
import torch
from support import Draws, Items, as_list, draws, expected_draws, init, start_method, text_of
from torch.utils.data import DataLoader, Sampler

import workerseed

pytestmark = pytest.mark.timeout(120)

KEY = "_workerseed_init"
STOCK_INIT = vars(DataLoader)["__init__"]


def attributes_of(loader):
    return {name: value for name, value in vars(loader).items() if name != "_iterator"}  # torch 1.7 writes that itself


@pytest.mark.parametrize("workers, entry", [(0, set()), (2, {KEY})])
def test_a_loader_with_workers_has_one_private_entry_and_one_without_has_none(request, workers, entry):
    stock = set(dir(DataLoader(Draws(), num_workers=workers)))
    request.getfixturevalue("patched")
    assert set(dir(DataLoader(Draws(), num_workers=workers))) - stock == entry


def pickled(loader):
    return pickle.loads(pickle.dumps(loader))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_a_duplicate_of_a_loader_is_seeded_and_keeps_its_function(patched, duplicate):
    loader = DataLoader(Draws(), num_workers=2, worker_init_fn=init)
    made = duplicate(loader)
    assert made.worker_init_fn is init
    assert vars(vars(loader)[KEY]) == {"worker_init_fn": init}
    assert vars(made)[KEY] is (vars(loader)[KEY] if duplicate is copy.copy else None)
    assert draws(made) == draws(loader) == expected_draws()


class Holder(Draws, Sampler):
    """A dataset and a sampler: each item, and each note beside an index, is what its loader is there and then."""

    def __init__(self):
        super().__init__(4)
        self.seen = []

    def view(self):
        return type(self.loader) is DataLoader, self.loader.worker_init_fn, vars(self.loader)["worker_init_fn"]

    def __getitem__(self, index):
        return self.view()

    def __iter__(self):
        for index in range(4):
            self.seen.append((*self.view(), attributes_of(self.loader)))
            yield index


@pytest.mark.parametrize("method, function", [("fork", None), ("fork", init), ("forkserver", init), ("spawn", None)])
def test_dataset_and_sampler_read_the_users_function_in_workers_and_while_they_start(patched, method, function):
    holder = Holder()
    with start_method(method) as options:
        options.update(sampler=holder, num_workers=1, collate_fn=as_list)
        loader = holder.loader = DataLoader(holder, worker_init_fn=function, **options)
        before = attributes_of(loader)
        assert list(loader) == [[(True, function, function)]] * 4
    assert holder.seen == [(True, function, function, before)] * 4
    assert loader.worker_init_fn is function


def seed_of_torch(index):  # the same with workerseed as without
    return torch.initial_seed()


def do_nothing(loader):
    pass


def iterate_another(loader):
    return [int(batch) for batch in DataLoader(Items(seed_of_torch, 2), num_workers=1)]


def iterate_the_same(loader):
    return [int(batch) for batch in loader]


def wait_for_a_thread_that_iterates(loader):
    items = []
    thread = threading.Thread(target=lambda: items.extend(iterate_the_same(loader)))
    thread.start()
    thread.join()
    return items


def interrupt(loader=None):
    raise KeyboardInterrupt


def exit_with_3(loader):
    raise SystemExit(3)


def outcome(moment, action):
    """A start in which user code runs at the first read of an attribute: items or the error, the results, the reads."""
    armed, results, reads = [], [], []

    class Loader(DataLoader):
        def __getattribute__(self, name):
            if name == moment:
                reads.append(name)
                if armed:
                    results.append(armed.pop()(self))
            return super().__getattribute__(name)

    loader = Loader(Items(seed_of_torch, 4), num_workers=2, worker_init_fn=init)
    before = attributes_of(loader)
    torch.manual_seed(0)
    armed.append(action)
    try:
        items = [int(batch) for batch in loader]
    except BaseException as error:
        items = type(error), text_of(error)
    assert armed == []
    assert attributes_of(loader) == before
    assert type(loader) is Loader
    return items, results, len(reads)


ACTIONS = [do_nothing, iterate_another, iterate_the_same, wait_for_a_thread_that_iterates, interrupt, exit_with_3]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("moment", ["worker_init_fn", "num_workers", "dataset", "pin_memory", "timeout"])
def test_user_code_may_do_anything_while_workers_start(as_on_stock, moment, action):
    as_on_stock(outcome, moment, action)


def test_no_property_named_dict_of_a_loader_runs(patched):
    class Loader(DataLoader):
        @property
        def __dict__(self):
            raise SystemExit("not yours")

    assert draws(Loader(Draws(), num_workers=2)) == expected_draws()


# Between any two steps of ours: what a signal handler does there


class At:
    """Runs an action at one step of workerseed's own code in this process: a bytecode, on Python 3.6 a line."""

    folder = os.path.dirname(workerseed.__file__)

    def __init__(self, step, action):
        self.left, self.action, self.process = step, action, os.getpid()

    def __enter__(self):
        sys.settrace(self.trace)

    def __exit__(self, *error):
        sys.settrace(None)

    def trace(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(self.folder) or os.getpid() != self.process:
            return None
        if hasattr(frame, "f_trace_opcodes"):  # Python 3.7
            frame.f_trace_opcodes = True
        if event == ("opcode" if hasattr(frame, "f_trace_opcodes") else "line"):
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self.action()
        return self.trace


def steps_of_a_start(count):
    """Steps of workerseed in one start of workers, evenly spread."""
    loader = DataLoader(range(1), num_workers=1)
    list(loader)  # the first start imports what the next ones find
    at = At(10**6, None)
    with at:
        iterator = iter(loader)
    list(iterator)
    steps = 10**6 - at.left
    assert steps > 20
    return range(1, steps, max(1, steps // count))


def test_an_interrupt_at_any_step_leaves_nothing_behind(patched):
    loader = DataLoader(Draws(), num_workers=2, worker_init_fn=init)
    before = attributes_of(loader)
    for step in steps_of_a_start(40):
        with pytest.raises(KeyboardInterrupt), At(step, interrupt):
            iter(loader)
        assert attributes_of(loader) == before
    assert draws(loader) == expected_draws()


def test_after_an_interrupt_at_any_step_uninstall_can_be_called_again():
    for step in range(1, 300, 8):
        workerseed.install(["generators"])  # with it, any torch is patched
        with contextlib.suppress(KeyboardInterrupt), At(step, interrupt):
            workerseed.uninstall()
        workerseed.uninstall()
        assert vars(DataLoader)["__init__"] is STOCK_INIT


def test_a_signal_handler_may_iterate_at_any_step(patched):
    loader, other = (DataLoader(Draws(4), num_workers=2) for _ in range(2))
    for step in steps_of_a_start(8):
        found = []
        torch.manual_seed(0)
        with At(step, lambda: found.append(draws(other))):  # noqa: B023
            iterator = iter(loader)
        assert len({int(batch) for batch in iterator}) == 4
        assert found == [expected_draws(length=4)]
