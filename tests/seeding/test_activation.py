"""When and how importing workerseed takes effect."""

import pytest
from support import ROOT_CLASS, STATE, USE, needs_numpy, only_native
from torch.utils.data import DataLoader

import workerseed

REPORT = """
import workerseed
state, _, version, options = workerseed.status()
print(first_draw(), state, version == torch.__version__, options)
"""
ORDERS = {
    "before torch": "import workerseed" + USE,
    "after torch": "import torch, workerseed" + USE,
    "after DataLoader was taken": USE + "import workerseed",
    "after a loader was built": USE
    + """
loader = DataLoader(RandomDataset(), batch_size=2, num_workers=2)
import workerseed
first_draw.__defaults__ = (loader,)
""",
    "again and again": "import workerseed; workerseed.install()" + USE + "workerseed.install()",
}


@needs_numpy
@pytest.mark.parametrize("order", ORDERS)
def test_it_may_be_imported(prints, shows, order):
    run = prints if order == "before torch" else shows
    assert run(ORDERS[order] + REPORT) == f"[522, 297, 434] {STATE} True ()\n"


WITHIN = """
import builtins
__import__ = builtins.__import__

def importing(name, globals=None, *arguments):
    if globals and globals.get("__name__") == {!r}:
        builtins.__import__ = __import__
        within()
    return __import__(name, globals, *arguments)

builtins.__import__ = importing
"""
HALF_IMPORTED = """
def within():
    import workerseed
    print(workerseed.status().state)

import torch.utils.data
import workerseed
import wave  # any module that is not imported yet
print(workerseed.status().state)
"""


@needs_numpy
@pytest.mark.parametrize("module", ["torch", "torch.utils.data", "torch.utils.data.dataloader"])
def test_it_may_be_imported_while_torch_is_half_imported(prints, shows, module):
    code = WITHIN.format(module) + HALF_IMPORTED + USE + "print(first_draw())"
    assert (prints if module == "torch" else shows)(code) == f"waiting\n{STATE}\n[522, 297, 434]\n"


IN_A_RACE = """
import sys, threading
import importlib.util, inspect, wrapt  # what patching imports
inside, go_on = threading.Event(), threading.Event()

def within():
    inside.set()
    go_on.wait(30)

thread = threading.Thread(target=__import__, args=("torch.utils.data",))
thread.start()
inside.wait(30)

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
print("workerseed._patch" in sys.modules)  # before status() looks again
"""


def test_the_import_of_torch_may_end_in_another_thread_just_before_it_is_watched(shows):
    assert shows(WITHIN.format("torch.utils.data.dataloader") + IN_A_RACE) == "True\n"


def test_no_finder_moves_or_goes_which_could_fail_imports_of_other_threads(shows):
    code = """
import sys, workerseed
sys.meta_path = tuple(sys.meta_path)  # which cannot be changed
import torch.utils.data
print(workerseed.status().state)
workerseed.install()
workerseed.uninstall()
print(type(sys.meta_path).__name__)
"""
    assert shows(code) == f"{STATE}\ntuple\n"


def test_uninstall_before_torchs_data_loader_leaves_it_alone(shows):
    code = """
import sys, workerseed
workerseed.uninstall()
import torch.utils.data
print(*workerseed.status()[:2], "wrapt" in sys.modules, hasattr(torch.utils.data.DataLoader.__init__, "__wrapped__"))
"""
    assert shows(code) == "off uninstalled False False\n"


@only_native
def test_nothing_is_wrapped():
    before = [dict(vars(cls)) for cls in (DataLoader, ROOT_CLASS)]
    workerseed.install()
    assert workerseed.status().reason == "this torch seeds NumPy in its workers itself"
    assert [dict(vars(cls)) for cls in (DataLoader, ROOT_CLASS)] == before
    assert [name for name in vars(DataLoader(range(4), num_workers=1)) if "workerseed" in name] == []
    workerseed.uninstall()
