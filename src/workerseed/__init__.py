"""Gives torch 1.0 to 1.8.1 the DataLoader worker seeding of torch 1.9; importing it installs it."""

import sys

from ._install import install, status, uninstall

TYPE_CHECKING = False  # mypy reads it as true
if TYPE_CHECKING:
    from ._options import keep, reseed
    from ._seeding import numpy_seed
    from ._status import Status

__all__ = ["Status", "install", "keep", "numpy_seed", "reseed", "status", "uninstall"]
__version__ = "0.1.0"

_LATER = {"Status": "_status", "keep": "_options", "numpy_seed": "_seeding", "reseed": "_options"}


class _Package(type(sys)):  # type: ignore[misc]
    """Imports what few programs use when they use it, and not at interpreter start (PEP 562 needs Python 3.7)."""

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(__import__(_LATER[name], globals(), level=1, fromlist=[name]), name)

    def __dir__(self):  # type: ignore[no-untyped-def]
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
install()
