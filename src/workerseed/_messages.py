"""Writes to the user: log lines and warnings that cannot stop a program."""

import os
import sys
import warnings
from typing import Set

_written: Set[str] = set()


def log(message: str) -> None:
    """Write one line to stderr, with the process id because a job has many processes."""
    try:
        sys.stderr.write(f"workerseed[{os.getpid()}]: {message}\n")
    except Exception:  # None under pythonw.exe, closed, or an object of the program's
        return


def log_once(message: str) -> None:
    """Write one line to stderr, unless this process has already written it."""
    if message not in _written:
        _written.add(message)
        log(message)


def warn_once(message: str) -> None:
    """Issue ``message`` as a ``RuntimeWarning``, unless this process already has.

    Where warnings are errors (``python -W error``), the message goes to stderr instead: an exception would end
    ``import torch`` or a worker.
    """
    if message in _written:
        return
    _written.add(message)
    try:
        warnings.warn("workerseed: " + message, RuntimeWarning, stacklevel=2)
    except Exception:
        log(message)
