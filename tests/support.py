"""What several test files use: which torch this is, start methods, and small datasets."""

import contextlib
import functools
import gc
import inspect
import itertools
import json
import multiprocessing
import os
import re
import select
import signal
import subprocess
import sys
import tempfile

import pytest

try:
    import torch
    from torch.utils.data import DataLoader, Dataset, dataloader
except ModuleNotFoundError:  # in the environments that show what workerseed does there
    torch, DataLoader, Dataset, dataloader = None, object, object, None
try:
    import numpy as np
except ImportError:
    np = None

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
PROGRAMS = os.path.join(TESTS, "programs")

TORCH = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) if torch else ()
NATIVE = TORCH >= (1, 9)
# What starts workers, and the class below which all iterators of a loader are: one and the same before torch 1.2.
ITERATOR = getattr(dataloader, "_MultiProcessingDataLoaderIter" if TORCH >= (1, 2) else "_DataLoaderIter", None)
ROOT_CLASS = getattr(dataloader, "_BaseDataLoaderIter", ITERATOR)
LOADER_PARAMETERS = inspect.signature(DataLoader.__init__).parameters
HAS_CONTEXT = "multiprocessing_context" in LOADER_PARAMETERS

STATE = "native" if NATIVE else "active"  # where workerseed is on without options

only_legacy = pytest.mark.skipif(NATIVE, reason="this torch seeds NumPy itself")
only_native = pytest.mark.skipif(not NATIVE, reason="this torch does not seed NumPy itself")
needs_torch = pytest.mark.skipif(torch is None, reason="there is no torch here")
needs_numpy = pytest.mark.skipif(np is None, reason="there is no NumPy here")
has_seed_sequence = pytest.mark.skipif(
    not hasattr(getattr(np, "random", None), "SeedSequence"), reason="this NumPy, if any, has no SeedSequence"
)


# A program that knows nothing of workerseed; what it draws first is [522, 297, 434] on torch 1.9.
USE = """
from torch.utils.data import DataLoader, Dataset
import numpy as np, torch

class RandomDataset(Dataset):
    def __getitem__(self, index):
        return np.random.randint(0, 1000, 3)

    def __len__(self):
        return 8

def first_draw(loader=None):
    torch.manual_seed(0)
    for batch in loader or DataLoader(RandomDataset(), batch_size=2, num_workers=2):
        return batch[0].tolist()
"""


def run_python(*arguments, **variables):
    return run_command(sys.executable, *arguments, **variables)


def environment_with(**variables):
    """The environment; of the variables that concern us it has those given alone."""
    ours = ("WORKERSEED", "PYTHON", "PYTEST")
    return dict({name: os.environ[name] for name in os.environ if not name.startswith(ours)}, **variables)


def run_command(*command, cwd=None, **variables):
    """Runs a command, of the variables that concern us with those given alone."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "universal_newlines": True}
    return subprocess.run(command, env=environment_with(**variables), cwd=cwd, timeout=300, **streams)


@contextlib.contextmanager
def start_method(name):
    """Gives the DataLoader options with which its workers start by that method, on any torch."""
    if name == "forkserver":
        multiprocessing.set_forkserver_preload(["torch"])  # or each worker imports it anew
    if HAS_CONTEXT:
        yield {"multiprocessing_context": name}
        return
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(name, force=True)
    try:
        yield {}
    finally:
        multiprocessing.set_start_method(before, force=True)


class Items(Dataset):
    """Each item is what a function makes of its index, in the worker that loads it."""

    def __init__(self, make, length=8):
        self.make, self.length = make, length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return self.make(index)


def draw_of_numpy(index=None):
    return int(np.random.randint(0, 2**31 - 1))


class Draws(Items):
    """Each item is what ``np.random`` draws."""

    def __init__(self, length=8):
        super().__init__(draw_of_numpy, length)


def lock_of(generator):
    """The lock that a generator of NumPy holds while it draws."""
    return next(each for each in gc.get_referents(generator) if hasattr(each, "acquire"))


def as_list(batch):
    return batch


def init(worker_id):
    """A user's worker_init_fn."""


def epoch(loader, seed=0):
    """What one epoch of ``loader`` yields, the parent seeded first."""
    torch.manual_seed(seed)
    return list(loader)


