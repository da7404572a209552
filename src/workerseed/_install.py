"""Turns workerseed on and off in this process, and says what it does: install, uninstall, status."""

import os
import sys
from types import ModuleType
from typing import Iterable, NamedTuple, Optional, Tuple

from ._attributes import attributes_of
from ._config import VARIABLE, Rank, checked_options, from_variable, settings
from ._import_hook import imported_dataloader, variable
from ._messages import log, log_once, warn_once


class Status(NamedTuple):
    """What workerseed does in this process.

    Attributes:
        state: ``"waiting"`` for torch's DataLoader to be imported; ``"active"``; ``"native"``: this torch seeds NumPy
            itself; ``"off"``; ``"unsupported"``: workerseed does not know this torch; ``"failed"``.
        reason: one sentence that explains the state.
        torch: the version of the imported torch, or None.
        options: the options that are on.
    """

    state: str
    reason: str
    torch: Optional[str]
    options: Tuple[str, ...]


def install(options: Iterable[str] = (), rank: Rank = None) -> None:
    """Seed NumPy in every DataLoader worker that starts from now on, as torch 1.9 does.

    ``import workerseed`` does this for you. If torch is not imported yet, workerseed waits for it. You can call
    ``install`` again, for example to add options. With ``WORKERSEED=0`` in the environment, it does nothing. If the
    variable is invalid, it prints one line on stderr and does nothing.

    Args:
        options: what to do beyond torch 1.9, on any torch, in addition to the options in ``WORKERSEED``. ``"ranks"``
            gives each data-parallel rank of a distributed job its own random numbers. ``"generators"`` reseeds
            generators stored on datasets and transforms. ``"verbose"`` logs every state change on stderr.
        rank: for the option ``ranks``, the data-parallel rank of this process, or a function that returns it, called
            whenever workers start. The default is the rank of ``torch.distributed`` or of the launcher.

    Raises:
        ValueError: an option does not exist, the rank is out of range, or ``rank`` is given without the option
            ``ranks``.
        TypeError: ``options`` is not a collection of names.
    """
    _turn_on(checked_options(options), rank, os.environ.get(VARIABLE, ""), imported_dataloader())


def _turn_on(requested: Tuple[str, ...], rank: Rank, value: str, dataloader: Optional[ModuleType]) -> None:
    try:
        of_variable, reason = from_variable(value), f"switched off by {VARIABLE}={value}"
    except ValueError as error:
        of_variable, reason = None, str(error)
        log_once(f"off: {reason}")
    options = checked_options((*requested, *(of_variable or ()), *(settings.options or ())))
    if rank is not None:
        from ._options.ranks import checked_rank

        if "ranks" not in options:
            raise ValueError("rank= needs the option 'ranks': install(['ranks'], rank=...)")
        if not callable(rank):
            checked_rank(rank, "rank")
    if of_variable is None:
        if settings.options is None:  # if it was installed before the variable changed, it stays on
            _set_state("off", reason)
        return
    settings.options, settings.rank = options, settings.rank if rank is None else rank
    if dataloader is None:
        _set_state("waiting", "torch's DataLoader is not imported yet")
    else:
        patch_dataloader(dataloader)


def uninstall() -> None:
    """Put torch's own functions back. Workers that start from now on are not seeded.

    Workers that are already running are not affected. Marks of ``keep`` and ``reseed`` are removed. If another library
    has wrapped one of workerseed's wrappers, workerseed's may stay; it then only passes calls through.
    """
    _set_state("off", "uninstalled")
    settings.options = settings.rank = None
    for name, function in (("_patch", "unpatch"), ("_options.marks", "forget_marks")):
        if f"{__package__}.{name}" in sys.modules:
            getattr(sys.modules[f"{__package__}.{name}"], function, bool)()  # another thread may be importing it


def status() -> Status:
    """Return what workerseed does in this process, and why."""
    state, reason = settings.state
    dataloader = imported_dataloader()
    if state == "active":
        from . import _patch

        replaced = _patch.replaced(dataloader)
        if replaced:
            state, reason = "failed", f"{replaced} was replaced after workerseed patched it"
    elif state == "waiting" and dataloader is not None:
        reason = "torch's DataLoader was imported in a way that bypasses the import system; call workerseed.install()"
        state = "failed"
    version = attributes_of(sys.modules.get("torch")).get("__version__")  # this does not make a lazy module load
    return Status(state, reason, version and str(version), settings.options or ())


def patch_dataloader(dataloader: ModuleType) -> None:
    """Patch the module ``torch.utils.data.dataloader``; never raise, because that would make ``import torch`` fail.

    It is a post import hook in the sense of wrapt and autowrapt.
    """
    if settings.options is None:  # uninstalled while waiting
        return
    try:
        from . import _patch

        _set_state(*_patch.patch(dataloader))
    except Exception as error:
        _set_state("failed", repr(error))


def _set_state(state: str, reason: str) -> None:
    changed = (state, reason) != settings.state
    settings.state = (state, reason)
    if state in ("unsupported", "failed"):
        warn_once("DataLoader workers are not seeded: " + reason)
    elif changed and state != "waiting" and "verbose" in (settings.options or ()):
        log(f"{state}: {reason}")


# Importing the package turns it on, with the variable as it was then. What imports this module patches torch, or only
# asks for the status.
_turn_on((), None, variable, None)
