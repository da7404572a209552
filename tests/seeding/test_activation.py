"""When and how importing workerseed takes effect, each time in a fresh interpreter."""

import pytest
from support import NATIVE, TORCH, USE, needs_numpy

STATE = "native" if NATIVE else "active"

ORDERS = {
    "before torch": "import workerseed, torch" + USE,
    "after torch": "import torch, workerseed" + USE,
    "after torch.utils.data": "import torch.utils.data, workerseed" + USE,
    "after DataLoader was taken": USE + "import workerseed",
    "after a loader was built": USE
    + """
loader = DataLoader(RandomDataset(), batch_size=2, num_workers=2)
import workerseed
first_draw.__defaults__ = (loader,)
""",
    "twice": "import workerseed; workerseed.install(); import torch; workerseed.install()"
    + USE
    + "workerseed.install()",
    "after a look whether there is torch": """
import importlib.util, workerseed
importlib.util.find_spec("torch")
"""
    + USE,
}


@needs_numpy
@pytest.mark.parametrize("order", ORDERS)
def test_it_may_be_imported(prints, order):
    report = "\nimport workerseed\nprint(first_draw(), workerseed.status().state)"
    assert prints(ORDERS[order] + report) == f"[522, 297, 434] {STATE}\n"


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
def test_it_may_be_imported_while_torch_is_half_imported(prints, module):
    code = IMPORTED_FROM_WITHIN.format(module) + USE + "print(first_draw())"
    assert prints(code) == f"waiting\n{STATE}\n[522, 297, 434]\n"


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


def test_the_import_of_torch_may_end_in_another_thread_just_before_it_is_watched(prints):
    assert prints(IN_A_RACE) == f"{STATE}\n"


def test_the_finder_stays_where_it_is(prints):
    code = """
import sys, workerseed
before = list(sys.meta_path)
import torch.utils.data
workerseed.install()
workerseed.uninstall()
print(before == [finder for finder in sys.meta_path if finder in before])
"""
    assert prints(code) == "True\n"


def test_uninstall_before_torch_leaves_torch_alone(prints):
    code = """
import workerseed
workerseed.uninstall()
import torch.utils.data, sys
print(workerseed.status().state, workerseed.status().reason, "wrapt" in sys.modules)
"""
    assert prints(code) == "off uninstalled False\n"


def test_uninstall_between_torch_and_its_data_loader_leaves_it_alone(prints):
    code = """
import workerseed
import importlib.util
importlib.util.find_spec("torch.utils.data.dataloader")
workerseed.uninstall()
import torch.utils.data
print(workerseed.status().state, hasattr(torch.utils.data.DataLoader.__init__, "__wrapped__"))
"""
    assert prints(code) == "off False\n"


@pytest.mark.skipif(TORCH >= (1, 1), reason="this torch imports its DataLoader at once")
def test_status_waits_for_the_data_loader(prints):
    code = """
import workerseed, torch
print(workerseed.status())
import torch.utils.data
print(workerseed.status().state)
"""
    status, state = prints(code).splitlines()
    assert status.startswith("Status(state='waiting', reason=\"torch's DataLoader is not imported yet\", torch='1.0")
    assert state == "active"


def test_status_with_torch(prints):
    code = "import workerseed, torch.utils.data\nstatus = workerseed.status()\n"
    code += "print(status.state, status.torch == torch.__version__, status.options)"
    assert prints(code) == f"{STATE} True ()\n"
