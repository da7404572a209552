"""The loader is read and never written to: at every moment and in every process it is what it is on stock torch."""

import copy
import os
import pickle
import sys
import threading

import pytest
import torch
from support import Draws, as_list, draws, expected_draws, needs_numpy, only_legacy, start_method, text_of
from torch.utils.data import DataLoader, Sampler

import workerseed

pytestmark = [needs_numpy, pytest.mark.timeout(120)]

KEY = "_workerseed_init"


def init(worker_id):
    pass


def attributes_of(loader):
    return {name: value for name, value in vars(loader).items() if name != "_iterator"}  # torch 1.7 writes that itself


# The private entry beside the user's function


def test_only_a_loader_with_workers_has_the_private_entry_and_a_duplicate_has_none_in_its_place(patched):
    loader = DataLoader(Draws(), num_workers=2, worker_init_fn=init)
    chain = vars(loader)[KEY]
    for duplicate in (copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))):
        assert vars(duplicate)[KEY] is None
    assert draws(loader) == draws(copy.copy(loader)) == expected_draws()
    assert vars(loader)[KEY] is chain
    assert vars(chain) == {"worker_init_fn": init}
    assert [name for name in vars(DataLoader(range(2))) if "workerseed" in name] == []


# What others read


class Held(DataLoader):
    """Its dataset or its sampler holds it."""


class HoldsItsLoader(Draws):
    """Each item is what the loader is in the worker."""

    def __getitem__(self, index):
        return type(self.loader) is Held, self.loader.worker_init_fn, vars(self.loader)["worker_init_fn"]


@pytest.mark.parametrize("method, function", [("fork", None), ("fork", init), ("forkserver", init), ("spawn", None)])
def test_a_dataset_that_holds_its_loader_reads_the_users_function_in_a_worker(patched, method, function):
    dataset = HoldsItsLoader(1)
    with start_method(method) as options:
        dataset.loader = Held(dataset, num_workers=1, collate_fn=as_list, worker_init_fn=function, **options)
        assert list(dataset.loader) == [[(True, function, function)]]


class ReadingSampler(Sampler):
    """Notes what its loader is whenever torch asks for an index."""

    def __init__(self):
        self.seen = []

    def __len__(self):
        return 4

    def __iter__(self):
        for index in range(4):
            self.seen.append((type(self.loader), self.loader.worker_init_fn, attributes_of(self.loader)))
            yield index


@pytest.mark.parametrize("function", [None, init])
def test_a_sampler_reads_the_users_function_while_workers_start(patched, function):
    sampler = ReadingSampler()
    loader = sampler.loader = Held(range(4), num_workers=1, sampler=sampler, worker_init_fn=function)
    before = attributes_of(loader)
    iterator = iter(loader)
    assert len(sampler.seen) >= 2  # two batches are asked for in advance
    list(iterator)
    assert sampler.seen == [(Held, function, before)] * 4


# User code that runs while workers start


class UserCode:
    """Runs an action at one moment of a start, not when that action starts workers itself."""

    def __init__(self, action):
        self.action, self.armed, self.calls = action, False, []

    def __call__(self, loader):
        if self.armed:
            self.armed = False
            self.calls.append(self.action(loader))


def on_attribute(name):
    def loader_class(code):
        def read(loader):
            code(loader)
            return vars(loader)[name]

        def write(loader, value):
            vars(loader)[name] = value

        return type("Loader", (DataLoader,), {name: property(read, write)})

    return loader_class


def on_any_attribute(code):
    class Loader(DataLoader):
        def __getattribute__(self, name):
            if name in ("worker_init_fn", "timeout"):
                code(self)
            return super().__getattribute__(name)

    return Loader


MOMENTS = {name: on_attribute(name) for name in ("worker_init_fn", "num_workers", "dataset", "pin_memory")}
MOMENTS["__getattribute__"] = on_any_attribute


class TorchSeeds(Draws):
    """Each item is torch's seed in the worker, the same with workerseed as without."""

    def __getitem__(self, index):
        return torch.initial_seed()


def iterate_another(loader):
    return [int(batch) for batch in DataLoader(TorchSeeds(2), num_workers=1)]


def iterate_the_same(loader):
    return [int(batch) for batch in loader]


def wait_for_a_thread_that_iterates(loader):
    items = []
    thread = threading.Thread(target=lambda: items.extend(iterate_the_same(loader)))
    thread.start()
    thread.join()
    return items


def raising(error):
    def action(loader):
        raise error

    return action


ACTIONS = [iterate_another, iterate_the_same, wait_for_a_thread_that_iterates]
ERRORS = [ValueError("no"), KeyboardInterrupt(), SystemExit(3)]


