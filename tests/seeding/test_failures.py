"""Whatever goes wrong in workerseed: one warning, a status that says why, and torch as it is without us."""

import re

import pytest
from support import only_legacy

pytestmark = only_legacy

LOAD = """
import workerseed
from torch.utils.data import DataLoader
loader = DataLoader(range(3), num_workers=1)
print([int(batch) for batch in loader], [int(batch) for batch in loader], hasattr(DataLoader.__init__, "__wrapped__"))
print(workerseed.status().state, workerseed.status().reason)
workerseed.install()  # again: does not warn again
"""
LOADED = "[0, 1, 2] [0, 1, 2] False\n"

PATCHING_FAILS_HALFWAY = """
import wrapt
wrap = wrapt.wrap_function_wrapper

def wrap_only_the_loader(target, *arguments):
    if "Iter" in target.__name__:
        raise RuntimeError("this one not")
    return wrap(target, *arguments)

wrapt.wrap_function_wrapper = wrap_only_the_loader
"""
NO_WRAPT = "import sys\nsys.modules['wrapt'] = None\n"
UNKNOWN_SHAPE = """
import torch.utils.data.dataloader as module
name = "_BaseDataLoaderIter" if hasattr(module, "_BaseDataLoaderIter") else "_DataLoaderIter"
root = getattr(module, name)
setattr(module, name, lambda loader: root(loader))
"""
FILTER = "import warnings\nwarnings.simplefilter({!r}, RuntimeWarning)\n"


def warnings_in(stderr):
    """The lines of ours; where warnings are errors, what would be one is a line with the process id."""
    return [line for line in stderr.splitlines() if re.search(r"workerseed(\[\d+\])?: ", line)]


# Where warnings are errors, one of ours would end the import of torch, or of workerseed.
@pytest.mark.parametrize("warnings", ["default", "error"])
@pytest.mark.parametrize("torch_first", ["", "import torch.utils.data"])
@pytest.mark.parametrize(
    "cause, reason", [(PATCHING_FAILS_HALFWAY, "RuntimeError('this one not'"), (NO_WRAPT, "ModuleNotFoundError(")]
)
def test_a_failure_is_warned_of_once_and_torch_works_as_stock(forked, warnings, torch_first, cause, reason):
    done = forked(FILTER.format(warnings) + cause + torch_first + LOAD)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(LOADED + "failed " + reason)
    (line,) = warnings_in(done.stderr)
    assert ": DataLoader workers are not seeded: " + reason in line


def test_an_iterator_that_is_not_known_is_left_alone(forked):
    done = forked(FILTER.format("default") + UNKNOWN_SHAPE + LOAD)
    assert done.returncode == 0, done.stderr
    reason = "this torch has no class DataLoader, or neither _BaseDataLoaderIter nor _DataLoaderIter"
    assert done.stdout == LOADED + f"unsupported {reason}\n"
    assert len(warnings_in(done.stderr)) == 1, done.stderr
