"""The rank of this process in a distributed job, for the extra ``ranks``."""

import os
import sys

VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")  # torch's launchers, Slurm, Open MPI


def find_rank() -> int:
    """Return the rank that ``torch.distributed`` has, if that is initialised, else that of the launcher, else 0.

    Raises:
        ValueError: the launcher's variable is not a rank.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    for name in VARIABLES:
        value = os.environ.get(name, "").strip()
        if value:
            if not value.isdigit() or int(value) >= 2**32:
                raise ValueError(f"{name}={value!r} is not the rank of a process: valid are whole numbers from 0")
            return int(value)
    return 0
