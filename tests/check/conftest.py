import functools
import json
import os
import subprocess

import pytest
from support import TORCH, forks_of, np, run_python

from workerseed import _check

HERE = os.path.dirname(os.path.abspath(__file__))
if np is None or TORCH not in [(1, 8), (2, 13)]:  # what torch does differently is tested elsewhere
    collect_ignore_glob = ["*.py"]

forks = forks_of(HERE)


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


@pytest.fixture
def printed(records, monkeypatch, capsys):
    """Runs the command on MODULE:LOADER, or on this installation, as ``judged`` does; what it prints comes back."""

    def of(target):
        monkeypatch.setattr(_check, "run_probe", records)
        monkeypatch.setenv("WORKERSEED", "")
        code = _check.check(target, [], 600, False)
        return subprocess.CompletedProcess(["workerseed", "check"], code, *capsys.readouterr())

    return of
