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


def epoch(workers):
    for _ in DataLoader(Crops(), batch_size=16, num_workers=workers):
        pass


def make_loaders():
    for _ in range(1000):  # or the switch would count
        DataLoader(Crops(), batch_size=16, num_workers=2)


def report(name, pairs, function, *arguments, second=True):
    """Print what it takes with workerseed, or without a second time, in units of what it takes without."""

    def run(installed):
        if installed != (workerseed.status().state == "active"):
            (workerseed.install if installed else workerseed.uninstall)()
        function(*arguments)

    print(f"{name:38}", ratio(lambda: run(False), lambda: run(second), pairs))


if __name__ == "__main__":
    for workers in (2, 8, 32):
        report(f"an epoch, {workers:2} workers, without = 1:", 40, epoch, workers)
    report("an epoch,  8 workers, without, twice:", 40, epoch, 8, second=False)
    report("DataLoader(...), without = 1:", 60, make_loaders)
