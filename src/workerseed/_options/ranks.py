"""The option ``ranks``: the data-parallel rank of this process."""

import os
import sys
from typing import Any, Callable, Union

from .._messages import log_once
from .._seeding import MASK32, checked_integer

RANK_VARIABLES = (
    "RANK",  # torch's launchers
    "HOROVOD_RANK",
    "OMPI_COMM_WORLD_RANK",  # Open MPI
    "PMIX_RANK",  # Open MPI 5, PRRTE
    "PMI_RANK",  # MPICH, Intel MPI
    "MV2_COMM_WORLD_RANK",  # MVAPICH2
    "JSM_NAMESPACE_RANK",  # LSF, by jsrun
    "SLURM_PROCID",  # last: the batch script of a job has it, too, and hands it to what mpirun starts
)


def find_rank(given: Union[int, Callable[[], int], None] = None, verbose: bool = False) -> int:
    """Return the data-parallel rank of this process.

    Args:
        given: what ``install`` got, a number or a function; None to take the rank of ``torch.distributed`` if that is
            initialized, else of the launcher, else 0.
        verbose: log the rank and where it comes from.

    Raises:
        ValueError: it is no rank.
    """
    distributed = sys.modules.get("torch.distributed")
    name = next((name for name in RANK_VARIABLES if os.environ.get(name, "").strip()), None)
    if given is not None:
        rank, source = checked_rank(given() if callable(given) else given, "rank"), "install"
    elif distributed is not None and distributed.is_available() and distributed.is_initialized():
        rank, source = int(distributed.get_rank()), "torch.distributed"
    elif name is not None:
        value = os.environ[name].strip()
        # The length first: Python 3.11 and later have a limit to what int() reads, with an error of its own.
        valid = value.isdecimal() and len(value) <= len(str(MASK32)) and int(value) <= MASK32
        number = int(value) if valid else value
        rank, source = checked_rank(number, name), name
    else:
        log_once(
            "ranks: no rank found, this process draws as rank 0; looked for an initialized torch.distributed and for "
            + ", ".join(RANK_VARIABLES)
        )
        return 0
    if verbose:
        log_once(f"ranks: rank {rank}, from {source}")
    return rank


def checked_rank(rank: Any, name: str) -> int:
    """Return ``rank`` as an int.

    Raises:
        ValueError: it is no rank; ``name`` says whose it is.
    """
    try:
        if not isinstance(rank, str):
            return checked_integer(name, rank, MASK32)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"{name}={rank!r} is not the data-parallel rank of a process, which the option 'ranks' of workerseed needs: "
        f"valid are whole numbers from 0 to {MASK32}"
    )
