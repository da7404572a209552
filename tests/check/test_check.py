"""``workerseed check``, as a user runs it: this installation, errors, limits, and what a terminal gets."""

import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import HERE
from support import NATIVE, environment_with, only_legacy, run_command, run_python

import workerseed

SAME = {"workers": "same", "epochs": "same", "repeatable": True}
FINE = {"workers": "differ", "epochs": "differ", "repeatable": True}


def test_the_installation(results):
    found = results()
    assert found["verdict"] == ("not affected" if NATIVE else "fixed")
    assert found["loader"]["start_method"] == "fork"
    assert found["sources"]["np.random"]["as_it_is"] == (FINE if NATIVE else SAME)
    assert found["sources"]["np.random"]["workerseed"] == FINE


def test_other_start_methods(results):
    # A torch that seeds NumPy does so whatever the method: one is enough, and not that by which 24 workers import it.
    methods = ["forkserver"] if NATIVE else ["spawn", "forkserver"]
    sources = results(*(f"--start-method={method}" for method in methods))["sources"]
    for method in methods:
        assert sources[f"np.random {method}"]["workerseed"] == FINE
    assert NATIVE or sources["np.random spawn"]["as_it_is"] == dict(FINE, repeatable=False)


def test_the_table_fits_a_terminal(printed):
    lines = printed(None).stdout.splitlines()
    assert max(map(len, lines)) < 80
    assert lines[0].startswith(f"workerseed {workerseed.__version__}, Python ")
    assert "not used: random, torch" in lines
    native = "Not affected: this torch seeds NumPy in its workers itself."
    assert (native if NATIVE else "Affected, and fixed by workerseed.") in lines


@only_legacy
def test_what_is_used_stands_in_the_table(printed):
    row = "np.random        2/4  same      same    yes        differ    differ  yes"
    assert row in printed("loaders:one_batch").stdout
    assert "not used: dataset.order, random, torch" in printed("loaders:idle").stdout.splitlines()


def test_with_a_broken_wrapt_it_cannot_tell(tmp_path):
    (tmp_path / "wrapt.py").write_text("raise RuntimeError('broken')")
    done = run_python("-m", "workerseed", "check", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"workerseed: cannot tell: {sys.executable} raised RuntimeError: broken"


def test_without_torch_it_cannot_tell(tmp_path):
    venv, site_packages = str(tmp_path / "venv"), str(tmp_path / "packages")
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", venv])
    os.mkdir(site_packages)
    os.symlink(workerseed.__path__[0], os.path.join(site_packages, "workerseed"))
    python = os.path.join(venv, "bin", "python")
    done = run_command(python, "-m", "workerseed", "check", PYTHONPATH=site_packages)
    error = "ModuleNotFoundError: No module named 'torch'; run this with the Python that trains"
    message = f"workerseed: cannot tell: {python} raised {error}"
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (2, "", message)


def test_a_value_of_the_variable_that_is_not_valid_is_named(check):
    done = check(WORKERSEED="maybe")
    assert done.returncode == 2
    assert done.stderr.startswith("workerseed: cannot tell: WORKERSEED='maybe'")


RAISED = f"{sys.executable} raised "
ERRORS = {  # the sentence, and how the line before it begins
    "nowhere:loader": (f"{RAISED}ModuleNotFoundError: No module named 'nowhere'", "ModuleNotFoundError: No "),
    "loaders:missing": (
        f"{RAISED}AttributeError: module 'loaders' has no ",
        "AttributeError: module ",
    ),
    "loaders": ("'loaders' names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER", None),
    "loaders:LARGE": (f"{RAISED}TypeError: 'int' object is not iterable", "TypeError: 'int' object is not iterable"),
    "loaders:init_by_number": (f"{RAISED}TypeError: init_by_number() missing ", "TypeError: init_by_number() missing "),
    "loaders:exits": (f"{RAISED}SystemExit: 3", "SystemExit: 3"),
    "loaders:broken": (f"{RAISED}ValueError: Caught ValueError in DataLoader worker ", "ValueError: no such image"),
    "loaders:broken_init": (f"{RAISED}KeyError: ", "KeyError: 'not today'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_checked_is_one_sentence_below_the_users_own_traceback(printed, name):
    done = printed(name)
    sentence, error = ERRORS[name]
    *details, last = [line for line in done.stderr.splitlines() if line]
    assert (done.returncode, done.stdout) == (2, "")
    assert last.startswith(f"workerseed: cannot tell: {sentence}")
    if error:
        assert details[-1].startswith(error)


def test_a_loader_that_is_not_fixed_ends_it_with_1(printed):
    done = printed("loaders:holds_random")
    assert done.returncode == 1
    assert "Affected, and not fixed by workerseed alone." in done.stdout


@pytest.mark.parametrize("name", ["loaders.py:plain", os.path.join(HERE, "loaders.py:plain")])
def test_a_loader_by_its_file(judged, name):
    assert judged(name)["loader"]["workers"] == 2


def test_a_module_that_reads_the_command_line_sees_none_of_ours(judged, tmp_path):
    (tmp_path / "parsing.py").write_text(
        "import argparse; argparse.ArgumentParser().parse_args()\nfrom loaders import plain"
    )
    assert judged(str(tmp_path / "parsing.py:plain"))["loader"]["workers"] == 2


def test_what_the_check_cannot_see_is_no_verdict(printed):
    done = printed("loaders:created_and_dropped")
    assert done.returncode == 2
    assert done.stdout.splitlines()[-3:] == [
        "Cannot tell.",
        "- Another process with the same seeds loads other batches, and no source that",
        "  the check sees explains it.",
    ]


# Limits


def test_it_gives_up_after_a_limit(check):
    done = check("loaders:slow", "--timeout", "6")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "workerseed: waiting for the workers of loaders:slow as it is, two epochs",
        "workerseed: cannot tell: loaders:slow as it is, two epochs: not ready after 6 seconds; --timeout sets the "
        "limit",
    ]


def test_an_interrupt_ends_all_that_it_started(tmp_path):
    command = [sys.executable, "-m", "workerseed", "check", "loaders:slow"]
    environment = environment_with(TMPDIR=str(tmp_path))
    process = subprocess.Popen(
        command,
        cwd=HERE,
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    while not any("log" in names for _, _, names in os.walk(str(tmp_path))):  # until workers log
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    listed = subprocess.check_output(["ps", "-eo", "args"], universal_newlines=True)
    assert str(tmp_path) not in listed
