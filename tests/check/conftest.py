import functools
import json
import os

import pytest
from forks import Forks
from support import TORCH, np, run_python

from workerseed import _check
from workerseed._check import probe

HERE = os.path.dirname(os.path.abspath(__file__))
if np is None or TORCH not in [(1, 8), (2, 13)]:  # what torch does differently is tested elsewhere
    collect_ignore_glob = ["*.py"]


@pytest.fixture(scope="session")
def check():
    """Runs ``workerseed check`` in the folder that has loaders.py."""

    @functools.lru_cache(maxsize=None)
    def run(*arguments, **variables):
        return run_python("-m", "workerseed", "check", *arguments, cwd=HERE, **variables)

    return run


@pytest.fixture(scope="session")
def results(check):
    """Returns what it prints with --json; the exit code has to agree."""

    def of(*arguments, **variables):
        done = check("--json", *arguments, **variables)
        found = json.loads(done.stdout)
        assert done.returncode == {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}[found["verdict"]]
        return found

    return of


@pytest.fixture(scope="session")
def forks():
    started = Forks(HERE)
    yield started
    started.end()


@pytest.fixture(scope="session")
def records(forks, tmp_path_factory):
    """In place of ``_check.run_probe``: the same records from forks, and those as it is for all extras."""

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
    """Checks a loader of loaders.py, with the extras of the variable."""

    def of(name, extras=""):
        monkeypatch.setattr(_check, "run_probe", records)
        monkeypatch.setenv("WORKERSEED", extras)
        try:
            return _check.run(f"loaders:{name}", [], 600)
        except probe.CheckError as error:
            return {"verdict": "cannot tell", "error": str(error)}

    return of
