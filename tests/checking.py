"""Fixtures that ask ``workerseed check`` and the truth of one loader after another, in forks of one process."""

import functools
import json

import pytest
from forks import Forks

from workerseed import _check
from workerseed._check import probe


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
    """Checks MODULE:LOADER, with the extras of the variable."""

    def of(target, extras=""):
        monkeypatch.setattr(_check, "run_probe", records)
        monkeypatch.setenv("WORKERSEED", extras)
        try:
            return _check.run(target, [], 600)
        except probe.CheckError as error:
            return {"verdict": "cannot tell", "error": str(error)}

    return of


def forks_of(folder, *modules):
    """A fixture: a process that has imported torch, NumPy and these modules, in a folder that has loaders."""

    @pytest.fixture(scope="session")
    def forks():
        started = Forks(folder, ["numpy", "torch", *modules])
        yield started
        started.end()

    return forks
