"""Lets ``workerseed check`` watch an interpreter; Python imports this file by its name when it starts."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))


def watch():
    """Watch the program with a private copy of workerseed: importing the package itself would install it."""
    try:
        package = type(sys)("_workerseed_of_check")
        package.__path__ = [os.path.dirname(os.path.dirname(FOLDER))]
        sys.modules[package.__name__] = package
        import _workerseed_of_check._check.program  # noqa: F401
    except Exception as error:
        sys.stderr.write("workerseed: cannot check {}: {!r}\n".format(sys.executable, error))


if sys.version_info >= (3, 6) and os.environ.get("WORKERSEED_CHECK"):
    watch()
sys.path[:] = [entry for entry in sys.path if entry != FOLDER]
del sys.modules["sitecustomize"]
import sitecustomize  # noqa: E402, F401 - the one that this hides; if there is none, Python ignores the ImportError
