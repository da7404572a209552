"""The option ``ranks``: finds the data-parallel rank of this process."""

import os
import sys
from typing import Any

from .._config import settings
from .._messages import log_once
from .._seeding import MASK32, checked_integer

RANK_VARIABLES = (
    "RANK",  # torch's launchers
    "HOROVOD_RANK",
    "OMPI_COMM_WORLD_RANK",  # Open MPI
    "PMIX_RANK",  # Open MPI 5, PRRTE
    "PMI_RANK",  # MPICH, Intel MPI
    "MV2_COMM_WORLD_RANK",  # MVAPICH2
    "JSM_NAMESPACE_RANK",  # LSF's jsrun
    "SLURM_PROCID",  # last: a batch script has it as well, and passes it to everything that mpirun starts
)


def find_rank() -> int:
    """Return the data-parallel rank of this process.

    It is what ``install`` got, else the rank of ``torch.distributed`` if that is initialized, else of the launcher,
    else 0.

    Raises:
        ValueError: it is not a rank.
    """
    given, distributed = settings.rank, sys.modules.get("torch.distributed")
    variable = next((name for name in RANK_VARIABLES if os.environ.get(name, "").strip()), None)
    if given is not None:
        rank, source = checked_rank(given() if callable(given) else given, "rank"), "from install"
    elif distributed is not None and distributed.is_available() and distributed.is_initialized():
        rank, source = int(distributed.get_rank()), "from torch.distributed"
    elif variable:
        value = os.environ[variable].strip()
        # Longer numbers are not ranks, and int() refuses very long ones with its own error (Python 3.11).
        number = int(value) if value.isdecimal() and len(value) <= len(str(MASK32)) else value
        rank, source = checked_rank(number, variable), f"from {variable}"
    else:
        names = ", ".join(RANK_VARIABLES)
        rank, source = 0, f"because torch.distributed is not initialized and none of these variables is set: {names}"
    if "verbose" in (settings.options or ()):
        log_once(f"ranks: rank {rank}, {source}")
    return rank


def checked_rank(rank: Any, name: str) -> int:
    """Return ``rank`` as an int.

    Args:
        rank: a rank, or anything else.
        name: where it comes from.

    Raises:
        ValueError: it is not a rank.
    """
    try:
        return checked_integer(name, rank, MASK32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"workerseed's option 'ranks' needs a data-parallel rank: {error}") from None
