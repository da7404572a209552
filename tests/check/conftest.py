import functools
import json
import os
import shutil

import pytest
from support import PROGRAMS, run_python


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(os.path.join(PROGRAMS, "train.py"), str(folder))
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
