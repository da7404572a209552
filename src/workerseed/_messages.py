"""Writes to the user: log lines and warnings that cannot stop a program."""

import os
import sys
import warnings
from contextlib import suppress
from functools import lru_cache


def log(message: str) -> None:
    """Write one line to stderr, with the process id because a job has many processes."""
    with suppress(Exception):  # stderr may be None (pythonw.exe), closed, or replaced by the program
        sys.stderr.write(f"workerseed[{os.getpid()}]: {message}\n")


log_once = lru_cache(maxsize=None)(log)


@lru_cache(maxsize=None)
def warn_once(message: str) -> None:
    """Issue ``message`` as a ``RuntimeWarning``, unless this process already has.

    Where warnings are errors (``python -W error``), the message goes to stderr instead: an exception would end
    ``import torch`` or a worker.
    """
    try:
        warnings.warn("workerseed: " + message, RuntimeWarning, stacklevel=2)
    except Exception:
        log(message)
