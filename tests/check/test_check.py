"""``workerseed check``, as a user runs it: this installation, errors, and what a terminal gets."""

import os
import subprocess
import sys

import pytest
from support import HAS_CONTEXT, NATIVE, checked, only_legacy, run_command, run_python

import workerseed
from workerseed import _check

pytestmark = checked

# The installation


def test_stock_torch_is_affected_and_fixed_or_not_affected(facts):
    assert facts()["verdict"] == ("not affected" if NATIVE else "fixed")


def test_nothing_repeats_with_workerseed_by_any_start_method(facts):
    methods = facts()["start_methods"]
    assert set(methods) == {"fork", "spawn", "forkserver"}
    for counts in methods.values():
        expected = {"draws": 48, "repeated_across_workers": 0, "repeated_across_epochs": 0, "repeatable": True}
        assert counts["workerseed"] == expected


@only_legacy
def test_what_repeats_on_stock_torch_is_counted(facts):
    stock = {method: counts["stock"] for method, counts in facts()["start_methods"].items()}
    repeated = {"draws": 48, "repeated_across_workers": 36, "repeated_across_epochs": 32}
    assert stock["fork"] == dict(repeated, repeatable=True)
    assert stock["forkserver"] == dict(repeated, repeatable=False)
    assert not stock["spawn"]["repeatable"]


def test_the_table_fits_a_terminal_and_ends_with_the_verdict(facts):
    lines = [line.rstrip() for line in _check.table_of_installation(facts())]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"workerseed {workerseed.__version__}, Python ")
    native = "Not affected: this torch seeds NumPy in its workers itself."
    assert lines[-1].startswith(native if NATIVE else "Affected, and fixed by workerseed: ")


@only_legacy
def test_affected_and_not_fixed_says_why(tmp_path):
    (tmp_path / "wrapt.py").write_text("raise RuntimeError('broken')")
    less = "import multiprocessing; multiprocessing.get_all_start_methods = lambda: ['fork']  # the others take long"
    (tmp_path / "sitecustomize.py").write_text(less)
    done = run_python("-m", "workerseed", "check", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    because = "because RuntimeError('broken'" + (",)" if sys.version_info < (3, 7) else ")")
    assert done.stdout.splitlines()[-1] == f"Affected, and not fixed, {because}."


def test_without_torch_it_cannot_tell(tmp_path):
    venv, site_packages = str(tmp_path / "venv"), str(tmp_path / "packages")
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", venv])
    os.mkdir(site_packages)
    os.symlink(workerseed.__path__[0], os.path.join(site_packages, "workerseed"))
    python = os.path.join(venv, "bin", "python")
    done = run_command(python, "-m", "workerseed", "check", PYTHONPATH=site_packages)
    message = f"workerseed: cannot tell: torch is not installed for {python}: run this with the Python that trains\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_with_a_broken_numpy_it_cannot_tell(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('DLL load failed')")
    done = run_python("-m", "workerseed", "check", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be imported" in done.stderr.splitlines()[-1]


# Errors


ERRORS = {
    "nowhere:loader": "there is no module 'nowhere', neither here nor installed",
    "train:nothing": "train has no 'nothing'",
    "train": "'train' names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER",
    "nowhere.py:loader": "there is no file nowhere.py",
    "train:number": "train:number is of type int, neither a DataLoader nor a function that returns one",
    "train:make_of": "train:make_of cannot be called without arguments (missing a required argument: 'size')",
    "train:make_none": "calling train:make_none failed",
    "train:refuses": "the worker_init_fn failed in worker 0",
    "raising:loader": "importing raising failed",
    "missing:loader": "importing missing failed",
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_checked_is_one_clear_sentence(check, name):
    done = check(name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "workerseed: cannot tell: " + ERRORS[name]
    assert "_probe" not in done.stderr


@pytest.mark.parametrize(
    "name, last, file",
    [
        ("raising:loader", "ValueError: not importable", "raising.py"),
        ("missing:loader", "ModuleNotFoundError: No module named 'no_such_package'", "missing.py"),
        ("train:make_none", "RuntimeError: no data today", "train.py"),
        ("train:refuses", "KeyError: 'not today'", "train.py"),
    ],
)
def test_the_users_own_traceback_is_shown(check, name, last, file):
    lines = check(name).stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "') and file in lines[1]
    assert lines[-2] == last


def test_a_worker_that_dies_is_told(check):
    done = check("train:dies")
    assert (done.returncode, done.stdout) == (2, "")
    assert "workerseed: cannot tell: a worker died before it could load anything" in done.stderr


@pytest.mark.skipif(not HAS_CONTEXT, reason="torch 1.2 brought multiprocessing_context")
def test_what_cannot_be_pickled_is_told(check):
    (line,) = check("train:unpicklable").stderr.splitlines()
    assert line.startswith("workerseed: cannot tell: the workers cannot be started: ")
    assert line.endswith("have to be picklable")


def test_errors_as_json(facts):
    assert facts("train:nothing") == {"verdict": "cannot tell", "error": ERRORS["train:nothing"], "details": None}


# The terminal


@pytest.mark.parametrize("variables, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals(project, variables, coloured):
    ours, theirs = os.openpty()
    environment = dict(os.environ, **dict({"TERM": "xterm"}, **variables))
    command = [sys.executable, "-m", "workerseed", "check", "train:loader"]
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=str(project))
    os.close(theirs)
    printed = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        printed += chunk
    os.close(ours)
    assert process.wait() == 0
    assert (b"\033[" in printed) == coloured


def test_a_pipe_gets_plain_text(check):
    done = check("train:loader")
    assert "\033" not in done.stdout + done.stderr
