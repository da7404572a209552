"""``workerseed check``, as a user runs it: what it finds, what it prints, and what it exits with."""

import functools
import json
import os
import subprocess
import sys

import pytest
import torch
from conftest import run_command, run_python
from support import HAS_CONTEXT, NATIVE, TORCH, needs_numpy, np, only_legacy, only_native

import workerseed
from workerseed import _check

pytestmark = [
    needs_numpy,
    pytest.mark.skipif(
        torch.__version__.split("+")[0] not in ["1.0.0", "1.6.0", "1.8.1", "1.9.1", "2.13.0"],
        reason="it starts many processes; those torches whose output is in the docs are enough",
    ),
]

TRAIN = """
import functools, random
import numpy as np, torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

RNG = np.random.RandomState(1)

class Plain(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return np.random.rand()

class Jitter:
    __slots__ = ["rng"]

    def __init__(self):
        self.rng = random.Random(2)

class Listing(list):
    def __init__(self):
        self.rng = random.Random(7)

class Holding(Plain):
    of_class = np.random.RandomState(3)

    def __init__(self):
        self.transforms = [Jitter(), {"torch": torch.Generator().manual_seed(9)}]
        self.listing = Listing()
        self.draw = random.Random(8).random
        self.system = random.SystemRandom()
        self.process_wide = np.random.mtrand._rand, random._inst
        if hasattr(np.random, "default_rng"):
            self.rng = np.random.default_rng(4)

    def __getitem__(self, index):
        return RNG.rand()

def collating(rng, batch):
    return batch

def numbered(worker_id):
    np.random.seed(worker_id)

def by_state(worker_id):
    np.random.seed(np.random.get_state()[1][0] + worker_id)

def anew(worker_id):
    Holding.of_class = np.random.RandomState(torch.initial_seed() % 2**32)

def of_system(worker_id):
    np.random.seed()

def closing_over(rng):
    return lambda worker_id: rng

def refusing(worker_id):
    raise KeyError("not today")

def killed(worker_id):
    import os, signal, time
    time.sleep(1)  # until the parent waits: a worker that dies earlier can make torch 1.0 hang
    os.kill(os.getpid(), signal.SIGKILL)

loader = DataLoader(Plain(), num_workers=3)
holding = DataLoader(Holding(), num_workers=2)
collated = DataLoader(Plain(), num_workers=2, collate_fn=functools.partial(collating, random.Random(5)))
closed = DataLoader(Plain(), num_workers=2, worker_init_fn=closing_over(random.Random(6)))
without = DataLoader(Plain())
numbering = DataLoader(Plain(), num_workers=2, worker_init_fn=numbered)
workaround = DataLoader(Plain(), num_workers=2, worker_init_fn=by_state)
renewing = DataLoader(Holding(), num_workers=2, worker_init_fn=anew)
irreproducible = DataLoader(Plain(), num_workers=2, worker_init_fn=of_system)
distributed = DataLoader(Plain(), num_workers=2, sampler=DistributedSampler(Plain(), 2, 0))
refuses = DataLoader(Plain(), num_workers=2, worker_init_fn=refusing)
dies = DataLoader(Plain(), num_workers=2, worker_init_fn=killed)
number = 3

def make():
    return loader

def make_of(size):
    return loader

def make_none():
    raise RuntimeError("no data today")

def activated():
    import workerseed
    return loader

def spawned():
    return DataLoader(Plain(), num_workers=2, multiprocessing_context="spawn")

def unpicklable():
    return DataLoader(Plain(), num_workers=2, multiprocessing_context="spawn", worker_init_fn=lambda worker_id: None)

def persistent():
    return DataLoader(Plain(), num_workers=2, persistent_workers=True)

def keeping():
    import workerseed
    kept = DataLoader(Holding(), num_workers=2)
    workerseed.keep(kept)
    return kept

def reseeding():
    held = Holding()
    return DataLoader(held, num_workers=2, worker_init_fn=lambda worker_id: held.listing.rng.seed(0))

class Unseeded(Plain):
    def __init__(self):
        self.rng = random.Random()

unseeded = DataLoader(Unseeded(), num_workers=2)

def generating():
    return DataLoader(Plain(), num_workers=2, generator=torch.Generator())
"""
FINE = {"workers": "differ", "epochs": "differ", "repeatable": True}
SAME = {"workers": "same", "epochs": "same", "repeatable": True}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(TRAIN)
    (folder / "raising.py").write_text("raise ValueError('not importable')")
    (folder / "missing.py").write_text("import no_such_package")
    return folder


