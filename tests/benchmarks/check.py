"""What ``workerseed check`` costs, and what annotations in a dataset add to it, as ratios."""

import os
import subprocess
import sys
import tempfile

from paired import ratio

EPOCH = """
import numpy as np
from torch.utils.data import DataLoader, Dataset

class RandomDataset(Dataset):
    def __getitem__(self, index):
        return np.random.randint(0, 1000, 3)

    def __len__(self):
        return 16

for batch in DataLoader(RandomDataset(), batch_size=2, num_workers=2):
    pass
"""
ANNOTATED = """
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
"""


def python(*arguments):
    def run():
        command = [sys.executable, *arguments]
        # In a session, as the check has its program: Linux shares the processor out by sessions.
        subprocess.check_output(command, stderr=subprocess.STDOUT, start_new_session=True)

    return run


def check(*arguments):
    return python("-m", "workerseed", "check", *arguments)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "annotated.py"), "w") as file:
            file.write(ANNOTATED)
        os.chdir(folder)
        with open("epoch.py", "w") as file:
            file.write(EPOCH)
        program = [sys.executable, "epoch.py"]
        print("a process that imports torch and runs one epoch = 1, the check:", ratio(python("-c", EPOCH), check(), 8))
        print("the same for a program:  ", ratio(python("epoch.py"), check("--", *program), 8))
        took = ratio(check("annotated:none"), check("annotated:many"), 8)
        print("a dataset without annotations = 1, with 100,000:               ", took)
