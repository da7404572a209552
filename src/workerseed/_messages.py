"""How workerseed speaks on stderr, in a way that cannot stop a program."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Set

_warned: "Set[str]" = set()


def say(message: str) -> None:
    """Write one line to stderr, with the process id, for there may be many processes."""
    import os
    import sys
    from contextlib import suppress

    with suppress(AttributeError, OSError, ValueError):  # stderr is None under pythonw.exe, or broken, or closed
        sys.stderr.write(f"workerseed[{os.getpid()}]: {message}\n")


def warn_once(message: str) -> None:
    """Warn of ``message`` as a ``RuntimeWarning``, unless this process did before.

    Where warnings are errors (``python -W error``) it goes to stderr instead: raising would end what called us,
    which is ``import torch`` or a worker.
    """
    import warnings

    if message in _warned:
        return
    _warned.add(message)
    try:
        warnings.warn("workerseed: " + message, RuntimeWarning, stacklevel=2)
    except Exception:
        say(message)
