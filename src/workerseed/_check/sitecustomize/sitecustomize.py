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


def run_shadowed_sitecustomize():
    """Import the next sitecustomize on the path; what that raises, Python reports as it would without this one."""
    sys.path[:] = [entry for entry in sys.path if entry != FOLDER]
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        sys.modules["sitecustomize"] = this
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise


if sys.version_info >= (3, 6) and os.environ.get("WORKERSEED_CHECK"):
    watch()
run_shadowed_sitecustomize()
