"""Waits for torch's DataLoader to be imported, and has it patched then; install, uninstall, status."""

import os
import sys

from . import _config

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Callable, Iterable, Optional, Tuple, Union

    from ._status import Status

DATALOADER = "torch.utils.data.dataloader"

_options: "Optional[Tuple[str, ...]]" = None  # those that are on; None: not installed
_rank: "Union[int, Callable[[], int], None]" = None
_state: "Tuple[str, str]" = ("off", "not installed")


def install(options: "Iterable[str]" = (), rank: "Union[int, Callable[[], int], None]" = None) -> None:
    """Seed NumPy in every DataLoader worker that starts from now on, as torch 1.9 does.

    ``import workerseed`` calls it. If torch is not imported yet, it waits for that. You may call it again. It does
    nothing if the environment has ``WORKERSEED=0``.

    Args:
        options: what to do beyond torch 1.9, on any torch, in addition to what ``WORKERSEED`` names: ``"ranks"`` gives
            each data-parallel rank of a distributed job streams of its own, ``"generators"`` reseeds the generators
            that datasets and transforms store; ``"verbose"`` logs on stderr what workerseed does.
        rank: for the option ``ranks``, the data-parallel rank of this process, or a function that returns it and is
            called whenever workers start. Without it the rank is that of ``torch.distributed`` or of the launcher.

    Raises:
        ValueError: an option that does not exist, a rank out of range, or a rank without the option ``ranks``.
        TypeError: ``options`` is no collection of names, or ``rank`` neither a number nor a function.
    """
    global _options, _rank
    requested = _config.checked_options(options)
    value = os.environ.get(_config.VARIABLE, "")
    of_variable = _config.from_variable(value)
    if rank is not None:
        from ._options.ranks import checked_rank

        if "ranks" not in (*requested, *(of_variable or ()), *(_options or ())):
            raise ValueError("rank is for the option 'ranks': install(['ranks'], rank=...)")
        if not callable(rank):
            checked_rank(rank, "rank")
    if of_variable is None:
        _set_state("off", f"switched off by {_config.VARIABLE}={value}")
        return
    _options = _config.in_order((*of_variable, *(_options or ()), *requested))
    _rank = rank if rank is not None else _rank
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    dataloader = sys.modules.get(DATALOADER)
    if dataloader is not None and not _is_initializing(dataloader):
        patch_dataloader(dataloader)
        return
    # Perhaps another thread imports torch right now, and has passed the place where our finder is.
    importing = [sys.modules[name] for name in (DATALOADER, "torch.utils.data") if name in sys.modules]
    _set_state("waiting", "torch's DataLoader is not imported yet")
    for module in importing:
        _patch_when_initialized(module)


def install_on_import() -> None:
    """Install, as ``import workerseed`` does.

    An invalid ``WORKERSEED`` raises there, but not if nobody could catch it: the commands do not read the variable, and
    autowrapt imports us before the first line of the program or within ``import torch``.
    """
    try:
        install()
    except ValueError as error:
        if "workerseed" in os.environ.get("AUTOWRAPT_BOOTSTRAP", ""):
            from ._messages import log

            log(f"not installed: {error}")
        elif not _is_command():
            raise
        _set_state("off", str(error))


def _is_command() -> bool:
    """Whether ``python -m workerseed`` or the script ``workerseed`` imports us."""
    frame: Any = sys._getframe()
    while frame.f_back is not None:
        if frame.f_globals.get("__name__") == "runpy" and frame.f_locals.get("mod_name") == "workerseed.__main__":
            return True
        frame = frame.f_back
    return os.path.basename(str(frame.f_globals.get("__file__"))).split(".")[0] in ("workerseed", "workerseed-script")


def uninstall() -> None:
    """Leave workers that start from now on as torch makes them, and put torch's own functions back.

    If another library has wrapped one of our wrappers, ours stays there and passes calls through.
    """
    global _options, _rank
    if "workerseed._patch" in sys.modules:
        from . import _patch

        _patch.unpatch()
    _set_state("off", "uninstalled")
    _options = _rank = None


