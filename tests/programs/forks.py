"""Imports modules, and then runs Python files in forks of itself: importing torch takes longer than all the rest.

In the forks, torch's DataLoader is not imported yet if an argument is ``--without-dataloader``.
"""

import importlib
import json
import os
import runpy
import sys


def main(modules):
    for module in modules:
        if not module.startswith("--"):
            importlib.import_module(module)
    if "--without-dataloader" in modules:
        for name in [name for name in sys.modules if name.startswith("torch.utils.data")]:
            del sys.modules[name]
        vars(sys.modules["torch.utils"]).pop("data", None)
    del sys.path[0]
    for line in sys.stdin:
        command, variables, printed = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(variables)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, file in enumerate(printed or [2, 2], 1):
                os.dup2(file if file == 2 else os.open(file, os.O_WRONLY | os.O_CREAT), number)
            sys.argv[:] = command
            sys.path.insert(0, os.path.dirname(command[0]))
            runpy.run_path(command[0], run_name="__main__")
            for stream in (sys.__stdout__, sys.__stderr__):
                if not stream.closed:
                    stream.flush()
            os._exit(0)  # to take torch down takes longer than most of these files
        print("ended", os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
