"""What importing workerseed does where torch is not imported, whether it is installed or not."""

import sys

import pytest

import workerseed


def test_it_waits_for_torch_without_importing_anything_heavy(prints):
    code = """
import sys
before = set(sys.modules)
import workerseed
new = set(sys.modules) - before
print(sorted(new & {"wrapt", "torch", "numpy", "typing", "inspect", "logging", "re", "importlib.metadata"}))
"""
    assert prints(code, "-S", PYTHONPATH=workerseed.__path__[0] + "/..") == "[]\n"


def test_status_without_torch(prints):
    expected = "Status(state='waiting', reason=\"torch's DataLoader is not imported yet\", torch=None, options=())\n"
    assert prints("import workerseed\nprint(workerseed.status())") == expected


@pytest.mark.skipif(sys.version_info < (3, 7), reason="Python 3.7 brought __getattr__ of modules")
def test_it_imports_no_more_of_workerseed_than_installing_needs(prints):
    code = "import sys, workerseed\nprint(sorted(name for name in sys.modules if name.startswith('workerseed')))"
    assert prints(code) == "['workerseed', 'workerseed._activation', 'workerseed._config']\n"


def test_all_public_names_are_there(prints):
    code = "import workerseed\nfrom workerseed import *\n"
    code += "print([name for name in workerseed.__all__ if name not in dir(workerseed) or name not in globals()])"
    assert prints(code) == "[]\n"


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'workerseed' has no attribute 'sed'"):
        workerseed.sed()
