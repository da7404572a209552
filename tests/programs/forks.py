"""Imports modules, and then runs Python files in forks of itself: importing torch takes longer than all the rest."""

import importlib
import json
import os
import runpy
import sys


def main(modules):
    for module in modules:
        importlib.import_module(module)
    del sys.path[0]
    for line in sys.stdin:
        command, variables = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(variables)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            sys.argv[:] = command
            sys.path.insert(0, os.path.dirname(command[0]))
            runpy.run_path(command[0], run_name="__main__")
            os._exit(0)  # to take torch down takes longer than most of these files
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
