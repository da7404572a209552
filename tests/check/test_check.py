"""``workerseed check``, as a user runs it: this installation, a command, errors, limits, and what a terminal gets."""

import json
import signal
import subprocess
import sys
import time

import pytest
from conftest import HERE
from support import NATIVE, environment_with, only_legacy, run_command, run_python

import workerseed

HEADING = ["workerseed", workerseed.__version__]


def test_the_installation(check):
    done = check()
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, lines[0]) == (0, "", f"workerseed {workerseed.__version__}")
    assert max(map(len, lines)) < 80
    assert ("Not affected." if NATIVE else "Affected, and fixed by workerseed.") in lines


@only_legacy
def test_other_start_methods(check):
    found = json.loads(check("--json", "--start-method=spawn", "--start-method=forkserver").stdout)
    assert [judged["loader"]["start_method"] for judged in found] == ["spawn", "forkserver"]
    for judged in found:
        assert judged["sources"]["np.random"]["as_it_is"]["rerun"] == "varies"
        assert judged["verdict"] == "fixed"


# A program


SPAWNS = """
from torch.utils.data import DataLoader

if __name__ == "__main__":
    print(len(list(DataLoader(range(4), num_workers=2, multiprocessing_context="spawn"))))
"""


def test_spawned_workers_leave_no_semaphores(check, tmp_path):
    (tmp_path / "train.py").write_text(SPAWNS)
    done = check("--", sys.executable, str(tmp_path / "train.py"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_end_of_its_output_ends_it_quietly():
    done = run_command("sh", "-c", f"{sys.executable} -m workerseed check | true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_runs_unmodified_and_draws_what_it_draws_without_the_check(check):
    done = check("--json", "--", sys.executable, "train.py", "plain")
    alone = run_python("train.py", "plain", cwd=HERE)
    assert done.stderr == alone.stdout  # stdout has the list of loaders
    train, val = json.loads(done.stdout)  # of those that are rebuilt in each epoch, the first
    assert train["name"].startswith("train.py:") and train["name"].endswith(" Noisy")
    assert (train["verdict"], val["verdict"]) == ("not affected" if NATIVE else "fixed", "not affected")
    assert (done.returncode, alone.returncode) == (0, 0)


ITEMS = """
import numpy
from torch.utils.data import DataLoader

class Items(list):
    def __init__(self, draw):
        super().__init__(range(4))
        self.draw = draw

    def __getitem__(self, index):
        return self.draw() if self.draw else index
"""
ONE_LINE = """
datasets = Items(None), Items(numpy.random.rand)
for epoch in range(2):
    for loader in [DataLoader(dataset, num_workers=2) for dataset in datasets]:
        list(loader)
"""
REBUILT = """
for draw in (None, numpy.random.rand):
    dataset = Items(draw)
    list(DataLoader(dataset, num_workers=2))
"""


def test_loaders_that_one_line_builds_are_told_apart_by_their_datasets(check, tmp_path):
    (tmp_path / "train.py").write_text(ITEMS + ONE_LINE)
    found = json.loads(check("--json", "--", sys.executable, str(tmp_path / "train.py")).stdout)
    assert [judged["name"].rpartition("/")[2] for judged in found] == ["train.py:15 Items"] * 2
    assert [bool(judged["sources"]["np.random"]["as_it_is"]) for judged in found] == [False, True]


def test_a_loader_whose_dataset_is_rebuilt_is_examined_once(check, tmp_path):
    (tmp_path / "train.py").write_text(ITEMS + REBUILT)
    assert len(json.loads(check("--json", "--", sys.executable, str(tmp_path / "train.py")).stdout)) == 1


NOISE_BY_ARGUMENT = """
import sys
import numpy
from torch.utils.data import DataLoader

class Items(list):
    def __getitem__(self, index):
        return numpy.random.rand() if len(sys.argv) > 1 else index

list(DataLoader(Items(range(4)), num_workers=2))
"""


def test_a_program_that_runs_again_is_told_of_again_if_another_thing_is_true_of_it(check, tmp_path):
    (tmp_path / "train.py").write_text(NOISE_BY_ARGUMENT)
    once = f"{sys.executable} {tmp_path}/train.py"
    found = json.loads(check("--json", "--", "sh", "-c", f"{once}; {once}; {once} noise").stdout)
    assert [judged["name"].rpartition("/")[2] for judged in found] == ["train.py:10 Items"] * 2
    assert [bool(judged["sources"]["np.random"]["as_it_is"]) for judged in found] == [False, True]


LINES = """
from torch.utils.data import DataLoader, IterableDataset

class Lines(IterableDataset):
    file = open(__file__)

    def __iter__(self):
        return self.file

print(len(list(DataLoader(Lines(), num_workers=1))))
"""


def test_what_a_program_reads_is_still_there(check, tmp_path):
    (tmp_path / "train.py").write_text(LINES)
    done = check("--", sys.executable, str(tmp_path / "train.py"))
    assert "10" in done.stdout.splitlines()


def test_what_is_left_with_workerseed_on(check):
    run = [sys.executable, "-m", "workerseed", "run", sys.executable, "train.py", "plain"]
    done = check("--", *run, WORKERSEED="generators")
    assert NATIVE or "Not affected: workerseed is active." in done.stdout.splitlines()


def test_ranks_that_draw_the_same_are_a_column(check):
    job = "".join(f"RANK={rank} {sys.executable} train.py plain & " for rank in range(2)) + "wait"
    checks = [check("--json", "--", "sh", "-c", job, **on) for on in ({}, {"WORKERSEED": "ranks"})]
    same, other = (json.loads(done.stdout)[0] for done in checks)
    assert (same["verdict"], same["sources"]["np.random"]["workerseed"]["ranks"]) == ("not fixed", "repeat")
    assert other["sources"]["np.random"]["workerseed"]["ranks"] == "differ"
    assert NATIVE or other["verdict"] == "fixed"


def test_the_sitecustomize_that_it_hides_runs(check, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('hidden')")
    done = check("--", sys.executable, "-c", "print('program')", PYTHONPATH=str(tmp_path))
    # The first is our own Python's.
    assert (done.returncode, done.stdout.split()) == (2, ["hidden", *HEADING, "hidden", "program"])
    assert done.stderr.splitlines()[-1].startswith("workerseed: cannot tell: ")


# Errors


LEADS_TO = "leads to an object of type {}; expected a DataLoader, or a function without arguments that returns one"
ERRORS = {
    "nowhere:loader": f"{sys.executable} raised ModuleNotFoundError: No module named 'nowhere'",
    "elsewhere:loader": f"{sys.executable} raised AttributeError: module 'elsewhere' has no attribute 'loader'",
    "loaders:LARGE": "loaders:LARGE " + LEADS_TO.format("int"),
    "loaders:Draws": "loaders:Draws " + LEADS_TO.format("Draws"),
    "loaders:returns_none": "loaders:returns_none " + LEADS_TO.format("NoneType"),
    "loaders:returns_dict": "loaders:returns_dict " + LEADS_TO.format("dict"),
    "loaders:init_by_number": f"{sys.executable} raised TypeError: init_by_number() missing ",
    "loaders:exits": f"{sys.executable} raised SystemExit: 3",
    "loaders:empty": "its workers loaded no batch",
    "loaders:broken": "it raised KeyError: Caught KeyError in DataLoader worker process 0.",
    "loaders:broken_init": "it raised KeyError: ",
    "loaders:own_sampler": "its iterator loads other batches than those of its sampler",
    "loaders:dies": "it raised RuntimeError: DataLoader worker (pid",
    "loaders:unpicklable": "it raised ",
    "loaders:unsendable": "its batches cannot be pickled",
    "loaders:iterable_seeds_well": "np.random is seeded or restored while items are loaded",
    "loaders:iterable_draws_nothing": "no known generator is used",
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_reason_is_given_where_it_cannot_tell(judged, name):
    found = judged(name)
    assert (found["verdict"], found["reasons"][0][: len(ERRORS[name])]) == ("cannot tell", ERRORS[name])


@pytest.mark.parametrize("name", ["loaders:threads", "loaders:no_workers"])
def test_a_loader_without_worker_processes_of_torch_is_named(check, name):
    done = check(name)
    assert (done.returncode, done.stdout.split()) == (2, HEADING)
    assert done.stderr.endswith(f"cannot tell: it saw no workers start through torch's DataLoader in {name}\n")


def test_an_error_is_one_sentence_below_the_users_own_traceback(check):
    done = check("loaders:init_by_number")
    assert (done.returncode, done.stderr) == (2, "")
    assert f"Cannot tell: {sys.executable} raised TypeError: init_by_number()" in " ".join(done.stdout.split())
    assert "_check" not in done.stdout


def test_a_loader_that_is_not_fixed_ends_it_with_1(check):
    assert check("loaders.py:holds_random").returncode == 1


def test_without_torch_it_cannot_tell(tmp_path):
    venv, site_packages = tmp_path / "venv", tmp_path / "packages"
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    site_packages.mkdir()
    (site_packages / "workerseed").symlink_to(workerseed.__path__[0])
    done = run_command(f"{venv}/bin/python", "-m", "workerseed", "check", PYTHONPATH=str(site_packages))
    error = "ModuleNotFoundError: No module named 'torch'; run this with the Python that trains"
    assert (done.returncode, done.stderr) == (2, "")
    assert " ".join(done.stdout.split()).endswith(f"Cannot tell: {venv}/bin/python raised {error}.")


def test_a_command_that_cannot_start_is_named(check, tmp_path):
    (tmp_path / "train").write_text("#!/no/interpreter")
    (tmp_path / "train").chmod(0o755)
    done = check("--", str(tmp_path / "train"))
    assert (done.returncode, done.stdout.split()) == (2, HEADING)
    assert done.stderr == f"workerseed: cannot tell: {tmp_path}/train: No such file or directory\n"


def test_an_invalid_value_of_the_variable_is_named(check):
    done = check(WORKERSEED="maybe")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("workerseed: cannot tell: WORKERSEED='maybe'")


# Limits


def test_it_gives_up_after_a_limit_and_shows_what_the_program_printed(check):
    done = check("train:hanging", "--timeout", "10")
    assert done.returncode == 2
    assert "its worker waits" in done.stdout.splitlines()
    assert "Cannot tell: it took too long; --timeout sets the limit." in done.stdout.splitlines()


ENDS = [(signal.SIGINT, "waits", 0), (signal.SIGINT, "hangs", 2), (signal.SIGTERM, "hangs", 2)]
ENDS += [(signal.SIGKILL, "hangs", -signal.SIGKILL)]


def heed_interrupts():
    """As a command of a terminal does; what a script runs in the background ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number, mode, code", ENDS)
def test_a_signal_ends_all_that_it_started_and_sums_up(tmp_path, number, mode, code):
    command = [sys.executable, "-m", "workerseed", "check", "--", sys.executable, "train.py", mode, str(tmp_path)]
    with open(str(tmp_path / "printed"), "w+") as printed:
        streams = {"stdout": printed, "stderr": subprocess.STDOUT, "preexec_fn": heed_interrupts}
        process = subprocess.Popen(command, cwd=HERE, env=environment_with(TMPDIR=str(tmp_path)), **streams)
        while ("this hangs" if mode == "hangs" else "Plain") not in (tmp_path / "printed").read_text():
            time.sleep(0.1)
        time.sleep(2)
        process.send_signal(number)
        assert process.wait(30) == code
    time.sleep(1)
    assert str(tmp_path) not in subprocess.check_output(["ps", "-eo", "args"], universal_newlines=True)
