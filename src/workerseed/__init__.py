"""Gives torch 1.0 to 1.8.1 the DataLoader worker seeding of torch 1.9; importing it installs it."""

import sys

from ._activation import install, install_on_import, status, uninstall

TYPE_CHECKING = False  # mypy reads it as true
if TYPE_CHECKING or sys.version_info < (3, 7):
    from ._options import keep, reseed
    from ._seeding import numpy_seed
else:  # PEP 562: what few programs use is imported when they do, and not at interpreter start

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import _options, _seeding

        return getattr(_seeding if name == "numpy_seed" else _options, name)

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = ["install", "keep", "numpy_seed", "reseed", "status", "uninstall"]
__version__ = "0.1.0"

install_on_import()
