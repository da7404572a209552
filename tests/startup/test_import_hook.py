"""The import hook is never in the way: not of other finders and loaders, of other threads, nor of odd modules."""

import pytest
from support import NATIVE, ROOT_CLASS, STATE, USE, needs_numpy, needs_torch

from workerseed.__main__ import SITECUSTOMIZE

pytestmark = needs_torch

DRAW = USE + "import sys\nprint(sys.modules['workerseed'].status().state, first_draw())\n"
DRAWN = f"{STATE} [522, 297, 434]\n"

FIND = """
import importlib.machinery, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch.utils.data.dataloader":
            found.append(name)
            return changed(importlib.machinery.PathFinder.find_spec(name, path, target))

found = []
"""
SPECS = {
    "plain": "changed = lambda spec: spec",
    "no loader can be set": """
class Fixed(importlib.machinery.ModuleSpec):
    def __setattr__(self, name, value):
        if name == "loader" and name in vars(self):
            raise AttributeError("this spec keeps its loader")
        super().__setattr__(name, value)

def changed(spec):
    return Fixed(spec.name, spec.loader, origin=spec.origin)
""",
    "a tuple": """
from collections import namedtuple
FIELDS = "name loader origin loader_state has_location cached submodule_search_locations parent"
def changed(spec):
    return namedtuple("Spec", FIELDS)(*[getattr(spec, field) for field in FIELDS.split()])
""",
    "a loader with load_module only": """
class Legacy:
    def __init__(self, real):
        self.real = real

    def load_module(self, name):
        return self.real.load_module(name)

def changed(spec):
    return importlib.machinery.ModuleSpec(spec.name, Legacy(spec.loader), origin=spec.origin)
""",
    "a lazy loader": """
import importlib.util

def changed(spec):
    spec.loader = importlib.util.LazyLoader(spec.loader)
    return spec
""",
}


@needs_numpy
@pytest.mark.parametrize("kind", SPECS)
def test_a_finder_of_somebody_else_is_asked_and_the_module_is_patched(shows, kind):
    code = f"import workerseed\n{FIND}{SPECS[kind]}\nsys.meta_path.insert(1, Finder())\n{DRAW}print(bool(found))"
    assert shows(code) == f"{DRAWN}True\n"


@pytest.mark.parametrize("place", ["0", "len(sys.meta_path)"])
def test_a_finder_from_before_python_3_4_is_asked_where_python_asks_it(shows, place):
    code = f"""
import sys

class Finder:
    def find_module(self, name, path=None):
        if name == "torch.utils.data.dataloader":
            asked.append(name)

asked = []
sys.meta_path.insert({place}, Finder())
import torch.utils.data
print(bool(asked))
"""
    assert shows("import workerseed" + code) == shows(code)


def test_a_finder_that_raises_raises_as_without_workerseed(forked):
    code = FIND + "changed = lambda spec: 1 / 0\nsys.meta_path.insert(0, Finder())\nimport torch.utils.data"
    assert forked("import workerseed" + code).stderr.endswith("ZeroDivisionError: division by zero\n")


def test_the_spec_and_the_module_answer_as_on_stock(shows):
    code = """
import copy, importlib.util, pickle
from importlib.machinery import SourceFileLoader
import sys, torch.utils.data
sys.modules.pop("torch.utils.data.dataloader")
spec = importlib.util.find_spec("torch.utils.data.dataloader")
twins = [copy.copy(spec), copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))]
print([isinstance(each.loader, SourceFileLoader) for each in [spec, *twins]], type(twins[1].loader).__name__)
print(spec.origin == spec.loader.path == spec.loader.get_filename(), len(spec.loader.get_source(spec.name)) > 1000)
import torch.utils.data.dataloader
module = sys.modules["torch.utils.data.dataloader"]
print(type(module.__loader__).__name__, module.__spec__.loader is module.__loader__, type(module.__spec__).__name__)
"""
    stock = shows(code)
    assert shows("import workerseed" + code) == stock
    assert "False" not in stock


# A module that is imported again, or in another way


