"""What whole epochs and the making of loaders cost with workerseed, in units of what they cost without."""

import numpy as np
from paired import ratio
from torch.utils.data import DataLoader, Dataset

import workerseed


class Crops(Dataset):
    """Random crops of one picture."""

    picture = np.zeros((512, 512, 3), np.float32)

    def __len__(self):
        return 256

    def __getitem__(self, index):
        top, left = np.random.randint(0, 512 - 224, 2)
        return self.picture[top : top + 224, left : left + 224] * np.float32(1.1)


def epoch(workers, installed):
    def run():
        switch(installed)
        for _ in DataLoader(Crops(), batch_size=16, num_workers=workers):
            pass

    return run


def make_loaders(installed):
    def run():
        switch(installed)
        for _ in range(1000):  # or the switch would count
            DataLoader(Crops(), batch_size=16, num_workers=2)

    return run


def switch(installed):
    if installed != (workerseed.status().state == "active"):
        (workerseed.install if installed else workerseed.uninstall)()


if __name__ == "__main__":
    for workers in (2, 8, 32):
        print(f"an epoch, {workers:2} workers, without = 1:  ", ratio(epoch(workers, False), epoch(workers, True), 40))
    print("an epoch,  8 workers, without, twice: ", ratio(epoch(8, False), epoch(8, False), 40))
    print("DataLoader(...), without = 1:         ", ratio(make_loaders(False), make_loaders(True), 60))