def draws(loader):
    """The draws of one epoch of a loader of ``Draws``, as a list."""
    return [int(number) for batch in epoch(loader) for number in batch]


def expected_draws(workers=2, length=8, seed=0):
    """What ``draws`` of a plain loader, batch size 1, are under torch 1.9."""
    import workerseed

    torch.manual_seed(seed)
    base_seed = torch.empty((), dtype=torch.int64).random_().item()
    generators = [np.random.RandomState(workerseed.numpy_seed(base_seed, i)) for i in range(workers)]
    return [int(generators[item % workers].randint(0, 2**31 - 1)) for item in range(length)]


def contents_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def rows_of(page):
    """The cells of all tables of a page, without the marks of code, by the first cell of each row."""
    lines = [line for line in contents_of("docs", page).splitlines() if line.startswith("|")]
    rows = [re.split(r" *\| *", line.replace("`", "").strip("| \n")) for line in lines]
    return {cells[0]: cells[1:] for cells in rows}


def error_of(loader):
    """The type of what iterating raises, and its text without what changes from run to run.

    Not with ``pytest.raises``: what that keeps makes a cycle with the iterator, and torch 1.2 hangs in the iterator's
    ``__del__`` when the garbage collector finds it.
    """
    try:
        list(loader)
    except Exception as error:
        return type(error), text_of(error)
    return None, ""


def text_of(error):
    """What an error says, without the frames of a traceback in it, addresses and process ids."""
    lines = [line for line in str(error).splitlines() if not line.startswith(("    ", "  File "))]
    return re.sub(r"0x\w+|(?<=pid )\d+|(?<=pid\(s\) )[\d, ]+", "#", "\n".join(lines))


class Forks:
    """A process of programs/forks.py: it has imported some modules, none of ours, and forks for each file it runs."""

    def __init__(self, folder, modules):
        command = [sys.executable, "-W", "ignore", os.path.join(PROGRAMS, "forks.py"), *modules]
        environment = environment_with(PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "universal_newlines": True}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams)

    def run(self, *command, printed=None, **variables):
        """Run a file with these arguments and variables, and wait until it has ended; 0 if it ended well.

        What it prints goes to the two files in ``printed``, else where errors of the tests go.
        """
        self.process.stdin.write(json.dumps([command, variables, printed]) + "\n")
        self.process.stdin.flush()
        ended, _, _ = select.select([self.process.stdout], [], [], 240)
        if not ended:
            os.killpg(self.process.pid, signal.SIGKILL)
        assert ended, f"{command} did not end in 240 s"
        return int(self.process.stdout.readline().split()[1])

    def end(self):
        self.process.stdin.close()
        self.process.wait()


# For workerseed check: what is true of a loader


def true_verdict(forks, target, options):
    """The verdict that is true of a loader, MODULE:LOADER; each item is a pair: the worker, and what it drew."""
    if is_flawed(forks, target, options or "1"):
        return "not fixed"
    return "fixed" if is_flawed(forks, target, "0") else "not affected"


@functools.lru_cache(maxsize=None)
def is_flawed(forks, target, variable):
    """Whether a draw is that of another worker or epoch, or not what another process draws."""
    epochs, again = (iterate(forks, target, variable) for _ in range(2))
    starts = {}
    for number, epoch in enumerate(epochs):
        for worker, draw in epoch:
            starts.setdefault((number, worker), set()).update([] if draw is None else [str(draw)])
    repeated = any(draws & others for draws, others in itertools.combinations(starts.values(), 2))
    return repeated or sorted(map(str, epochs[0])) != sorted(map(str, again[0]))


def iterate(forks, target, variable):
    """The items of two epochs of a loader, in another process."""
    with tempfile.NamedTemporaryFile("r") as file:
        forks.run(os.path.join(PROGRAMS, "truth.py"), target, file.name, WORKERSEED=variable)
        return json.load(file)


def forks_of(folder, *modules):
    """A fixture: a process that has imported torch, NumPy and these modules, in a folder that has loaders."""

    @pytest.fixture(scope="session")
    def forks():
        started = Forks(folder, ["numpy", "torch", *modules])
        yield started
        started.end()

    return forks
