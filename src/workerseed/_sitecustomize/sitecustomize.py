"""Installs workerseed in each interpreter that finds WORKERSEED in its environment.

Python imports this file by its name when it starts, from a folder on PYTHONPATH or from site-packages. It has to cost
next to nothing there, and must not stop an interpreter. Without the variable, on Python 2, and where there is no
workerseed, it only makes way for the sitecustomize that it shadows.
"""

import os
import sys


class TorchFinder(object):
    """Finds nothing; imports workerseed when torch begins to be imported, so that other programs do not pay for it."""

    def find_spec(self, name, path=None, target=None):
        """Be asked for each module that is about to be imported."""
        if name != "torch" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        import_workerseed()
        from importlib.util import find_spec

        return find_spec(name)  # anew: the finders after this one have moved up, and one would be left out


def activate(value):
    """Do what WORKERSEED says: at once where there is something to say to the user, else when torch is imported."""
    if not value or sys.version_info < (3, 6):
        return
    if value.lower() in ("1", "on", "true", "yes"):
        sys.meta_path.insert(0, TorchFinder())
    else:
        import_workerseed()


def import_workerseed():
    """Import workerseed, which installs it; neither the interpreter nor ``import torch`` may fail with it."""
    try:
        import workerseed  # noqa: F401
    except Exception as error:
        if getattr(error, "name", None) == "workerseed" and "verbose" not in os.environ["WORKERSEED"].lower():
            return
        try:
            sys.stderr.write("workerseed: not installed in {}: {}\n".format(sys.executable, error))
        except Exception:
            pass


def run_shadowed_sitecustomize():
    """Import the next sitecustomize on the path; what that raises, Python reports as it would without this one."""
    ours = os.path.dirname(__file__)
    others = [entry for entry in sys.path if entry != ours and may_have_sitecustomize(entry)]
    if not others or ours not in sys.path:
        return
    masked = os.path.join(ours, "masked")  # an entry that leads nowhere: meanwhile the others may be changed
    sys.path[:] = [masked if entry == ours else entry for entry in sys.path]
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if sys.version_info >= (3,) and error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this
    finally:
        sys.path[:] = [ours if entry == masked else entry for entry in sys.path]


def may_have_sitecustomize(entry):
    """Look before importing: an import that finds nothing reads whole folders and takes many times as long."""
    module = entry + "/sitecustomize"
    for path in (module + ".py", module + ".pyc", module):
        if os.access(path, os.F_OK):
            return True
    return os.path.isfile(entry)  # a zip file, perhaps


activate(os.environ.get("WORKERSEED", "").strip())
run_shadowed_sitecustomize()
