import functools
import json
import os
import subprocess

import pytest
from support import NATIVE, PROGRAMS, Forks, np, run_python

import workerseed
from workerseed import _check
from workerseed._check import verdict

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


def printed_by(run):
    """What ``run`` prints on stdout, of programs that have to end well."""

    def printed(code, *options, **variables):
        done = run(code, *options, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return printed


@pytest.fixture
def prints(python):
    """Like ``python``, but the program has to end well: what it printed on stdout comes back."""
    return printed_by(python)


@pytest.fixture(scope="session")
def process_with_torch():
    started = Forks(".", [*["numpy"][: np is not None], "torch", "--without-dataloader"])
    yield started
    started.end()


@pytest.fixture
def forked(process_with_torch, tmp_path):
    """Like ``python``, but the code runs in a fork of a process with torch, which has not imported its DataLoader yet.

    That is as good as a fresh interpreter where the import of torch itself does not matter, and takes no second.
    """

    def run(code, **variables):
        (tmp_path / "program.py").write_text(code)
        printed = [tmp_path / "stdout", tmp_path / "stderr"]
        for file in printed:
            file.write_text("")
        status = process_with_torch.run(str(tmp_path / "program.py"), printed=list(map(str, printed)), **variables)
        return subprocess.CompletedProcess([], status, *(file.read_text() for file in printed))

    return run


@pytest.fixture
def shows(forked):
    """Like ``prints``, but in such a fork."""
    return printed_by(forked)


@pytest.fixture(scope="session")
def judged(forks, tmp_path_factory):
    """Checks MODULE:LOADER with some options, as the command does, but in a fork."""
    folder = os.path.dirname(_check.__file__)
    program = [os.path.join(folder, "sitecustomize", "sitecustomize.py"), os.path.join(folder, "target.py")]

    @functools.lru_cache(maxsize=None)
    def of(target, options=""):
        path = tmp_path_factory.mktemp("reports") / "reports"
        settings = {"path": str(path), "options": [name for name in options.split(",") if name], "timeout": 100}
        forks.run(os.path.join(PROGRAMS, "checked.py"), *program, target, "fork", WORKERSEED_CHECK=json.dumps(settings))
        return verdict.judge(*map(json.loads, path.read_text().splitlines()))

    return of
