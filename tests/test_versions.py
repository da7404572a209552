"""The versions that docs/compatibility.md gives for this environment of tox, against what is installed."""

import os
import platform

import pytest
import wrapt
from support import np, rows_of, torch

TOX_ENVIRONMENT = os.environ.get("TOX_ENV_NAME", "")


@pytest.mark.skipif(not TOX_ENVIRONMENT.startswith("py"), reason="not run by tox")
def test_the_row_of_this_environment_says_what_is_here():
    torch_version, numpy_version = (getattr(module, "__version__", "none") for module in (torch, np))
    here = [torch_version.split("+")[0], platform.python_version(), numpy_version, wrapt.__version__]
    said = rows_of("compatibility.md")[TOX_ENVIRONMENT][:4]
    for cell, version in zip(said, here):
        if cell.endswith(" or later"):
            assert numbers(version) >= numbers(cell.split()[0])
        else:
            assert (version + ".").startswith(cell + ".")


def numbers(version):
    return [int(part) for part in version.split(".")[:3]]
