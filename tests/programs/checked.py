"""Does what `workerseed check MODULE:LOADER` has a fresh process do, in a fork: SITECUSTOMIZE TARGET, the loader."""

import os
import runpy
import sys
from contextlib import suppress

if __name__ == "__main__":  # spawned workers import this file, too
    sitecustomize, target, *arguments = sys.argv[1:]
    os.environ["PYTHONPATH"] = os.pathsep.join([os.path.dirname(sitecustomize), os.environ["PYTHONPATH"]])
    sys.modules.setdefault("sitecustomize", sys)
    with suppress(ImportError):  # it hides no other one
        runpy.run_path(sitecustomize)
    sys.argv[:] = [target, *arguments]
    runpy.run_path(target, run_name="__main__")
