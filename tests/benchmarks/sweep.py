"""What ``iter(loader)`` costs more with the option ``generators``, in units of one ``gc.collect()``.

    python tests/benchmarks/sweep.py [--frameworks]

measures programs of 54,000 to two million objects, or one that imports transformers, MONAI and Lightning.
"""

import gc
import random
import resource
import statistics
import sys
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


def start(loader, options):
    """Return the processor time that the parent takes to start a worker, in seconds."""
    workerseed.uninstall()
    workerseed.install([options] if options else [])
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
    """Return what a start costs more with the option, in collections: the median of pairs, and the quartiles."""
    pairs = [start(loader, "generators") - start(loader, "") for _ in range(PAIRS)]
    ratios = sorted(pair / unit for pair in pairs)
    return f"{statistics.median(ratios):.2f} ({ratios[PAIRS // 4]:.2f} to {ratios[-PAIRS // 4]:.2f})"


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def unit_of_program():
    """Print the number of live objects, and return what one collection takes."""
    unit = statistics.median(collect() for _ in range(10))
    print(len(gc.get_objects()), "live objects")
    return unit


def sizes():
    """Measure programs of several sizes."""
    gc.collect()
    records = []
    for number in (54000, 454000, 1250000, 2000000):
        records += [{"box": [random.random()], "label": 1} for _ in range((number - len(gc.get_objects())) // 2)]
        before, unit = peak(), unit_of_program()
        print("  in the program:               ", more(DataLoader(Stored([]), num_workers=1), unit), flush=True)
        print("  stored on the dataset:        ", more(DataLoader(Stored(records), num_workers=1), unit), flush=True)
        small = [records[first : first + 250] for first in range(0, len(records), 250)]
        print("  there in small containers:    ", more(DataLoader(Stored(small), num_workers=1), unit), flush=True)
        print(f"  MiB that the search needs: {peak() - before:.0f}", flush=True)
        if hasattr(gc, "freeze"):  # Python 3.7
            gc.freeze()
            print(
                "  stored on the dataset, frozen:", more(DataLoader(Stored(records), num_workers=1), unit), flush=True
            )
            gc.unfreeze()


def frameworks():
    """Measure a program that imports transformers, MONAI and Lightning, and loads by a transform of MONAI."""
    import lightning  # noqa: F401
    import monai.data
    import numpy
    import transformers  # noqa: F401

    transforms = [monai.transforms.RandFlip(0.5), monai.transforms.RandGaussianNoise(0.5)]
    images = [numpy.zeros((1, 8, 8), "float32")] * 2
    of_monai = monai.data.Dataset(images, monai.transforms.Compose(transforms))
    before, unit = peak(), unit_of_program()
    print("  a dataset of the program:     ", more(DataLoader(Stored([]), num_workers=2), unit), flush=True)
    print("  a dataset of MONAI:           ", more(DataLoader(of_monai, num_workers=2), unit), flush=True)
    print(f"  MiB that the search needs: {peak() - before:.0f}", flush=True)


if __name__ == "__main__":
    frameworks() if sys.argv[1:] == ["--frameworks"] else sizes()
