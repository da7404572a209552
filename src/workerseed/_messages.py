"""How workerseed speaks: one warning for each thing that went wrong, which cannot stop a program."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Set

_warned: "Set[str]" = set()


def warn_once(message: str) -> None:
    """Warn of ``message`` as a ``RuntimeWarning``, unless this process did before.

    Where warnings are errors (``python -W error``) it goes to stderr instead: raising would end what called us,
    which is ``import torch`` or a worker.
    """
    import sys
    import warnings
    from contextlib import suppress

    if message in _warned:
        return
    _warned.add(message)
    try:
        warnings.warn("workerseed: " + message, RuntimeWarning, stacklevel=2)
    except Exception:
        with suppress(AttributeError, OSError, ValueError):  # it is None under pythonw.exe, or broken, or closed
            sys.stderr.write(f"workerseed: {message}\n")
