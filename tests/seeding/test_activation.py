"""When and how importing workerseed takes effect."""

import pytest
from support import NATIVE, USE, needs_numpy

STATE = "native" if NATIVE else "active"
REPORT = "\nimport workerseed\nprint(first_draw(), workerseed.status().state)"
SEEDED = f"[522, 297, 434] {STATE}\n"
AFTER_A_LOADER = """
loader = DataLoader(RandomDataset(), batch_size=2, num_workers=2)
import workerseed
first_draw.__defaults__ = (loader,)
"""


@needs_numpy
@pytest.mark.parametrize("order", ["workerseed, torch", "torch, workerseed"])
def test_it_may_be_imported_before_or_after_torch(prints, order):
    assert prints(f"import {order}{USE}{REPORT}") == SEEDED


ORDERS = {
    "after DataLoader was taken": USE + "import workerseed",
    "after a loader was built": USE + AFTER_A_LOADER,
    "again and again": "import workerseed; workerseed.install()" + USE + "workerseed.install()",
    "after a look whether there is torch": """
import importlib.util, workerseed
importlib.util.find_spec("torch.utils.data.dataloader")
"""
    + USE,
}


@needs_numpy
@pytest.mark.parametrize("order", ORDERS)
def test_it_may_be_imported(shows, order):
    assert shows(ORDERS[order] + REPORT) == SEEDED


IMPORTED_FROM_WITHIN = """
import builtins
__import__ = builtins.__import__

def importing(name, globals=None, *arguments):
    if globals and globals.get("__name__") == {!r}:
        builtins.__import__ = __import__
        import workerseed
        print(workerseed.status().state)
    return __import__(name, globals, *arguments)

builtins.__import__ = importing
import torch.utils.data
import workerseed
import wave  # any module that is not imported yet
print(workerseed.status().state)
"""


@needs_numpy
@pytest.mark.parametrize("module", ["torch", "torch.utils.data", "torch.utils.data.dataloader"])
def test_it_may_be_imported_while_torch_is_half_imported(prints, shows, module):
    code = IMPORTED_FROM_WITHIN.format(module) + USE + "print(first_draw())"
    assert (prints if module == "torch" else shows)(code) == f"waiting\n{STATE}\n[522, 297, 434]\n"


IN_A_RACE = """
import builtins, sys, threading
import importlib.util, inspect, wrapt  # what patching imports
__import__ = builtins.__import__
inside, go_on = threading.Event(), threading.Event()

def importing(name, globals=None, *arguments):
    if globals and globals.get("__name__") == "torch.utils.data.dataloader":
        inside.set()
        go_on.wait(30)
    return __import__(name, globals, *arguments)

builtins.__import__ = importing
thread = threading.Thread(target=__import__, args=("torch.utils.data",))
thread.start()
inside.wait(30)
builtins.__import__ = __import__

def trace(frame, event, arg):
    if frame.f_code.co_name == "_watch" and "spec" in frame.f_locals:
        sys.settrace(None)
        go_on.set()
        thread.join(30)
    return trace

sys.settrace(trace)
import workerseed
sys.settrace(None)
go_on.set()
thread.join(30)
print(workerseed.status().state)
"""


def test_the_import_of_torch_may_end_in_another_thread_just_before_it_is_watched(shows):
    assert shows(IN_A_RACE) == f"{STATE}\n"


def test_the_finder_stays_where_it_is(shows):
    code = """
import sys, workerseed
before = list(sys.meta_path)
import torch.utils.data
workerseed.install()
workerseed.uninstall()
print(before == [finder for finder in sys.meta_path if finder in before])
"""
    assert shows(code) == "True\n"


def test_uninstall_before_torchs_data_loader_leaves_it_alone(shows):
    code = """
import sys, workerseed
workerseed.uninstall()
import torch.utils.data
print(*workerseed.status()[:2], "wrapt" in sys.modules, hasattr(torch.utils.data.DataLoader.__init__, "__wrapped__"))
"""
    assert shows(code) == "off uninstalled False False\n"


def test_status_waits_for_the_data_loader(shows):
    code = """
import torch, workerseed
print(*workerseed.status()[:2])
import torch.utils.data
print(workerseed.status().state, workerseed.status().torch == torch.__version__, workerseed.status().options)
"""
    assert shows(code) == f"waiting torch's DataLoader is not imported yet\n{STATE} True ()\n"