def outcome(moment, action):
    """What a start is like in which user code runs: items or the error, what the code did, and the loader's class."""
    code = UserCode(action)
    loader = MOMENTS[moment](code)(TorchSeeds(4), num_workers=2, worker_init_fn=init)
    before = attributes_of(loader)
    torch.manual_seed(0)
    code.armed = True
    try:
        items = [int(batch) for batch in loader]
    except BaseException as error:
        items = type(error), text_of(error)
    assert not code.armed
    assert attributes_of(loader) == before
    return items, code.calls, type(loader).__mro__[1:]


@pytest.mark.parametrize(
    "action", [*ACTIONS, *map(raising, ERRORS)], ids=[*(a.__name__ for a in ACTIONS), *map(repr, ERRORS)]
)
@pytest.mark.parametrize("moment", MOMENTS)
def test_user_code_may_do_anything_while_workers_start(request, moment, action):
    stock = outcome(moment, action)
    request.getfixturevalue("patched")
    assert outcome(moment, action) == stock


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_loader_with_such_code_is_seeded(patched, moment):
    assert draws(MOMENTS[moment](UserCode(None))(Draws(), num_workers=2)) == expected_draws()


@only_legacy  # the option that patches other torches reads the dataset as well
@pytest.mark.parametrize("moment", MOMENTS)
def test_such_code_runs_as_often_as_on_stock_torch(request, moment):
    def count():
        reads = []
        loader = MOMENTS[moment](reads.append)(range(2), num_workers=1)
        made = len(reads)
        list(loader)
        return made, len(reads)

    stock = count()
    request.getfixturevalue("patched")
    assert count() == stock


def test_a_property_that_returns_another_function_at_each_read_is_called_with_the_first(patched):
    read = []

    class Loader(DataLoader):
        @property
        def worker_init_fn(self):
            read.append(lambda worker_id: None)
            return read[-1]

        @worker_init_fn.setter
        def worker_init_fn(self, function):
            pass

    iterator = iter(Loader(range(2), num_workers=1))
    functions = {
        function.worker_init_fn for name, function in vars(iterator).items() if name.endswith("worker_init_fn")
    }
    list(iterator)
    assert functions == {read[0]}
    assert len(read) == 1


def test_no_class_is_made_from_that_of_a_loader(patched):
    made = []

    class Loader(DataLoader):
        def __init_subclass__(cls):
            made.append(cls)

    assert draws(Loader(Draws(), num_workers=2)) == expected_draws()
    assert made == []


def test_a_loader_whose_dict_is_a_property_that_raises_is_seeded(patched):
    class Loader(DataLoader):
        @property
        def __dict__(self):
            raise RuntimeError("not yours")

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


class Interrupt(BaseException):
    pass


def interrupt():
    raise Interrupt


def steps_of_a_start(count=40):
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
    for step in steps_of_a_start():
        with pytest.raises(Interrupt), At(step, interrupt):
            iter(loader)
        assert attributes_of(loader) == before
    assert draws(loader) == expected_draws()


def test_a_signal_handler_may_iterate_at_any_step(patched):
    loader, other = (DataLoader(Draws(4), num_workers=2) for _ in range(2))
    for step in steps_of_a_start(8):
        found = []
        torch.manual_seed(0)
        with At(step, lambda: found.append(draws(other))):  # noqa: B023
            iterator = iter(loader)
        assert len({int(batch) for batch in iterator}) == 4
        assert found == [expected_draws(length=4)]


# Threads


class InTurn:
    """Batches of one; while torch makes an iterator for one thread, the others wait in the middle of making theirs.

    Without turns the test hangs now and then, on stock torch as well: a worker that is forked while another thread
    draws a base seed, or imports a module, inherits the lock of torch's generator, or of the module, as held.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.thread = None

    def __len__(self):
        return 4

    def __iter__(self):
        if self.thread is not threading.current_thread():  # torch 1.7 and later ask twice
            self.lock.acquire()
            self.thread = threading.current_thread()
        return iter([[0], [1], [2], [3]])


def test_threads_may_start_workers_of_one_loader_at_once(patched):
    turns, iterators = InTurn(), []
    loader = DataLoader(Draws(4), batch_sampler=turns, num_workers=2, worker_init_fn=init)
    before = attributes_of(loader)

    def start():
        try:
            iterators.append(iter(loader))
        finally:
            turns.lock.release()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = [[int(batch) for batch in iterator] for iterator in iterators]
    assert len({number for numbers in drawn for number in numbers}) == 24
    assert attributes_of(loader) == before
