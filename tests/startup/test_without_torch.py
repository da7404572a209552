"""What works where there is no torch or it is not imported, and what is said about the rest."""

import pickle
import sys

import pytest
from support import run_command, run_python, torch

import workerseed
from workerseed.__main__ import SITECUSTOMIZE

STATUS = "Status(state='waiting', reason=\"torch's DataLoader is not imported yet\", torch=None, options=())\n"


def test_all_public_names_are_there_and_no_other(prints):
    code = "import workerseed\nnames = [name for name in dir(workerseed) if name in workerseed.__all__]\n"
    code += "print(len(names), workerseed.numpy_seed(0, 0)[0], workerseed.Status.__name__)\nprint(workerseed.status())"
    assert prints(code) == "7 2968811710 Status\n" + STATUS
    with pytest.raises(AttributeError, match="module 'workerseed' has no attribute 'sed'"):
        workerseed.sed()


def test_it_is_pickled_by_its_name():  # so cloudpickle can send functions that name it
    assert pickle.loads(pickle.dumps(workerseed)) is workerseed


without_torch = pytest.mark.skipif(torch is not None, reason="there is a torch here")


@without_torch
@pytest.mark.parametrize("arguments", [[], ["train:loader"]])
def test_the_command_check_cannot_tell(arguments):
    done = run_python("-m", "workerseed", "check", *arguments)
    error = "raised ModuleNotFoundError: No module named 'torch'; run this with the Python that trains"
    assert (done.returncode, done.stderr) == (2, "")
    assert " ".join(done.stdout.split()).endswith(f"Cannot tell: {sys.executable} {error}.")


@without_torch
def test_the_command_run_leaves_the_error_of_the_program_as_it_is():
    done = run_command(sys.executable, "-m", "workerseed", "run", sys.executable, "-c", "import torch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == run_python("-c", "import torch").stderr


@without_torch
@pytest.mark.parametrize("variables", [{}, {"WORKERSEED": "1", "PYTHONPATH": SITECUSTOMIZE}])
def test_a_program_that_can_do_without_torch_does(prints, variables):
    code = """
try:
    import torch
except ImportError as error:
    print(type(error).__name__, error)
import workerseed
print(workerseed.status())
"""
    code = code if variables else "import workerseed" + code
    assert prints(code, **variables) == "ModuleNotFoundError No module named 'torch'\n" + STATUS
