import functools
import json

import hypothesis
import pytest
from support import NATIVE, run_python

import workerseed
from workerseed import _check
from workerseed._check import probe

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
def patched():
    """Installs workerseed for one test so that it patches any torch: where torch seeds NumPy itself, with an option."""
    workerseed.install(["generators"] if NATIVE else [])
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


@pytest.fixture(scope="session")
def records(forks, tmp_path_factory):
    """In place of ``_check.run_probe``: the same records from forks, and those as it is for all options."""

    @functools.lru_cache(maxsize=None)
    def record(options, variable):
        path = str(tmp_path_factory.mktemp("records") / "results")
        forks.run(probe.__file__, path, options, **({} if variable is None else {"WORKERSEED": variable}))
        with open(path) as file:
            return json.load(file)

    def run_probe(doing, options, variable, timeout):
        found = record(json.dumps(options), variable)
        if "error" in found:
            raise probe.CheckError(found["error"], found["details"])
        return found

    return run_probe


@pytest.fixture
def judged(records, monkeypatch):
    """Checks MODULE:LOADER, with the options of the variable."""

    def of(target, options=""):
        monkeypatch.setattr(_check, "run_probe", records)
        monkeypatch.setenv("WORKERSEED", options)
        try:
            return _check.run(target, [], 600)
        except probe.CheckError as error:
            return {"verdict": "cannot tell", "error": str(error)}

    return of
