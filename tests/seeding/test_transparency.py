"""Nothing changes but what NumPy and random draw in workers."""

import copy
import inspect
import pickle
import random

import pytest
import torch
from support import Draws, draws, epoch, expected_draws, needs_numpy, np
from torch.utils.data import DataLoader, dataloader

import workerseed

SIGNATURE = inspect.signature(DataLoader.__init__), inspect.getfullargspec(DataLoader.__init__)


def init(worker_id):
    pass


def pickled(loader):
    return pickle.loads(pickle.dumps(loader))


@pytest.fixture
def installed():
    """Installs and uninstalls, as often as a test wants."""
    yield workerseed
    workerseed.uninstall()


# What the user reads and may do with a loader


@pytest.mark.parametrize("function", [None, init])
def test_worker_init_fn_stays_that_very_object_or_none(shim, function):
    loader = DataLoader(range(4), num_workers=1, worker_init_fn=function)
    epoch(loader)
    assert loader.worker_init_fn is function


@needs_numpy
def test_a_loader_built_before_is_seeded(installed):
    loader = DataLoader(Draws(), num_workers=2)
    workerseed.install()
    assert draws(loader) == expected_draws()


def test_a_loader_has_no_new_public_attribute(installed):
    stock = DataLoader(Draws(), num_workers=1)
    workerseed.install()
    new = set(dir(DataLoader(Draws(), num_workers=1))) - set(dir(stock))
    assert [name for name in new if not name.startswith("_")] == []


@needs_numpy
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_a_duplicate_of_a_loader_is_seeded_and_keeps_its_function(shim, duplicate):
    loader = duplicate(DataLoader(Draws(), num_workers=2, worker_init_fn=init))
    assert loader.worker_init_fn is init
    assert draws(loader) == expected_draws()


@needs_numpy
def test_a_pickled_loader_can_be_read_without_workerseed(shim, shows, tmp_path):
    loader = DataLoader(range(3), num_workers=1)
    workerseed.keep(loader)  # its mark is pickled, too
    (tmp_path / "loader.pickle").write_bytes(pickle.dumps(loader))
    code = """
import pickle, sys
sys.modules["workerseed"] = None
loader = pickle.load(open({!r}, "rb"))
print(sum(int(batch) for batch in loader))
"""
    assert shows(code.format(str(tmp_path / "loader.pickle"))) == "3\n"


# What DataLoader is


def test_the_signature_stays(shim):
    assert (inspect.signature(DataLoader.__init__), inspect.getfullargspec(DataLoader.__init__)) == SIGNATURE


def test_the_class_stays(shim):
    assert torch.utils.data.DataLoader is dataloader.DataLoader is DataLoader
    assert type(DataLoader(Draws())) is DataLoader


@needs_numpy
def test_an_unbound_call_with_self_first(shim):
    loader = object.__new__(DataLoader)
    assert DataLoader.__init__(loader, Draws(), num_workers=2) is None
    assert draws(loader) == expected_draws()


@pytest.mark.parametrize(
    "call",
    [
        DataLoader,
        lambda: DataLoader(Draws(), num_workers=-1),
        lambda: DataLoader(Draws(), shuffle=True, sampler=[0]),
        lambda: DataLoader(Draws(), no_such_option=1),
    ],
    ids=["no dataset", "num_workers", "sampler", "unknown option"],
)
def test_errors_are_those_of_stock_torch(installed, call):
    with pytest.raises((TypeError, ValueError)) as stock:
        call()
    workerseed.install()
    with pytest.raises(stock.type) as ours:
        call()
    assert str(ours.value) == str(stock.value)


# Subclasses


class WithWorkers(DataLoader):
    def __init__(self, *args):
        super().__init__(*args, num_workers=2)


class WithoutOurInit(DataLoader):
    def __init__(self, dataset):
        loader = DataLoader(dataset, num_workers=2)
        self.__dict__.update((name, value) for name, value in vars(loader).items() if "workerseed" not in name)


class IteratingInItsInit(WithWorkers):  # like MultiEpochsDataLoader of timm
    def __init__(self, *args):
        super().__init__(*args)
        self.iterator = super().__iter__()

    def __iter__(self):
        return self.iterator


@needs_numpy
@pytest.mark.parametrize("cls", [WithWorkers, WithoutOurInit, IteratingInItsInit])
def test_a_subclass_is_seeded(shim, cls):
    torch.manual_seed(0)
    assert [int(batch) for batch in cls(Draws())] == expected_draws()


# The parent process


def parent_state():
    numpy_state = () if np is None else tuple(str(part) for part in np.random.get_state())
    return torch.get_rng_state().tolist(), torch.initial_seed(), random.getstate(), numpy_state


def states_along_a_run():
    torch.manual_seed(0)
    loader = DataLoader(range(4), num_workers=2, worker_init_fn=init)
    states = [parent_state()]
    for _ in range(2):
        list(loader)
        states.append(parent_state())
    return states


def test_the_generators_of_the_parent_move_as_on_stock_torch(installed):
    stock = states_along_a_run()
    workerseed.install()
    assert states_along_a_run() == stock


@needs_numpy
def test_a_loader_without_workers_draws_from_the_parent(shim):
    np.random.seed(3)
    drawn = draws(DataLoader(Draws()))
    assert drawn == np.random.RandomState(3).randint(0, 2**31 - 1, 8).tolist()
