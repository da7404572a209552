"""What ``workerseed check`` costs, and what annotations in a dataset add to it, as ratios."""

import os
import subprocess
import sys
import tempfile

from paired import ratio

PROGRAM = """
import numpy as np
from torch.utils.data import DataLoader, Dataset

class Annotated(Dataset):
    def __init__(self, number):
        self.annotations = [{"name": str(i), "box": [i, i, i, i]} for i in range(number)]

    def __getitem__(self, index):
        return np.random.randint(0, 1000, 3)

    def __len__(self):
        return 16

def none():
    return DataLoader(Annotated(0), num_workers=4)

def many():
    return DataLoader(Annotated(100000), num_workers=4)

if __name__ == "__main__":
    for batch in DataLoader(Annotated(0), batch_size=2, num_workers=2):
        pass
"""


def python(*arguments):
    # In a session, as the check has its program: Linux shares the processor out by sessions.
    command = [sys.executable, *arguments]
    return lambda: subprocess.check_output(command, stderr=subprocess.STDOUT, start_new_session=True)


def check(*arguments):
    return python("-m", "workerseed", "check", *arguments)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("program.py", "w") as file:
            file.write(PROGRAM)
        epoch = python("program.py")
        print("a process that imports torch and runs one epoch = 1, the check:", ratio(epoch, check(), 8))
        took = ratio(epoch, check("--", sys.executable, "program.py"), 8)
        print("the same for a program:                                        ", took)
        took = ratio(check("program:none"), check("program:many"), 8)
        print("a dataset without annotations = 1, with 100,000:               ", took)