def status() -> "Status":
    """Return what workerseed does in this process, and why.

    Returns:
        A named tuple ``(state, reason, torch, options)``, see ``Status``.
    """
    from ._status import Status  # not at the top: it imports `typing`

    state, reason = _state
    dataloader = sys.modules.get(DATALOADER)
    if state == "active":
        from . import _patch

        missing = _patch.unwrapped(dataloader)
        if missing:
            state, reason = "failed", f"{', '.join(missing)}.__init__ is replaced since workerseed wrapped it"
    elif state == "waiting" and dataloader is not None and not _is_initializing(dataloader):
        state, reason = "failed", "torch's DataLoader was imported past the import system; call workerseed.install()"
    torch = getattr(sys.modules.get("torch"), "__version__", None)
    return Status(state, reason, None if torch is None else str(torch), _options or ())


def _set_state(state: str, reason: str) -> None:
    global _state
    changed = (state, reason) != _state
    _state = (state, reason)
    if state in ("unsupported", "failed"):
        from ._messages import warn_once

        warn_once("DataLoader workers are not seeded: " + reason)
    elif changed and _options is not None and "verbose" in _options:
        from ._messages import log

        log(f"{state}: {reason}")


def patch_dataloader(dataloader: "ModuleType") -> None:
    """Patch the module ``torch.utils.data.dataloader``; never raise, for that would make ``import torch`` fail.

    wrapt and autowrapt call such a function a post import hook.
    """
    if _options is None:  # uninstalled while waiting
        return
    try:
        from . import _patch

        state = _patch.patch(dataloader, _options, _rank)
    except Exception as error:
        state = ("failed", repr(error))
    _set_state(*state)


class _Finder:
    """Patches torch's DataLoader whenever it is imported; stays on ``sys.meta_path`` from then on.

    ``find_spec`` runs under the global import lock, where another import can wait for this thread for ever: it imports
    nothing. To take the finder out again would make imports in other threads skip the finder behind it.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> "Optional[ModuleSpec]":
        if name != DATALOADER or _options is None:
            return None
        finders = list(sys.meta_path)
        places = [place for place, finder in enumerate(finders) if finder is self]
        # Where it has none, an import tracer put proxies in place of all finders.
        later: Any = finders[places[0] + 1 :] if places else [sys.modules["_frozen_importlib_external"].PathFinder]
        for finder in later:
            find_spec: Any = getattr(finder, "find_spec", None)  # finders from before Python 3.4 have none
            spec: Optional[ModuleSpec] = find_spec and find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """Has the module executed by its own loader, which it gives back to the module, and then patched."""

    def __init__(self, loader: "Any") -> None:
        self.loader = loader

    def exec_module(self, module: "Any") -> None:
        if module.__spec__.loader is self:
            module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        patch_dataloader(module)

    def __getattr__(self, name: str) -> "Any":  # create_module, get_source, is_package and others
        return getattr(self.loader, name)


_finder = _Finder()


def _is_initializing(module: "Optional[ModuleType]") -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


def _patch_when_initialized(module: "ModuleType") -> None:
    """Patch torch's DataLoader as soon as the import of ``module``, which runs already, ends.

    Whatever thread runs it, we must not wait for it. The import system marks the end in the module's spec.
    """
    spec: Any = module.__spec__
    if type(spec) is ModuleSpecClass:
        spec.__class__ = _WatchedSpec
        if not spec._initializing:  # it ended meanwhile
            spec._initializing = False


ModuleSpecClass: "Any" = type(sys.__spec__)  # as importlib.machinery has it, which takes long to import


class _WatchedSpec(ModuleSpecClass):  # type: ignore[misc]
    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            super().__setattr__("__class__", ModuleSpecClass)
            if DATALOADER in sys.modules:
                patch_dataloader(sys.modules[DATALOADER])