@pytest.fixture(scope="module")
def check(project):
    """Runs ``workerseed check`` in the folder that has train.py."""

    @functools.lru_cache(maxsize=None)
    def run(*arguments, **variables):
        return run_python("-m", "workerseed", "check", *arguments, cwd=str(project), **variables)

    return run


@pytest.fixture(scope="module")
def facts(check):
    """Makes facts of what it prints with --json, and checks its exit code by them."""

    def of(*arguments, **variables):
        done = check("--json", *arguments, **variables)
        found = json.loads(done.stdout)
        assert done.returncode == {"not affected": 0, "fixed": 0, "not fixed": 1, "cannot tell": 2}[found["verdict"]]
        return found

    return of


# The installation


def test_stock_torch_is_affected_and_fixed_or_not_affected(facts):
    assert facts()["verdict"] == ("not affected" if NATIVE else "fixed")


def test_nothing_repeats_with_workerseed_by_any_start_method(facts):
    methods = facts()["start_methods"]
    assert set(methods) == {"fork", "spawn", "forkserver"}
    for counts in methods.values():
        expected = {"draws": 48, "repeated_across_workers": 0, "repeated_across_epochs": 0, "repeatable": True}
        assert counts["workerseed"] == expected


@only_legacy
def test_what_repeats_on_stock_torch_is_counted(facts):
    stock = {method: counts["stock"] for method, counts in facts()["start_methods"].items()}
    repeated = {"draws": 48, "repeated_across_workers": 36, "repeated_across_epochs": 32}
    assert stock["fork"] == dict(repeated, repeatable=True)
    assert stock["forkserver"] == dict(repeated, repeatable=False)
    assert not stock["spawn"]["repeatable"]


def test_the_table_fits_a_terminal_and_ends_with_the_verdict(facts):
    lines = [line.rstrip() for line in _check.table_of_installation(facts())]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"workerseed {workerseed.__version__}, Python ")
    native = "Not affected: this torch seeds NumPy in its workers itself."
    assert lines[-1].startswith(native if NATIVE else "Affected, and fixed by workerseed: ")


