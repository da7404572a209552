"""What works where there is no torch, and what is said about the rest."""

import json
import sys

import pytest
from support import run_command, run_python, torch

import workerseed
from workerseed.__main__ import SITECUSTOMIZE

if torch is not None:
    pytest.skip("there is a torch here", allow_module_level=True)

NO_TORCH = "ModuleNotFoundError: No module named 'torch'\n"
TRY = """
try:
    import torch
except ImportError as error:
    print(type(error).__name__, error, error.name)
import workerseed
print(workerseed.status())
"""
TRIED = """ModuleNotFoundError No module named 'torch' torch
Status(state='waiting', reason="torch's DataLoader is not imported yet", torch=None, options=())
"""


def check(*arguments, **variables):
    return run_python("-m", "workerseed", "check", *arguments, **variables)


@pytest.mark.parametrize("loader", [[], ["train:loader"]])
def test_the_command_check_cannot_tell(loader):
    done = check(*loader)
    error = "ModuleNotFoundError: No module named 'torch'; run this with the Python that trains"
    assert (done.returncode, done.stderr) == (2, "")
    assert " ".join(done.stdout.split()).endswith(f"Cannot tell: {sys.executable} raised {error}.")


def test_the_command_check_cannot_tell_machines_either():
    done = check("--json")
    (judged,) = json.loads(done.stdout)
    assert (done.returncode, judged["verdict"], judged["loader"]) == (2, "cannot tell", None)


def test_the_command_run_leaves_the_error_of_the_program_as_it_is():
    done = run_command(sys.executable, "-m", "workerseed", "run", sys.executable, "-c", "import torch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(NO_TORCH)
    assert done.stderr == run_python("-c", "import torch").stderr


def test_a_program_that_can_do_without_torch_does(prints):
    assert prints("import workerseed" + TRY) == TRIED


def test_a_program_that_can_do_without_torch_does_with_the_variable(prints):
    assert prints(TRY, WORKERSEED="1", PYTHONPATH=SITECUSTOMIZE) == TRIED


def test_options_wait_for_torch_too(prints):
    code = "import workerseed as w\nw.install(['generators'])\nprint(w.status().state, w.status().options)"
    assert prints(code, WORKERSEED="ranks") == "waiting ('ranks', 'generators')\n"


def test_uninstalling_ends_the_waiting(prints):
    code = "import workerseed\nworkerseed.uninstall()\nprint(*workerseed.status())"
    assert prints(code) == "off uninstalled None ()\n"


def test_the_words_of_a_worker_can_be_had():
    assert workerseed.numpy_seed(0, 0) == [2968811710, 3677149159, 745650761, 2884920346]
