"""Gives torch 1.0 to 1.8.1 the DataLoader worker seeding of torch 1.9; importing it installs it."""

from ._activation import install, install_on_import, status, uninstall
from ._extras import keep, reseed
from ._seeding import numpy_seed

__all__ = ["install", "keep", "numpy_seed", "reseed", "status", "uninstall"]
__version__ = "0.1.0"

install_on_import()
