import pytest

import workerseed


@pytest.fixture(autouse=True)
def uninstalled_afterwards():
    yield
    workerseed.uninstall()  # marks end with it


@pytest.fixture
def reseeding():
    """Installs workerseed with the option ``generators``, for one test."""
    workerseed.install(["generators"])
