import os

import pytest
from support import TORCH, forks_of, np, run_python

HERE = os.path.dirname(os.path.abspath(__file__))
if np is None or TORCH not in [(1, 8), (2, 13)]:  # what torch does differently is tested elsewhere
    collect_ignore_glob = ["*.py"]

forks = forks_of(HERE)


@pytest.fixture
def check():
    """Runs ``workerseed check`` in the folder that has loaders.py."""
    return lambda *arguments, **variables: run_python("-m", "workerseed", "check", *arguments, cwd=HERE, **variables)
