"""Runs Python files in forks of one process that has imported torch, which takes longer than all the rest."""

import json
import os
import runpy
import subprocess
import sys

from support import environment_with


class Forks:
    """A process that has imported torch and NumPy, and nothing of ours."""

    def __init__(self, folder):
        environment = environment_with(PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=environment,
            universal_newlines=True,
        )

    def run(self, *command, **variables):
        """Run a file with these arguments and variables; wait until it has ended."""
        self.process.stdin.write(json.dumps([command, variables]) + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    import numpy  # noqa: F401
    import torch  # noqa: F401

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
            os._exit(0)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
