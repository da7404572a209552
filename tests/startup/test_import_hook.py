"""The import hook: finders and loaders of every kind find torch's DataLoader as without it, and odd modules stay."""

import pytest
from support import NATIVE, needs_numpy, needs_torch

STATE = "native" if NATIVE else "active"
DRAW = """
import sys, numpy as np, torch
from torch.utils.data import DataLoader

class Draws:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return int(np.random.randint(0, 1000))

torch.manual_seed(0)
print(sys.modules["workerseed"].status().state, [int(batch) for batch in DataLoader(Draws(), num_workers=2)])
"""

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
    loader = property(lambda self: self.__dict__["fixed"], lambda self, loader: self.set(loader))

    def set(self, loader):
        if "fixed" in self.__dict__:
            raise AttributeError("this spec keeps its loader")
        self.__dict__["fixed"] = loader

def changed(spec):
    fixed = Fixed(spec.name, spec.loader, origin=spec.origin)
    fixed.has_location = True
    return fixed
""",
    "a loader with slots": """
class Slotted:
    __slots__ = ("real",)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self.real.exec_module(module)

def changed(spec):
    slotted = Slotted()
    slotted.real, spec.loader = spec.loader, slotted
    return spec
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
@needs_torch
@pytest.mark.parametrize("kind", SPECS)
def test_a_finder_of_somebody_else_is_asked_and_the_module_is_patched(prints, kind):
    code = f"import workerseed\n{FIND}{SPECS[kind]}\nsys.meta_path.insert(1, Finder())\n{DRAW}"
    state, found = prints(code + "print(bool(found))", "-W", "ignore").splitlines()
    assert (state, found) == (f"{STATE} [522, 234, 297, 407]", "True")


@needs_torch
def test_a_finder_from_before_python_3_4_is_asked_where_python_asks_it(prints):
    code = """
import sys

class Finder:
    def find_module(self, name, path=None):
        if name == "torch.utils.data.dataloader":
            asked.append(name)

asked = []
sys.meta_path.append(Finder()) if {at_end} else sys.meta_path.insert(0, Finder())
import torch.utils.data
print(bool(asked))
"""
    for at_end in (False, True):
        stock = code.format(at_end=at_end)
        assert prints("import workerseed" + stock, "-W", "ignore") == prints(stock, "-W", "ignore")


@needs_torch
def test_a_finder_that_raises_raises_as_without_workerseed(python):
    code = FIND + SPECS["plain"].replace("spec: spec", "spec: 1 / 0") + "\nsys.meta_path.insert(0, Finder())\n"
    done = python("import workerseed" + code + "import torch.utils.data")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


@needs_torch
def test_the_spec_answers_as_on_stock(prints):
    code = """
import copy, importlib.util, pickle
from importlib.machinery import SourceFileLoader
import sys, torch
sys.modules.pop("torch.utils.data.dataloader", None)  # torch 1.1 and later have imported it
spec = importlib.util.find_spec("torch.utils.data.dataloader")
twins = [copy.copy(spec), copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))]
print([isinstance(each.loader, SourceFileLoader) for each in [spec, *twins]], type(twins[1].loader).__name__)
print(spec.origin == spec.loader.path == spec.loader.get_filename(), len(spec.loader.get_source(spec.name)) > 1000)
"""
    clean = (
        "import sys; sys.modules.pop('torch.utils.data.dataloader', None)\n"  # torch 1.1 and later import it at once
    )
    code = code.replace("spec = ", clean + "spec = ", 1)
    stock = prints(code, "-W", "ignore")
    assert prints("import workerseed" + code, "-W", "ignore") == stock
    assert "False" not in stock


ODD = {
    "None": "None",
    "a mock": "mock.Mock()",
    "a magic mock": "mock.MagicMock()",
    "an object": "object()",
    "a class": "type('data', (), {'DataLoader': type('DataLoader', (), {})})",
    "a namespace": "types.SimpleNamespace(DataLoader=object)",
    "an empty module": "types.ModuleType('empty')",
    "a module that raises": "Raising('raising')",
    "a lazy module": "lazy('torch.utils.data.dataloader')",
}


@needs_torch
@pytest.mark.parametrize("name", ["torch", "torch.utils.data", "torch.utils.data.dataloader"])
@pytest.mark.parametrize("kind", ODD)
def test_the_import_works_whatever_stands_in_place_of_torch(prints, kind, name):
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
    assert prints(code, "-W", "ignore") == "True\n"


@needs_torch
@pytest.mark.parametrize("stderr", ["sys.stderr", "None"])
def test_torch_is_imported_although_workerseed_has_been_taken_away(python, stderr):
    code = f"""
import sys, workerseed
sys.modules["workerseed"] = None  # pex takes packages out of sys.modules and sys.path
sys.stderr = {stderr}
import torch.utils.data
print("alive")
"""
    done = python(code, "-W", "ignore")
    assert (done.returncode, done.stdout) == (0, "alive\n")
    assert ("workerseed: DataLoader workers are not seeded: " in done.stderr) == (stderr != "None")
