"""Runs a program of `programs` in fresh interpreters: on stock torch, and with workerseed activated in each way."""

import functools
import importlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from support import environment_with

import workerseed
from workerseed.__main__ import SITECUSTOMIZE

LIMIT = 240  # seconds that a program may take; the slowest needs a tenth of them on two quiet cores
PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
STOCK = "stock"
BY_VARIABLE = "by variable"
WITH_RANKS = "by variable, with ranks"
WITH_GENERATORS = "by variable, with generators"
VALUES = {BY_VARIABLE: "1", WITH_RANKS: "ranks", WITH_GENERATORS: "generators"}
ACTIVATIONS = ("imported after the framework", BY_VARIABLE)  # the latter is before the framework


def installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


def version_of(module):
    """The version of a package, the empty string if it is not here."""
    return importlib.import_module(module).__version__ if installed(module) else ""


# The columns of a row; one of MONAI ends with what a generator drew that a transform stores.
WORKER, SEEDINGS, SEED, NUMPY, RANDOM, TORCH, START = range(7)


@functools.lru_cache(maxsize=None)
def result(program, variant, *options, **variables):
    """What the program writes; it prints into a file: a worker can keep a pipe open."""
    if variant in VALUES:
        variables.update(WORKERSEED=VALUES[variant], PYTHONPATH=SITECUSTOMIZE)
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "printed"), "w+") as printed:
        written = os.path.join(folder, "written")
        command = [sys.executable, "-W", "ignore", os.path.join(PROGRAMS, program), written, variant, *options]
        streams = {"stdin": subprocess.DEVNULL, "stdout": printed, "stderr": subprocess.STDOUT}
        environment = environment_with(OMP_NUM_THREADS="1", **variables)
        done = subprocess.run(command, env=environment, timeout=LIMIT, **streams)
        printed.seek(0)
        assert done.returncode == 0, printed.read()
        with open(written) as file:
            return json.load(file)


@functools.lru_cache(maxsize=None)
def results_of_ranks(program, variant, *options):
    """The same for a program that runs in two processes, with the variables that torchelastic gives them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "GLOO_SOCKET_IFNAME": "lo"}
    meeting.update(WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", GROUP_RANK="0")
    with ThreadPoolExecutor() as pool:
        started = [
            pool.submit(result, program, variant, *options, RANK=rank, LOCAL_RANK=rank, **meeting) for rank in "01"
        ]
        return [process.result() for process in started]


def column(rows, index):
    return [row[index] for row in rows]


def repeats(rows):
    """How many of NumPy's draws are repeats of others."""
    return len(rows) - len(set(column(rows, NUMPY)))


def without_numpy(rows):
    return [[row[WORKER], row[SEED], row[RANDOM], row[TORCH], *row[START + 1 :]] for row in rows]


def drawn(rows):
    """All columns but the one which counts how often NumPy was seeded."""
    return [row[:SEEDINGS] + row[SEEDINGS + 1 :] for row in rows]


def are_those_of_rank(rows, rank, seed=START):
    """Whether NumPy's draws follow from the rank and from the seed of torch in a column."""
    streams = {}
    for row in rows:
        start = row[WORKER], row[seed]
        if start not in streams:
            streams[start] = np.random.RandomState(workerseed.numpy_seed(row[seed] - row[WORKER], row[WORKER], rank))
        if streams[start].randint(0, 2**31 - 1) != row[NUMPY]:
            return False
    return True


def are_those_of_torch_1_9(rows):
    """Whether NumPy's draws follow from torch's seeds as on torch 1.9; the epochs must have different seeds."""
    return are_those_of_rank(rows, 0, SEED)


def assert_seeded_as_by_torch_1_9(ours, stock):
    """Where nobody else seeds NumPy: it is seeded once, as on torch 1.9, and nothing else changes."""
    assert repeats(stock) >= len(stock) / 2
    assert repeats(ours) == 0
    assert are_those_of_torch_1_9(ours)
    assert without_numpy(ours) == without_numpy(stock)
    assert set(column(ours, SEEDINGS)) == {1}


def assert_ranks_share_no_stream(first, second):
    """NumPy's draws of rank 1 follow from its rank and the base seeds, which are those of rank 0; nothing repeats."""
    assert are_those_of_rank([row[:START] + of_first[START:] for of_first, row in zip(first, second)], 1)
    for stream in (NUMPY, RANDOM, TORCH):
        assert len(set(column(first + second, stream))) == len(first + second)
