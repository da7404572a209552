"""Whatever goes wrong in workerseed: one warning, a status that says why, and torch as it is without us."""

import re

import pytest
from support import only_legacy

pytestmark = only_legacy

LOAD = """
import workerseed
from torch.utils.data import DataLoader
loader = DataLoader(range(3), num_workers=1)
print([int(batch) for batch in loader], [int(batch) for batch in loader])
print(workerseed.status().state, workerseed.status().reason)
workerseed.install()  # again: does not warn again
"""
LOADED = "[0, 1, 2] [0, 1, 2]\n"

UNKNOWN_SHAPE = """
import importlib.machinery, sys

class Renaming(importlib.machinery.SourceFileLoader):  # torch as it is, with another name for its worker iterator
    def get_data(self, path):
        source = super().get_data(path)
        return source.replace(b"_BaseDataLoaderIter", b"_Base").replace(b"_DataLoaderIter", b"_Iter")

    def path_stats(self, path):
        raise OSError("no bytecode, please")

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch.utils.data.dataloader":
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            spec.loader = Renaming(name, spec.origin)
            return spec

sys.meta_path.insert(0, Finder)
import torch.utils.data
"""
PATCHING_FAILS = """
import wrapt
wrap = wrapt.wrap_function_wrapper

def wrap_only_the_loader(target, *arguments):
    if "Iter" in target.__name__:
        raise RuntimeError("this one not")
    return wrap(target, *arguments)

wrapt.wrap_function_wrapper = wrap_only_the_loader
"""
NO_WRAPT = """
import sys
sys.modules["wrapt"] = None
"""


WARNINGS = {  # where warnings are errors, one of ours would end the import of torch, or of workerseed
    option: f"import warnings\nwarnings.simplefilter({option!r}, RuntimeWarning)\n" for option in ("default", "error")
}


def warnings_in(stderr):
    """The lines of ours; where warnings are errors, what would be one is a line with the process id."""
    return [line for line in stderr.splitlines() if re.search(r"workerseed(\[\d+\])?: ", line)]


@pytest.mark.parametrize("option", WARNINGS)
@pytest.mark.parametrize("torch_first", ["", "import torch.utils.data"])
@pytest.mark.parametrize(
    "cause, reason", [(PATCHING_FAILS, "RuntimeError('this one not'"), (NO_WRAPT, "ModuleNotFoundError(")]
)
def test_a_failure_is_warned_of_once_and_torch_works_as_stock(forked, option, torch_first, cause, reason):
    done = forked(WARNINGS[option] + cause + torch_first + LOAD)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(LOADED + "failed " + reason)
    (line,) = warnings_in(done.stderr)
    assert ": DataLoader workers are not seeded: " + reason in line


def test_an_iterator_that_is_not_known_is_left_alone(forked):
    done = forked(WARNINGS["default"] + UNKNOWN_SHAPE + LOAD)
    assert done.returncode == 0, done.stderr
    reason = "this torch has no DataLoader with worker iterators below _BaseDataLoaderIter or _DataLoaderIter"
    assert done.stdout == LOADED + f"unsupported {reason}\n"
    assert len(warnings_in(done.stderr)) == 1, done.stderr


def test_a_half_done_patch_is_taken_back(shows):
    code = PATCHING_FAILS + "import torch.utils.data\nbefore = torch.utils.data.DataLoader.__init__\n" + LOAD
    assert shows(code + "print(DataLoader.__init__ is before)").endswith("True\n")


def test_a_closed_stderr_does_no_harm(shows):
    code = "import sys\nsys.stderr.close()" + NO_WRAPT + LOAD
    assert shows(WARNINGS["error"] + code).startswith(LOADED + "failed")
