import hypothesis
import pytest
from support import run_python

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
