"""What a worker needs of memory with workerseed, in units of what it needs without.

Each number is the median over the workers of one program, of the memory that a worker shares with nobody after it has
loaded an item.
"""

import statistics
import subprocess
import sys

import numpy as np
from paired import ratio_of
from torch.utils.data import DataLoader, Dataset

WORKERS = 8
PAIRS = 5  # memory, unlike time, hardly differs from run to run


class Memory(Dataset):
    """Each item is the memory in MiB that its worker has for itself."""

    def __len__(self):
        return WORKERS

    def __getitem__(self, index):
        np.random.random()
        with open("/proc/self/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) / 1024


def program(method, *options):
    """Make a function that returns what a worker of a new program has, with these options, "off" for no workerseed."""
    command = [sys.executable, "-W", "ignore", __file__, method, *options]
    return lambda: float(subprocess.check_output(command))


def of_a_worker(method, *options):
    if options != ("off",):
        import workerseed

        workerseed.install(options)
    return statistics.median(map(float, DataLoader(Memory(), num_workers=WORKERS, multiprocessing_context=method)))


if __name__ == "__main__":
    if sys.argv[1:]:
        print(of_a_worker(*sys.argv[1:]))
        sys.exit()
    for method in ("fork", "spawn"):
        without = program(method, "off")
        print(f"a worker by {method}, without: {without():.1f} MiB = 1", flush=True)
        for name, *options in [("without, again", "off"), ("with workerseed",), ("option generators", "generators")]:
            print(f"  {name:18}", ratio_of(without, program(method, *options), PAIRS), flush=True)
