"""Turns workerseed on and off in this process, and says what it does: install, uninstall, status."""

import os
import sys

from . import _config
from ._config import settings
from ._import_hook import call_when_imported, imported_dataloader

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterable, Tuple

    from ._status import Status

_state: "Tuple[str, str]" = ("off", "not installed")


def install(options: "Iterable[str]" = (), rank: "_config.Rank" = None) -> None:
    """Seed NumPy in every DataLoader worker that starts from now on, as torch 1.9 does.

    ``import workerseed`` calls it. If torch is not imported yet, it waits for that. You may call it again. If the
    environment has ``WORKERSEED=0``, it does nothing; if that variable is not valid, it says so in a line on stderr
    and does nothing.

    Args:
        options: what to do beyond torch 1.9, on any torch, in addition to what ``WORKERSEED`` names: ``"ranks"`` gives
            each data-parallel rank of a distributed job its own streams, ``"generators"`` reseeds the generators
            that datasets and transforms store; ``"verbose"`` logs on stderr what workerseed does.
        rank: for the option ``ranks``, the data-parallel rank of this process, or a function that returns it and is
            called whenever workers start. The default is the rank of ``torch.distributed`` or of the launcher.

    Raises:
        ValueError: an option does not exist, the rank is out of range, or the option ``ranks`` is missing.
        TypeError: ``options`` is not a collection of names.
    """
    requested = _config.checked_options(options)
    value = os.environ.get(_config.VARIABLE, "")
    try:
        of_variable = _config.from_variable(value)
    except ValueError as error:
        from ._messages import log_once

        log_once(f"off: {error}")
        _set_state("off", str(error))
        return
    if rank is not None:
        from ._options.ranks import checked_rank

        if "ranks" not in (*requested, *(of_variable or ()), *(settings.options or ())):
            raise ValueError("rank= needs the option 'ranks': install(['ranks'], rank=...)")
        if not callable(rank):
            checked_rank(rank, "rank")
    if of_variable is None:
        _set_state("off", f"switched off by {_config.VARIABLE}={value}")
        return
    settings.options = _config.in_order((*of_variable, *(settings.options or ()), *requested))
    settings.rank = rank if rank is not None else settings.rank
    if imported_dataloader() is None:
        _set_state("waiting", "torch's DataLoader is not imported yet")
    call_when_imported(patch_dataloader)


def uninstall() -> None:
    """Put torch's own functions back; workers that start from now on are torch's own.

    If another library has wrapped one of our wrappers, ours may stay there and passes calls through.
    """
    _set_state("off", "uninstalled")
    settings.options = settings.rank = None
    for name, function in (("_patch", "unpatch"), ("_options", "forget_marks")):
        if f"{__package__}.{name}" in sys.modules:
            getattr(sys.modules[f"{__package__}.{name}"], function)()


def status() -> "Status":
    """Return what workerseed does in this process, and why.

    Returns:
        A named tuple ``(state, reason, torch, options)``, see ``Status``.
    """
    from ._status import Status  # not at the top: it imports `typing`

    state, reason = _state
    dataloader = imported_dataloader()
    if state == "active":
        from . import _patch

        replaced = _patch.replaced(dataloader)
        if replaced:
            state, reason = "failed", f"{replaced} was replaced after workerseed patched it"
    elif state == "waiting" and dataloader is not None:
        reason = "torch's DataLoader was imported in a way that bypasses the import system; call workerseed.install()"
        state = "failed"
    torch: Any = sys.modules.get("torch")
    try:
        version = str(torch.__version__)
    except Exception:  # not imported, or a lazy module that cannot be
        version = None
    return Status(state, reason, version, settings.options or ())


def patch_dataloader(dataloader: "ModuleType") -> None:
    """Patch the module ``torch.utils.data.dataloader``; never raise, because that would make ``import torch`` fail.

    wrapt and autowrapt call such a function a post import hook.
    """
    if settings.options is None:  # uninstalled while waiting
        return
    try:
        from . import _patch

        state = _patch.patch(dataloader)
    except Exception as error:
        state = ("failed", repr(error))
    _set_state(*state)


def _set_state(state: str, reason: str) -> None:
    global _state
    changed = (state, reason) != _state
    _state = (state, reason)
    if state in ("unsupported", "failed"):
        from ._messages import warn_once

        warn_once("DataLoader workers are not seeded: " + reason)
    elif changed and "verbose" in (settings.options or ()):
        from ._messages import log

        log(f"{state}: {reason}")