@only_legacy
def test_affected_and_not_fixed_says_why(tmp_path):
    (tmp_path / "wrapt.py").write_text("raise RuntimeError('broken')")
    less = "import multiprocessing; multiprocessing.get_all_start_methods = lambda: ['fork']  # the others take long"
    (tmp_path / "sitecustomize.py").write_text(less)
    done = run_python("-m", "workerseed", "check", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    because = "because RuntimeError('broken'" + (",)" if sys.version_info < (3, 7) else ")")
    assert done.stdout.splitlines()[-1] == f"Affected, and not fixed, {because}."


def test_without_torch_it_cannot_tell(tmp_path):
    venv, site_packages = str(tmp_path / "venv"), str(tmp_path / "packages")
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", venv])
    os.mkdir(site_packages)
    os.symlink(workerseed.__path__[0], os.path.join(site_packages, "workerseed"))
    python = os.path.join(venv, "bin", "python")
    done = run_command(python, "-m", "workerseed", "check", PYTHONPATH=site_packages)
    message = f"workerseed: cannot tell: torch is not installed for {python}: run this with the Python that trains\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_with_a_broken_numpy_it_cannot_tell(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('DLL load failed')")
    done = run_python("-m", "workerseed", "check", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be imported" in done.stderr.splitlines()[-1]


# A loader


def test_a_plain_loader(facts):
    found = facts("train:loader")
    assert found["sources"]["np.random"]["as_it_is"] == (FINE if NATIVE else SAME)
    assert [found["sources"][source]["workerseed"] for source in ("np.random", "random", "torch")] == [FINE] * 3
    assert found["loader"]["workers"] == 3


@pytest.mark.parametrize("name", ["train:make", "train.py:loader", "{project}/train.py:make"])
def test_a_loader_by_other_names(facts, project, name):
    found = facts(name.format(project=project))
    assert (found["verdict"], found["loader"]["workers"]) == ("not affected" if NATIVE else "fixed", 3)


@only_legacy
def test_a_loader_whose_program_has_workerseed_is_not_affected(facts):
    assert facts("train:activated")["verdict"] == "not affected"


def test_held_generators_are_found_with_their_paths(facts):
    sources = facts("train:holding")["sources"]
    held = {"dataset.transforms[0].rng", "dataset.transforms[1]['torch']", "dataset.listing.rng"}
    held |= {"dataset.draw.__self__", "dataset.of_class", "train.RNG"}
    if hasattr(np.random, "default_rng"):
        held.add("dataset.rng")
    assert set(sources) == held | {"np.random", "random", "torch"}
    assert [sources[path]["workerseed"] for path in held] == [SAME] * len(held)
    assert {sources[path]["advice"] for path in held} == {
        "switch the extra on that is for it: WORKERSEED=generators, or `workerseed run --generators`"
    }


def test_a_generator_of_a_partial_is_found(facts):
    assert facts("train:collated")["sources"]["collate_fn.args[0]"]["as_it_is"] == SAME


def test_a_generator_of_a_closure_is_found(facts):
    assert facts("train:closed")["sources"]["worker_init_fn.<rng>"]["as_it_is"] == SAME


def test_a_generator_that_worker_init_fn_makes_anew_is_fine(facts):
    sources = facts("train:renewing")["sources"]
    assert sources["dataset.of_class"]["workerseed"] == FINE
    assert sources["dataset.of_class"]["advice"] is None


def test_with_the_extra_no_generator_stays_duplicated(facts):
    found = facts("train:holding", WORKERSEED="generators")
    assert found["verdict"] == "fixed"
    assert [source["workerseed"] for source in found["sources"].values()] == [FINE] * len(found["sources"])


def test_with_the_extra_the_advice_is_to_switch_it_on(check):
    printed = " ".join(check("train:holding", WORKERSEED="generators").stdout.split())
    assert "Affected, and fixed by workerseed with WORKERSEED=generators. - " in printed
    assert "import workerseed, or start the program with `workerseed run --generators`." in printed


def test_with_the_extra_a_loader_that_is_kept_stays_duplicated_and_says_why(facts):
    source = facts("train:keeping", WORKERSEED="generators")["sources"]["dataset.listing.rng"]
    assert (source["workerseed"], source["advice"]) == (SAME, "`workerseed.keep` leaves it as it is")


def test_with_the_extra_a_generator_that_worker_init_fn_seeds_stays_duplicated_and_says_why(facts):
    source = facts("train:reseeding", WORKERSEED="generators")["sources"]["dataset.listing.rng"]
    assert source["workerseed"] == SAME
    assert source["advice"] == "the worker_init_fn seeds it, or `workerseed.keep` leaves it as it is"


def test_with_the_extra_a_generator_without_a_seed_is_not_repeatable_and_says_so(facts):
    source = facts("train:unseeded", WORKERSEED="generators")["sources"]["dataset.rng"]
    assert source["workerseed"] == {"workers": "differ", "epochs": "differ", "repeatable": False}
    assert source["advice"] == "no other run repeats it: give it a seed where it is made"


def test_a_loader_without_workers_is_checked_as_if_with_two(check, facts):
    found = facts("train:without")
    assert (found["loader"]["num_workers"], found["loader"]["workers"]) == (0, 2)
    assert found["sources"]["np.random"]["workerseed"] == FINE
    assert "num_workers=0, and nothing to compare: checked as if it had 2." in check("train:without").stdout


def test_a_worker_init_fn_that_seeds_by_number_is_not_fixed(facts):
    numpy_source = facts("train:numbering")["sources"]["np.random"]
    assert numpy_source["workerseed"] == {"workers": "differ", "epochs": "same", "repeatable": True}
    assert numpy_source["advice"].startswith("the worker_init_fn seeds it")


def test_a_worker_init_fn_that_seeds_from_the_system_is_not_repeatable(facts):
    numpy_source = facts("train:irreproducible")["sources"]["np.random"]
    assert numpy_source["workerseed"] == {"workers": "differ", "epochs": "differ", "repeatable": False}
    assert numpy_source["advice"].startswith("the worker_init_fn seeds it")


@only_native
def test_the_workaround_by_get_state_is_recognised_where_torch_seeds_numpy(facts):
    numpy_source = facts("train:workaround")["sources"]["np.random"]
    assert numpy_source["as_it_is"]["epochs"] == "same"
    assert numpy_source["advice"].startswith("the worker_init_fn seeds from np.random.get_state()[1][0]")


@only_legacy
def test_the_workaround_by_get_state_is_fine_with_workerseed(facts):
    assert facts("train:workaround")["sources"]["np.random"]["workerseed"] == FINE


def test_a_distributed_sampler_is_noted(check):
    assert "- It has a DistributedSampler: " in check("train:distributed").stdout


def test_with_the_extra_ranks_a_distributed_sampler_is_fine(check):
    assert "DistributedSampler" not in check("train:distributed", WORKERSEED="ranks").stdout


def test_the_table_names_the_extras_that_are_on(check):
    assert "with workerseed, ranks, generators\n" in check("train:loader", WORKERSEED="generators,ranks").stdout


@pytest.mark.skipif(not HAS_CONTEXT, reason="torch 1.2 brought multiprocessing_context")
def test_spawned_workers(facts):
    found = facts("train:spawned")
    assert found["loader"]["start_method"] == "spawn"
    assert found["sources"]["np.random"]["workerseed"] == FINE


@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
def test_persistent_workers(facts):
    assert facts("train:persistent")["sources"]["np.random"]["workerseed"] == FINE


@pytest.mark.skipif(TORCH < (1, 6), reason="torch 1.6 brought the generator")
def test_a_generator_of_the_loader(facts):
    assert facts("train:generating")["sources"]["np.random"]["workerseed"] == FINE


ERRORS = {
    "nowhere:loader": "there is no module 'nowhere', neither here nor installed",
    "train:nothing": "train has no 'nothing'",
    "train": "'train' names no loader: valid are MODULE:LOADER and path/to/file.py:LOADER",
    "nowhere.py:loader": "there is no file nowhere.py",
    "train:number": "train:number is of type int, neither a DataLoader nor a function that returns one",
    "train:make_of": "train:make_of cannot be called without arguments (missing a required argument: 'size')",
    "train:make_none": "calling train:make_none failed",
    "train:refuses": "the worker_init_fn failed in worker 0",
    "raising:loader": "importing raising failed",
    "missing:loader": "importing missing failed",
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_checked_is_one_clear_sentence(check, name):
    done = check(name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "workerseed: cannot tell: " + ERRORS[name]
    assert "_probe" not in done.stderr


@pytest.mark.parametrize(
    "name, last, file",
    [
        ("raising:loader", "ValueError: not importable", "raising.py"),
        ("missing:loader", "ModuleNotFoundError: No module named 'no_such_package'", "missing.py"),
        ("train:make_none", "RuntimeError: no data today", "train.py"),
        ("train:refuses", "KeyError: 'not today'", "train.py"),
    ],
)
def test_the_users_own_traceback_is_shown(check, name, last, file):
    lines = check(name).stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "') and file in lines[1]
    assert lines[-2] == last


def test_a_worker_that_dies_is_told(check):
    done = check("train:dies")
    assert (done.returncode, done.stdout) == (2, "")
    assert "workerseed: cannot tell: a worker died before it could load anything" in done.stderr


@pytest.mark.skipif(not HAS_CONTEXT, reason="torch 1.2 brought multiprocessing_context")
def test_what_cannot_be_pickled_is_told(check):
    (line,) = check("train:unpicklable").stderr.splitlines()
    assert line.startswith("workerseed: cannot tell: the workers cannot be started: ")
    assert line.endswith("have to be picklable")


def test_errors_as_json(facts):
    assert facts("train:nothing") == {"verdict": "cannot tell", "error": ERRORS["train:nothing"], "details": None}


# The terminal


@pytest.mark.parametrize("variables, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals(project, variables, coloured):
    ours, theirs = os.openpty()
    environment = dict(os.environ, **dict({"TERM": "xterm"}, **variables))
    command = [sys.executable, "-m", "workerseed", "check", "train:loader"]
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=str(project))
    os.close(theirs)
    printed = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        printed += chunk
    os.close(ours)
    assert process.wait() == 0
    assert (b"\033[" in printed) == coloured


def test_a_pipe_gets_plain_text(check):
    done = check("train:loader")
    assert "\033" not in done.stdout + done.stderr
