"""Imports workerseed in each interpreter that finds WORKERSEED in its environment.

Python imports this file by its name when it starts, from a folder on PYTHONPATH or from site-packages. It cannot stop
an interpreter. Without the variable, on Python 2, and where workerseed is not installed, it only runs the sitecustomize
that it hides.
"""

import os
import sys

OFF = ("", "0", "off", "false", "no")  # as in workerseed/_config.py

value = os.environ.get("WORKERSEED", "").strip().lower()
if value not in OFF and sys.version_info >= (3, 6):
    try:
        import workerseed  # noqa: F401
    except Exception as error:
        if "verbose" in value or getattr(error, "name", None) != "workerseed":
            try:
                sys.stderr.write("workerseed: not imported in {}: {}\n".format(sys.executable, error))
            except Exception:  # stderr may be closed
                pass


def may_have_sitecustomize(entry):
    """Look before importing: an import that finds nothing reads whole folders and takes many times as long."""
    try:
        module = os.path.join(entry, "sitecustomize")
        return any(map(os.path.exists, (module + ".py", module + ".pyc", module))) or os.path.isfile(entry)
    except (TypeError, ValueError):  # sys.path may have None, bytes, or a NUL in it
        return False


here = os.path.dirname(__file__)
if here in sys.path and any(may_have_sitecustomize(entry) for entry in sys.path if entry != here):
    masked = os.path.join(here, "masked")  # leads nowhere: what runs now may change the other entries
    sys.path[:] = [masked if entry == here else entry for entry in sys.path]
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this
    finally:
        sys.path[:] = [here if entry == masked else entry for entry in sys.path]
