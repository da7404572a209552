"""Nothing changes but what NumPy and random draw in workers."""

import inspect
import pickle
import random

import pytest
import torch
from support import Draws, draws, init, needs_numpy, np
from torch.utils.data import DataLoader, dataloader

import workerseed

SIGNATURE = inspect.signature(DataLoader.__init__), inspect.getfullargspec(DataLoader.__init__)


# What DataLoader is


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
