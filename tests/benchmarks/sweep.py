"""What looking for generators costs, by the number of live objects, in units of what a reader knows."""

import gc
import random

import torch
from memory import private
from paired import ratio
from torch.utils.data import DataLoader

import workerseed
from workerseed import _generators


def start_worker(*extras):
    """Make a function that starts one worker, with these extras, and waits until it has loaded an item and ended."""

    def run():
        workerseed.uninstall()
        workerseed.install(extras)
        for _ in DataLoader([0], num_workers=1):
            pass

    return run


def look():
    for _ in _generators.generators_of_process([]):
        pass


def copied_by(function):
    """The memory in MiB that a forked child shares with its parent no longer, once it has called ``function``."""
    reader, writer = torch.multiprocessing.Pipe(duplex=False)
    process = torch.multiprocessing.get_context("fork").Process(target=send_copied, args=(function, writer))
    process.start()
    copied = reader.recv()
    process.join()
    return copied


def send_copied(function, writer):
    before = private()
    function()
    writer.send(private() - before)


def fold_found():
    """Do what a forked worker does with what its parent has found."""
    HELD.fold([0, 1, 2, 0])


if __name__ == "__main__":
    gc.collect()
    objects = []
    for number in (50000, 1000000):
        objects += [[random.random()] for _ in range(number - len(gc.get_objects()))]
        print(len(gc.get_objects()), "live objects")
        print("  a worker without the extra = 1, with it:   ", ratio(start_worker(), start_worker("generators"), 20))
        print("  a garbage collection = 1, looking for them:", ratio(gc.collect, look, 20))
        HELD = _generators.Held()
        HELD.found = list(_generators.generators_of_process([]))
        for what, function in (
            ("nothing", int),
            ("what a worker does", fold_found),
            ("looking for them itself", look),
            ("a garbage collection", gc.collect),
        ):
            print(f"  MiB copied in a forked child by {what}: {copied_by(function):.1f}")
