"""Gives torch 1.0 to 1.8.1 the DataLoader worker seeding of torch 1.9. Importing it turns it on."""

import sys

from ._import_hook import call_when_imported

TYPE_CHECKING = False  # mypy reads it as true
if TYPE_CHECKING:
    from types import ModuleType

    from ._install import Status, install, status, uninstall
    from ._options.marks import keep, reseed
    from ._seeding import numpy_seed

__all__ = ["Status", "install", "keep", "numpy_seed", "reseed", "status", "uninstall"]
__version__ = "0.1.0"


class _Package(type(sys)):  # type: ignore[misc]
    """Imports public names when they are used, not at interpreter start (PEP 562 needs Python 3.7)."""

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = {"keep": "_options.marks", "reseed": "_options.marks", "numpy_seed": "_seeding"}.get(name, "_install")
        return getattr(__import__(home, globals(), level=1, fromlist=[name]), name)

    def __reduce__(self):  # type: ignore[no-untyped-def]  # cloudpickle (Ray, Dask, joblib) knows only plain modules
        return __import__, (self.__name__, None, None, ["__version__"])

    def __dir__(self):  # type: ignore[no-untyped-def]
        return sorted({*super().__dir__(), *__all__})


def _patch_dataloader(dataloader: "ModuleType") -> None:
    from ._install import patch_dataloader

    patch_dataloader(dataloader)


sys.modules[__name__].__class__ = _Package
call_when_imported(_patch_dataloader)
