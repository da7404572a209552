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

from paired import quartiles
from torch.utils.data import DataLoader

import workerseed


class Stored:
    def __init__(self, records):
        self.rng = random.Random(1)
        self.records = records

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return 0


def processor_time(function, *arguments):
    began = time.process_time()
    result = function(*arguments)
    return time.process_time() - began, result


def start(loader, *options):
    """Return the processor time that the parent takes to start a worker, in seconds."""
    workerseed.uninstall()
    workerseed.install(options)
    took, iterator = processor_time(iter, loader)
    list(iterator)
    return took


def report(name, dataset, unit):
    """Print what a start costs more with the option, in collections."""
    loader = DataLoader(dataset, num_workers=1)
    more = [(start(loader, "generators") - start(loader)) / unit for _ in range(40)]
    print(f"  {name:30} {quartiles(more)}", flush=True)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def unit_of_program():
    """Print the number of live objects, and return what one collection takes."""
    print(len(gc.get_objects()), "live objects")
    return statistics.median(processor_time(gc.collect)[0] for _ in range(10))


def sizes():
    """Measure programs of several sizes."""
    gc.collect()
    records = []
    for number in (54000, 454000, 1250000, 2000000):
        records += [{"box": [random.random()], "label": 1} for _ in range((number - len(gc.get_objects())) // 2)]
        before, unit = peak(), unit_of_program()
        report("in the program:", Stored([]), unit)
        report("stored on the dataset:", Stored(records), unit)
        report("there in small containers:", Stored([records[i : i + 250] for i in range(0, len(records), 250)]), unit)
        print(f"  MiB that the search needs: {peak() - before:.0f}", flush=True)
        if hasattr(gc, "freeze"):  # Python 3.7
            gc.freeze()
            report("stored on the dataset, frozen:", Stored(records), unit)
            gc.unfreeze()


def frameworks():
    """Measure a program that imports transformers, MONAI and Lightning, and loads by a transform of MONAI."""
    import lightning  # noqa: F401
    import monai.data
    import numpy
    import transformers  # noqa: F401

    transforms = [monai.transforms.RandFlip(0.5), monai.transforms.RandGaussianNoise(0.5)]
    images = [numpy.zeros((1, 8, 8), "float32")] * 2
    unit = unit_of_program()
    report("a dataset of the program:", Stored([]), unit)
    report("a dataset of MONAI:", monai.data.Dataset(images, monai.transforms.Compose(transforms)), unit)


if __name__ == "__main__":
    frameworks() if sys.argv[1:] == ["--frameworks"] else sizes()
