"""Waiting for torch: has its DataLoader wrapped as soon as it is there, and knows how that went."""

import os
import sys

from . import _options
from ._messages import say, warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Iterable, Optional, Tuple

    from ._status import Status

DATALOADER = "torch.utils.data.dataloader"

_variable = os.environ.get(_options.VARIABLE, "")
_why_off = f"switched off by {_options.VARIABLE}={_variable}"
_asked_for: "Optional[Tuple[str, ...]]" = None  # extras; None: switched off
try:
    _asked_for = _options.from_variable(_variable)
except ValueError as error:
    # autowrapt imports us before the first line of the program, or within `import torch`: neither may fail for this.
    if "workerseed" not in os.environ.get("AUTOWRAPT_BOOTSTRAP", ""):
        raise
    _why_off = str(error)
    say("not installed: " + _why_off)
_extras: "Optional[Tuple[str, ...]]" = None  # None: not installed
_state: "Tuple[str, str]" = ("off", "not installed")


def install(extras: "Iterable[str]" = ()) -> None:
    """Seed NumPy in every DataLoader worker that starts from now on, as torch 1.9 does.

    ``import workerseed`` has called it already. Where torch is not imported yet, it waits for that. Calling it again
    does no harm. It does nothing where the environment says ``WORKERSEED=0``.

    Args:
        extras: what to do beyond that, in addition to what ``WORKERSEED`` names: ``"ranks"`` gives each process of a
            distributed job streams of its own, ``"generators"`` reseeds the generators that objects hold, both on any
            torch; ``"verbose"`` tells on stderr what is decided, a line for each thing.

    Raises:
        ValueError: an extra that does not exist.
        TypeError: ``extras`` is a string.
    """
    global _extras
    chosen = _options.known(extras)
    if _asked_for is None:
        _conclude("off", _why_off)
        return
    _extras = _options.known((*_asked_for, *(_extras or ()), *chosen))
    if "torch" in sys.modules:
        _attend_to_torch()
    else:
        _conclude("waiting", "torch is not imported yet")
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Leave the workers that start from now on as torch makes them, and put torch's own functions back.

    Where somebody else has wrapped one of our wrappers meanwhile, ours stays there and only passes through.
    """
    global _extras
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    if _state[0] == "active":
        from . import _patch

        _patch.unpatch()
    _conclude("off", "uninstalled")
    _extras = None


def status() -> "Status":
    """Tell what workerseed does in this process, and why.

    Returns:
        A named tuple ``(state, reason, torch, extras)``; ``Status`` says what each is.
    """
    from ._status import Status  # not at the top: it imports `typing`

    torch = getattr(sys.modules.get("torch"), "__version__", None)
    return Status(_state[0], _state[1], None if torch is None else str(torch), _extras or ())


def _conclude(state: str, reason: str) -> None:
    global _state
    _state = (state, reason)
    if state in ("unsupported", "failed"):
        warn_once("DataLoader workers are not seeded: " + reason)
    elif _extras is not None and "verbose" in _extras:
        say(f"{state}: {reason}")


class _TorchFinder:
    """Finds nothing; on ``sys.meta_path`` it only sees that torch begins to import.

    Everything heavier, wrapt above all, can wait until then: an environment variable reaches every interpreter of a
    machine.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> "Optional[ModuleSpec]":
        if (name != "torch" and "torch" not in sys.modules) or _half_imported(sys.modules.get(DATALOADER)):
            return None
        try:
            sys.meta_path.remove(self)
        except ValueError:  # another thread was faster
            return None
        _attend_to_torch()
        from importlib.util import find_spec

        return find_spec(name)  # anew: the finders after us have moved up by one, and one would be left out


_finder = _TorchFinder()


def _attend_to_torch() -> None:
    """Wrap torch's DataLoader if it is there, else have it wrapped when it is."""
    try:
        dataloader = sys.modules.get(DATALOADER)
        if _half_imported(dataloader):
            from importlib import import_module

            dataloader = import_module(DATALOADER)  # where another thread imports it, this waits
        if dataloader is None:
            import wrapt

            _conclude("waiting", "torch's DataLoader is not imported yet")
            wrapt.register_post_import_hook(attend_to_dataloader, DATALOADER)
        elif _half_imported(dataloader):  # by this very thread: the next import will find it whole
            _conclude("waiting", "torch's DataLoader is being imported")
            sys.meta_path.insert(0, _finder)
        else:
            attend_to_dataloader(dataloader)
    except Exception as error:
        _conclude("failed", repr(error))


def _half_imported(module: "Optional[ModuleType]") -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


def attend_to_dataloader(dataloader: "ModuleType") -> None:
    """Wrap; never raise, since under wrapt an import hook that does makes ``import torch`` fail."""
    if _extras is None:  # uninstalled while waiting
        return
    try:
        from . import _patch

        _conclude(*_patch.patch(dataloader, _extras))
    except Exception as error:
        _conclude("failed", repr(error))
