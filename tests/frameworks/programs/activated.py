"""Imports what a program is about, and workerseed before or after it: its arguments are FILE VARIANT MODULE ..."""

import importlib
import sys

variant, module = sys.argv[2:4]
if variant == "imported before the framework":
    import workerseed
importlib.import_module(module)
if variant == "imported after the framework":
    import workerseed  # noqa: F401
