"""The rank of this process in a distributed job, for the extra ``ranks``."""

import os
import sys

VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")  # torch's launchers, Slurm, Open MPI
LARGEST = 2**32 - 1  # one entropy word


def find_rank() -> int:
    """Return the rank that ``torch.distributed`` has, if that is initialised, else that of the launcher, else 0.

    The first variable that is set counts; an empty one is as one that is not set.

    Raises:
        ValueError: the launcher's variable is not a rank.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    for name in VARIABLES:
        value = os.environ.get(name, "").strip()
        if value:
            # The length first: Python 3.11 and later have a limit to what int() reads, with an error of its own.
            if not value.isdecimal() or len(value) > len(str(LARGEST)) or int(value) > LARGEST:
                raise ValueError(
                    f"{name}={value!r} is not the rank of a process, which the extra 'ranks' of workerseed needs: "
                    f"valid are whole numbers from 0 to {LARGEST}"
                )
            return int(value)
    return 0
