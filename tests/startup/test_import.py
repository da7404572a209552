"""What importing workerseed does where torch is not imported, whether it is installed or not."""

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


def test_all_public_names_are_there(prints):
    code = "import workerseed\nnames = [name for name in dir(workerseed) if name in workerseed.__all__]\n"
    code += "print(len(names), workerseed.numpy_seed(0, 0)[0], workerseed.Status)"
    assert prints(code) == "7 2968811710 <class 'workerseed._install.Status'>\n"


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'workerseed' has no attribute 'sed'"):
        workerseed.sed()
