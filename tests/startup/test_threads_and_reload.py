"""Activation is never in the way of imports: not of torch's, not of other threads', and not the second time."""

import pytest
from support import NATIVE, needs_numpy, needs_torch, run_python

from workerseed.__main__ import SITECUSTOMIZE

pytestmark = needs_torch

STATE = "native" if NATIVE else "active"
ACTIVATIONS = {
    "import": ("import workerseed\n", {}),
    "variable": ("", {"WORKERSEED": "ranks,generators", "PYTHONPATH": SITECUSTOMIZE}),
}
# Those that patch this torch: one that seeds NumPy itself is patched with options alone.
each_activation = pytest.mark.parametrize("activation", ["variable"] if NATIVE else ACTIVATIONS)


def run_activated(activation, code):
    first, variables = ACTIVATIONS[activation]
    return run_watched(first + code, **variables)


def run_watched(code, **variables):
    """Run code; a hang ends it after 100 seconds, with the traceback of all threads."""
    watch = "import faulthandler\nfaulthandler.dump_traceback_later(100, exit=True)\n"
    return run_python("-W", "ignore", "-c", watch + code, **variables)


# A thread holds the lock of a module for 20 ms at each of its lines, as a slow disk would.
SLOW = """
import sys, threading, time
started = threading.Event()

def trace(frame, event, arg):
    if frame.f_code.co_filename.endswith({ending!r}):
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


@each_activation
@pytest.mark.parametrize("module", ["inspect", "logging", "multiprocessing.queues", "wrapt"])
def test_torch_imports_beside_a_thread_that_imports(activation, module):
    ending = module.replace(".", "/") + ("/__init__.py" if module in ("logging", "wrapt") else ".py")
    done = run_activated(activation, SLOW.format(module=module, ending="/" + ending))
    assert (done.returncode, done.stdout) == (0, "active\n"), done.stderr


TWO_THREADS = """
import random, sys, threading, time
random.seed({seed})
delays = [random.random() * {longest} for _ in range(2)]

def after(delay, name):
    time.sleep(delay)
    __import__(name)

threads = [threading.Thread(target=after, args=pair) for pair in zip(delays, ["torch.utils.data", "workerseed"])]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sys.modules["workerseed"].status().state)
"""


@pytest.mark.parametrize("variable", ["", "ranks"])
@pytest.mark.parametrize("seed", range(3))
def test_one_thread_may_import_torch_and_another_workerseed(variable, seed):
    code = TWO_THREADS.format(seed=seed, longest=0.5)
    done = run_watched(code, WORKERSEED=variable, PYTHONPATH=SITECUSTOMIZE)
    assert (done.returncode, done.stdout) == (0, ("active" if variable else STATE) + "\n"), done.stderr


# Without the shim, an import that other finders serve never fails while torch is imported.
NEIGHBOURS = """
import importlib.machinery, sys, threading

class Neighbour:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("served_"):
            return importlib.machinery.ModuleSpec(name, Neighbour)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        pass

sys.meta_path.insert(1, Neighbour)
ended, failures = threading.Event(), []

def importing(thread):
    number = 0
    while not ended.is_set():
        number += 1
        try:
            __import__("served_{}_{}".format(thread, number))
        except ImportError as error:
            failures.append(error)

threads = [threading.Thread(target=importing, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
import torch.utils.data
ended.set()
for thread in threads:
    thread.join()
print(failures)
"""


@each_activation
def test_imports_of_other_threads_do_not_fail_meanwhile(activation):
    done = run_activated(activation, NEIGHBOURS)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


PROXIES = """
import sys

class Proxy:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Proxy(finder) for finder in sys.meta_path]
import torch.utils.data
print(sys.modules["workerseed"].status().state)
"""


@each_activation
def test_torch_imports_while_an_import_tracer_has_put_proxies_in_place_of_all_finders(activation):
    done = run_activated(activation, PROXIES)
    assert (done.returncode, done.stdout) == (0, "active\n"), done.stderr


AGAIN = {
    "reload": "import importlib, torch.utils.data.dataloader as module\nmodule = importlib.reload(module)\n",
    "second import": """
import sys, torch.utils.data
del sys.modules["torch.utils.data.dataloader"]
import torch.utils.data.dataloader
module = sys.modules["torch.utils.data.dataloader"]
""",
}
DRAW = """
import numpy as np, torch

class Draws:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return int(np.random.randint(0, 1000))

torch.manual_seed(0)
print(sys.modules["workerseed"].status().state, [int(batch) for batch in module.DataLoader(Draws(), num_workers=2)])
"""


@needs_numpy
@each_activation
@pytest.mark.parametrize("way", AGAIN)
def test_a_module_that_is_imported_again_is_patched_again(activation, way):
    done = run_activated(activation, "import sys\n" + AGAIN[way] + DRAW)
    assert (done.returncode, done.stdout) == (0, "active [522, 234, 297, 407]\n"), done.stderr


@each_activation
def test_the_module_keeps_the_loader_that_torch_was_found_with(activation):
    code = "import torch.utils.data.dataloader as module\nprint(type(module.__loader__).__name__, "
    code += "module.__spec__.loader is module.__loader__, type(module.__spec__).__name__)"
    assert run_activated(activation, code).stdout == "SourceFileLoader True ModuleSpec\n"


@needs_numpy
@each_activation
def test_an_environment_that_is_cleared_before_torch_is_imported_changes_nothing(activation):
    code = "import os, sys\nos.environ.clear()\nimport torch.utils.data.dataloader as module\n" + DRAW
    done = run_activated(activation, code)
    assert done.stdout == "active [522, 234, 297, 407]\n", done.stderr


STATUS = """
import torch.utils.data.dataloader as module
root = getattr(module, "_BaseDataLoaderIter", None) or module._DataLoaderIter
del root._worker_init_fn
print(*workerseed.status()[:2], sep=": ")
"""


@pytest.mark.skipif(NATIVE, reason="nothing is patched here")
def test_status_is_active_only_where_the_seam_still_is():
    state = run_activated("import", STATUS).stdout
    assert state.startswith("failed: _")
    assert state.endswith("._worker_init_fn was replaced after workerseed patched it\n")


def test_a_finder_that_is_asked_in_the_place_of_ours_is_reported():
    code = "import importlib.machinery, importlib.util, sys, torch\nname = 'torch.utils.data.dataloader'\n"
    code += "sys.modules.pop(name, None)\nworkerseed.uninstall()\nworkerseed.install()\nimport torch.utils.data\n"
    code += "spec = importlib.machinery.PathFinder.find_spec(name, sys.modules['torch.utils.data'].__path__)\n"
    code += (
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\nsys.modules[name] = module\n"
    )
    code += "print(workerseed.status().state)\nworkerseed.install()\nprint(workerseed.status().state)"
    assert run_activated("import", code).stdout == f"failed\n{STATE}\n"
