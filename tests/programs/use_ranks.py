"""Is one process of a distributed job: three epochs of a loader with two workers, all processes with one seed.

The arguments are a folder for what it draws, in a file named by the launcher's rank, and where ``torch.distributed`` is
to be initialised the rank, the number of processes and a file where they meet.
"""

import json
import os
import sys

import torch
import torch.distributed
from scenarios import draw
from support import Items, as_list
from torch.utils.data import DataLoader

EPOCHS = 3
WORKERS = 2


def loader_of(workers=WORKERS, **options):
    """A loader with one item for each worker."""
    return DataLoader(Items(draw, WORKERS), num_workers=workers, collate_fn=as_list, **options)


def epochs(loader, count=EPOCHS):
    """By epoch and worker: what the worker drew."""
    torch.manual_seed(0)
    return [[item for batch in loader for item in batch] for _ in range(count)]


if __name__ == "__main__":
    # The launcher adds --local_rank: always on torch 1.0, and later unless an option says otherwise.
    folder, *job = [argument for argument in sys.argv[1:] if not argument.startswith("--local_rank")]
    launchers = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
    name = next((os.environ[variable] for variable in launchers if variable in os.environ), "0")
    if job:
        name, world_size, meeting = job
        torch.distributed.init_process_group(
            "gloo", init_method="file://" + meeting, rank=int(name), world_size=int(world_size)
        )
    with open(os.path.join(folder, name), "w") as file:
        json.dump(epochs(loader_of()), file)
    if job:
        torch.distributed.barrier()
