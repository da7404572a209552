"""Runs Python files in forks of one process that has imported torch, which takes longer than all the rest."""

import importlib
import json
import os
import runpy
import subprocess
import sys


class Forks:
    """A process that has imported some modules, none of ours, and forks for each file that it runs.

    Args:
        folder: where it runs.
        modules: their names.
    """

    def __init__(self, folder, modules):
        others = {name: value for name, value in os.environ.items() if not name.startswith(("WORKERSEED", "PYTHON"))}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", os.path.abspath(__file__), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=dict(others, PYTHONPATH=os.pathsep.join(path for path in sys.path if path)),
            universal_newlines=True,
        )

    def run(self, *command, **variables):
        """Run a file with these arguments and variables, and wait until it has ended."""
        self.process.stdin.write(json.dumps([command, variables]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ended\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait()


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
