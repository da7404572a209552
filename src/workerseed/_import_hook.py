"""Reads the variable WORKERSEED, and runs callbacks when torch's DataLoader has been imported."""

import _thread
import os
import sys

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, List, Optional, Set

variable = os.environ.get("WORKERSEED", "")  # now: a program may change its environment before it imports torch

DATALOADER = "torch.utils.data.dataloader"
ModuleSpecClass: "Any" = type(sys.__spec__)  # as importlib.machinery has it, which takes long to import

_callbacks: "List[Callable[[ModuleType], None]]" = []
_searching: "Set[int]" = set()  # threads in which find_spec asks the import system, which must not ask it in turn


def call_when_imported(callback: "Callable[[ModuleType], None]") -> None:
    """Call ``callback`` with the module ``torch.utils.data.dataloader`` each time it has been executed.

    If it is already imported, call ``callback`` now as well.
    """
    _callbacks.append(callback)
    dataloader = imported_dataloader()
    if dataloader is not None:
        _call(dataloader)
        return
    # Another thread may be importing torch right now, and may already have passed our finder. The import of this
    # package includes that of the DataLoader.
    _watch(sys.modules.get("torch.utils.data"))


def imported_dataloader() -> "Optional[ModuleType]":
    """Return the module ``torch.utils.data.dataloader`` if its import has finished, else None."""
    module = sys.modules.get(DATALOADER)
    is_module = issubclass(type(module), type(sys))  # and not None, or a mock: nothing to patch
    return module if is_module and not getattr(_spec_of(module), "_initializing", False) else None


def _spec_of(module: "Any") -> "Any":
    """Return the module's spec without running its ``__getattribute__``, with which a lazy module imports itself."""
    return object.__getattribute__(module, "__dict__").get("__spec__")


def _call(module: "Any") -> None:
    for callback in list(_callbacks):
        try:
            callback(module)
        except Exception as error:  # pex may have taken workerseed away; the import of torch must not fail
            from contextlib import suppress

            with suppress(Exception):  # stderr may be closed
                sys.stderr.write(f"workerseed: DataLoader workers are not seeded: {error!r}\n")


def find_spec(name: str, path: object = None, target: object = None) -> "Any":
    """Let the import system find torch's DataLoader as usual, and hook its loader.

    This runs under an import lock that another thread may be waiting for, so it imports nothing.
    """
    thread = _thread.get_ident()
    if name != DATALOADER or thread in _searching:
        return None
    try:
        _searching.add(thread)
        spec = sys.modules["_frozen_importlib"]._find_spec(name, path, target)
    finally:
        _searching.discard(thread)
    if spec is None or spec.loader is None:
        return spec
    loader = _Loader(spec.loader)
    try:
        spec.loader = loader
    except Exception:  # the spec is read-only
        plain = ModuleSpecClass(name, loader, origin=spec.origin, loader_state=spec.loader_state)
        plain.has_location, plain.cached = spec.has_location, spec.cached
        return plain
    return spec


class _Loader:
    """Lets the module's own loader execute it, then runs the callbacks; otherwise looks like that loader."""

    def __init__(self, loader: "Any") -> None:
        self.loader = loader

    __class__: "Any" = property(lambda self: type(self.loader))  # for isinstance

    def __getattr__(self, name: str) -> "Any":
        attribute = getattr(self.loader, name)
        # Loaders in the style before Python 3.4, such as wrapt 1.12's, only have load_module.
        if name not in ("exec_module", "load_module"):
            return attribute
        return lambda *args, **kwargs: self._execute(attribute, *args, **kwargs)

    def __reduce_ex__(self, protocol: "Any") -> "Any":  # a copy or a pickle is that of the module's own loader
        return self.loader.__reduce_ex__(protocol)

    def _execute(self, execute: "Any", *args: "Any", **kwargs: "Any") -> "Any":
        module: Any = next(iter((*args, *kwargs.values())), None)  # load_module takes a name, or nothing
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.loader is self:
            spec.loader = module.__loader__ = self.loader
        result = execute(*args, **kwargs)
        _call(module if result is None else result)
        return result


def _watch(module: "Any") -> None:
    """Run the callbacks as soon as another thread has finished importing ``module``.

    This thread must not wait. The import system marks the end in the module's spec.
    """
    spec = _spec_of(module) if issubclass(type(module), type(sys)) else None
    if type(spec) is ModuleSpecClass:
        spec.__class__ = _WatchedSpec
        if not getattr(spec, "_initializing", False):  # it has finished in the meantime
            spec._initializing = False


class _WatchedSpec(ModuleSpecClass):  # type: ignore[misc]
    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            super().__setattr__("__class__", ModuleSpecClass)
            dataloader = imported_dataloader()
            if dataloader is not None:
                _call(dataloader)


# A finder is anything that has find_spec. To remove it could make imports in other threads skip the next finder.
sys.meta_path.insert(0, sys.modules[__name__])
