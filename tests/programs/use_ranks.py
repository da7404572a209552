"""Is one process of a distributed job: three epochs of a loader with two workers, all processes with one seed.

The arguments are a folder for what it draws, in a file named by the launcher's rank, and where ``torch.distributed`` is
to be initialised the rank, the number of processes and a file where they meet.
"""

import json
import os
import random
import sys

import torch
import torch.distributed
from torch.utils.data import DataLoader, Dataset

try:
    import numpy as np
except ImportError:
    np = None

EPOCHS = 3
WORKERS = 2


class ThreeStreams(Dataset):
    """Each item is torch's seed in its worker, and what the three global generators draw there."""

    def __len__(self):
        return WORKERS  # one item for each worker

    def __getitem__(self, index):
        return [torch.initial_seed(), *three_streams()]


def three_streams():
    return [
        np and np.random.randint(0, 2**31 - 1, 2).tolist(),
        [random.randrange(2**31) for _ in range(2)],
        torch.randint(2**31, (2,)).tolist(),
    ]


def as_it_is(batch):
    return batch[0]


def epochs(loader, count=EPOCHS):
    """By epoch and worker: what the worker drew."""
    torch.manual_seed(0)
    return [list(loader) for _ in range(count)]


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
    drawn = epochs(DataLoader(ThreeStreams(), num_workers=WORKERS, collate_fn=as_it_is))
    with open(os.path.join(folder, name), "w") as file:
        json.dump(drawn, file)
    if job:
        torch.distributed.barrier()
