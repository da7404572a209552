"""What importing workerseed does where torch is not imported, whether it is installed or not."""

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
    expected = "Status(state='waiting', reason='torch is not imported yet', torch=None, extras=())\n"
    assert prints("import workerseed\nprint(workerseed.status())") == expected