@needs_numpy
@pytest.mark.parametrize(
    "again",
    [
        "import importlib, torch.utils.data.dataloader as module; importlib.reload(module)",
        "import sys, torch.utils.data; del sys.modules['torch.utils.data.dataloader']",
    ],
)
def test_a_module_that_is_imported_again_is_patched_again(shows, again):
    draw = "from torch.utils.data.dataloader import DataLoader" + DRAW.replace("DataLoader, Dataset", "Dataset")
    assert shows(f"import workerseed\n{again}\n{draw}") == DRAWN


@pytest.mark.skipif(NATIVE, reason="nothing is patched here")
def test_status_is_active_only_where_the_seam_still_is(shim):
    del ROOT_CLASS._worker_init_fn
    reason = f"{ROOT_CLASS.__name__}._worker_init_fn was replaced after workerseed patched it"
    assert shim.status()[:2] == ("failed", reason)


def test_an_import_that_bypasses_the_import_system_is_reported(shows):
    code = """
import sys, torch.utils.data
module = sys.modules.pop("torch.utils.data.dataloader")
import workerseed
sys.modules["torch.utils.data.dataloader"] = module
print(workerseed.status().state)
workerseed.install()
print(workerseed.status().state)
"""
    assert shows(code) == f"failed\n{STATE}\n"


# Another thread holds the lock of a module for 20 ms at each of its lines, as a slow disk would.
SLOW = """
import faulthandler, sys, threading, time
faulthandler.dump_traceback_later(100, exit=True)  # a hang ends with all tracebacks
started = threading.Event()

def trace(frame, event, arg):
    if frame.f_code.co_filename.endswith({file!r}):
        started.set()
        time.sleep(0.02)
        return trace

def importing():
    sys.settrace(trace)
    import {module}
    sys.settrace(None)
    started.set()

thread = threading.Thread(target=importing)
thread.start()
started.wait()
import torch.utils.data
thread.join()
print(sys.modules["workerseed"].status().state)
"""


@pytest.mark.parametrize("module, file", [("inspect", "/inspect.py"), ("wrapt", "/wrapt/__init__.py")])
def test_torch_imports_beside_a_thread_that_imports_what_patching_needs(prints, module, file):
    by_variable = {"WORKERSEED": "generators", "PYTHONPATH": SITECUSTOMIZE}
    assert prints(SLOW.format(module=module, file=file), "-W", "ignore", **by_variable) == "active\n"


ODD = {
    "None": "None",
    "a magic mock": "mock.MagicMock()",
    "an object": "object()",
    "a class": "type('data', (), {'DataLoader': type('DataLoader', (), {})})",
    "a namespace": "types.SimpleNamespace(DataLoader=object)",
    "an empty module": "types.ModuleType('empty')",
    "a module that raises": "Raising('raising')",
    "a lazy module": "lazy('torch.utils.data.dataloader')",
}


@pytest.mark.parametrize("name", ["torch", "torch.utils.data", "torch.utils.data.dataloader"])
@pytest.mark.parametrize("kind", ODD)
def test_the_import_works_whatever_stands_in_place_of_torch(shows, kind, name):
    code = f"""
import importlib.machinery, sys, types
from unittest import mock

class Raising(types.ModuleType):
    def __getattribute__(self, name):
        raise RuntimeError("lazy import failed")

def lazy(name):
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__class__ = Raising
    return module

sys.modules[{name!r}] = {ODD[kind]}
import workerseed
state = workerseed.status().state
workerseed.install(["generators"])
workerseed.uninstall()
print(state in ("waiting", "failed", "unsupported"))
"""
    assert shows(code) == "True\n"


@pytest.mark.parametrize("stderr", ["sys.stderr", "None"])
def test_torch_is_imported_although_workerseed_has_been_taken_away(forked, stderr):
    code = f"""
import sys, workerseed
sys.modules["workerseed"] = None  # pex takes packages out of sys.modules and sys.path
sys.stderr = {stderr}
import torch.utils.data
print("alive")
"""
    done = forked(code)
    assert (done.returncode, done.stdout) == (0, "alive\n")
    assert ("workerseed: DataLoader workers are not seeded: " in done.stderr) == (stderr != "None")
