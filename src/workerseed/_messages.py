"""Writes to the user: log lines and warnings that cannot stop a program."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Set

_written: "Set[str]" = set()


def log(message: str) -> None:
    """Write one line to stderr, with the process id: a job has many processes."""
    import os
    import sys
    from contextlib import suppress

    with suppress(AttributeError, OSError, ValueError):  # stderr is None under pythonw.exe, or broken, or closed
        sys.stderr.write(f"workerseed[{os.getpid()}]: {message}\n")


def log_once(message: str) -> None:
    """Write one line to stderr, unless this process wrote it before."""
    if message not in _written:
        _written.add(message)
        log(message)


def warn_once(message: str) -> None:
    """Warn of ``message`` as a ``RuntimeWarning``, unless this process did before.

    Where warnings are errors (``python -W error``) the message goes to stderr instead: raising would end
    ``import torch`` or a worker.
    """
    import warnings

    if message in _written:
        return
    _written.add(message)
    try:
        warnings.warn("workerseed: " + message, RuntimeWarning, stacklevel=2)
    except Exception:
        log(message)
