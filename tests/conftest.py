import functools
import json
import os
import shutil
import subprocess
import sys

import hypothesis
import pytest

import workerseed

# The same examples in every run, on however slow a machine: what fails in one run of the matrix fails in the next.
hypothesis.settings.register_profile("matrix", derandomize=True, deadline=None)
hypothesis.settings.load_profile("matrix")

workerseed.uninstall()  # a test that wants the shim says so


@pytest.fixture
def shim():
    """Installs workerseed in this process, for one test."""
    workerseed.install()
    yield workerseed
    workerseed.uninstall()


@pytest.fixture
def python(tmp_path):
    """Runs code in a fresh interpreter, away from the checkout; what it printed comes back with its return code."""

    def run(code, *options, **variables):
        script = tmp_path / "program.py"
        script.write_text(code)
        return run_python(*options, str(script), **variables)

    return run


@pytest.fixture
def prints(python):
    """Like ``python``, but the program has to end well: what it printed on stdout comes back."""

    def run(code, *options, **variables):
        done = python(code, *options, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(os.path.join(os.path.dirname(__file__), "train.py"), str(folder))
    (folder / "raising.py").write_text("raise ValueError('not importable')")
    (folder / "parsing.py").write_text(
        "import argparse; argparse.ArgumentParser().parse_args(); from train import loader"
    )
    (folder / "missing.py").write_text("import no_such_package")
    return folder


@pytest.fixture(scope="module")
def check(project):
    """Runs ``workerseed check`` in the folder that has train.py."""

    @functools.lru_cache(maxsize=None)
    def run(*arguments, **variables):
        return run_python("-m", "workerseed", "check", *arguments, cwd=str(project), **variables)

    return run


@pytest.fixture(scope="module")
def facts(check):
    """Makes facts of what it prints with --json, and checks its exit code by them."""

    def of(*arguments, **variables):
        done = check("--json", *arguments, **variables)
        found = json.loads(done.stdout)
        assert done.returncode == {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}[found["verdict"]]
        return found

    return of


def run_python(*arguments, **variables):
    return run_command(sys.executable, *arguments, **variables)


def environment_with(**variables):
    """The environment; of the variables that concern us it has those given alone."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("WORKERSEED", "PYTHON"))}
    return dict(others, **variables)


def run_command(*command, cwd=None, **variables):
    """Runs a command, of the variables that concern us with those given alone."""
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=environment_with(**variables),
        cwd=cwd,
        timeout=500,
    )
