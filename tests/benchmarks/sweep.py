"""What ``iter(loader)`` costs more with the extra ``generators``, in units of one ``gc.collect()``."""

import gc
import random
import resource
import statistics
import time

from torch.utils.data import DataLoader

import workerseed

PAIRS = 40


class Stored:
    def __init__(self, records):
        self.rng = random.Random(1)
        self.records = records

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return 0


def start(loader, extras):
    """Return the processor time that the parent takes to start a worker, in seconds."""
    workerseed.uninstall()
    workerseed.install([extras] if extras else [])
    began = time.process_time()
    iterator = iter(loader)
    took = time.process_time() - began
    list(iterator)
    return took


def collect():
    began = time.process_time()
    gc.collect()
    return time.process_time() - began


def more(loader, unit):
    """Return what a start costs more with the extra, in collections: the median of pairs, and the quartiles."""
    pairs = [start(loader, "generators") - start(loader, "") for _ in range(PAIRS)]
    ratios = sorted(pair / unit for pair in pairs)
    return f"{statistics.median(ratios):.2f} ({ratios[PAIRS // 4]:.2f} to {ratios[-PAIRS // 4]:.2f})"


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    gc.collect()
    records = []
    for number in (54000, 454000, 1250000, 2000000):
        records += [{"box": [random.random()], "label": 1} for _ in range((number - len(gc.get_objects())) // 2)]
        before, unit = peak(), statistics.median(collect() for _ in range(10))
        print(len(gc.get_objects()), "live objects")
        print("  in the program:               ", more(DataLoader(Stored([]), num_workers=1), unit), flush=True)
        print("  stored on the dataset:        ", more(DataLoader(Stored(records), num_workers=1), unit), flush=True)
        print(f"  MiB that the search needs: {peak() - before:.0f}", flush=True)
        if hasattr(gc, "freeze"):  # Python 3.7
            gc.freeze()
            print(
                "  stored on the dataset, frozen:", more(DataLoader(Stored(records), num_workers=1), unit), flush=True
            )
            gc.unfreeze()
