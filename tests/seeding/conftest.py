import pytest
from support import NATIVE, np

import workerseed

if np is None:  # the others need none
    names = ("iterators", "loader_stays", "pages", "seeding", "uninstall", "worker_init_fn")
    collect_ignore = [f"test_{name}.py" for name in names]


@pytest.fixture
def as_on_stock():
    """Runs a case on stock torch, then with workerseed: the outcomes are equal, and the outcome comes back."""

    def run(case, *arguments):
        stock = case(*arguments)
        workerseed.install(["ranks"] if NATIVE else [])  # with an option, it patches any torch
        assert case(*arguments) == stock
        return stock

    yield run
    workerseed.uninstall()


@pytest.fixture
def starts():
    """Installs workerseed, which notes here each start of workers that it reseeds."""
    noted = []
    workerseed.install(["ranks"], rank=lambda: noted.append("start") or 0)
    yield noted
    workerseed.uninstall()
