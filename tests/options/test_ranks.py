"""The option ``ranks``: where the rank comes from, and that each rank has streams of its own, in real jobs."""

import json
import os
import random
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import use_ranks
from scenarios import draw
from support import NATIVE, TESTS, TORCH, Items, error_of, np, rows_of, run_command, run_python, start_method
from torch.utils.data import DataLoader
from use_ranks import EPOCHS, WORKERS, epochs, loader_of

import workerseed
from workerseed import _messages
from workerseed.__main__ import SITECUSTOMIZE
from workerseed._options.ranks import RANK_VARIABLES as VARIABLES
from workerseed._options.ranks import find_rank
from workerseed._seeding import generate_state

PROGRAM = use_ranks.__file__
STREAMS = {"random": slice(1, 3), "torch": slice(3, 5), "numpy": slice(5, 8)}  # where in an item
WORLD_SIZE = 2
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([SITECUSTOMIZE, TESTS]), "OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def outside_a_job(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ranks():
    workerseed.install(["ranks"])


# Where the rank comes from


def test_the_variables_are_those_of_the_documentation_in_its_order():
    assert tuple(name for name in rows_of("distributed.md") if re.match("[A-Z]", name)) == VARIABLES


def test_the_first_variable_that_is_set_counts(monkeypatch):
    assert find_rank() == 0  # outside a job
    for rank, name in enumerate(reversed(VARIABLES), 5):
        monkeypatch.setenv(name, f" {rank} ")
        assert find_rank() == rank
    monkeypatch.setenv("RANK", "")
    assert find_rank() == rank - 1


def not_a_rank(name, rank):
    needed = "from 0 to 4294967295" if isinstance(rank, int) else "an integer"
    return f"workerseed's option 'ranks' needs a data-parallel rank: {name} must be {needed}, got {rank!r}"


@pytest.mark.parametrize("value", ["first", "-1", "1.0", "1 2", "1e3", "1_0", "²", "4294967296", "1" * 5000])
def test_a_variable_that_is_not_a_rank_is_an_error(ranks, monkeypatch, value):
    monkeypatch.setenv("PMI_RANK", value)
    assert error_of(loader_of()) == (ValueError, not_a_rank("PMI_RANK", 2**32 if value == str(2**32) else value))


def expected(rank, base_seeds):
    """What ``epochs`` is on a rank, from the words."""
    return [[expected_of_worker(rank, seed, worker_id) for worker_id in range(WORKERS)] for seed in base_seeds]


def expected_of_worker(rank, base_seed, worker_id):
    words = generate_state([worker_id, base_seed % 2**32, base_seed // 2**32, rank], 8)
    of_rank = [words[4] + (words[5] << 32), (words[6] + (words[7] << 32)) // 2]
    of_random, of_torch = of_rank if rank else [base_seed + worker_id] * 2
    random.seed(of_random)
    torch.manual_seed(of_torch)
    if np is not None:
        np.random.seed(words[:4])
    return draw()


def base_seeds_from(seed, count=EPOCHS):
    torch.manual_seed(seed)
    return [torch.empty((), dtype=torch.int64).random_().item() for _ in range(count)]


@pytest.mark.parametrize("method, values", [("fork", (0, 1, 1023, 2**32 - 1)), ("spawn", (1,)), ("forkserver", (1,))])
def test_workers_draw_what_the_words_of_their_rank_give(ranks, monkeypatch, method, values):
    with start_method(method) as options:
        loader = loader_of(**options)
        for rank in values:  # the one that the process has when workers start counts
            monkeypatch.setenv("RANK", str(rank))
            assert epochs(loader, 1) == expected(rank, base_seeds_from(0, 1))


def test_the_rank_is_looked_for_only_with_the_option_and_workers(ranks, monkeypatch):
    monkeypatch.setenv("RANK", "first")
    assert len(list(loader_of(workers=0))) == WORKERS
    workerseed.uninstall()
    workerseed.install()
    assert [item[0] for item in epochs(loader_of(), 1)[0]] == [base_seeds_from(0, 1)[0] + i for i in range(WORKERS)]


# Distributed jobs


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """What the processes of a job draw, by rank, with the option and without.

    In them torch.distributed is initialised, and the launcher's variable lies.
    """

    def run(options, rank):
        folder = folders[options]
        arguments = map(str, [folder, rank, WORLD_SIZE, folder / "meeting"])
        variables = {"WORKERSEED": options, "RANK": "7", "GLOO_SOCKET_IFNAME": "lo", **ENVIRONMENT}
        done = run_python("-W", "ignore", PROGRAM, *arguments, **variables)
        assert done.returncode == 0, done.stderr

    folders = {options: tmp_path_factory.mktemp("job") for options in ("ranks", "1")}
    for options in folders:
        with ThreadPoolExecutor(WORLD_SIZE) as pool:
            list(pool.map(run, [options] * WORLD_SIZE, range(WORLD_SIZE)))
    return {options: read(folder) for options, folder in folders.items()}


def read(folder):
    """What the processes have written, by rank."""
    return [json.loads((folder / str(rank)).read_text()) for rank in range(WORLD_SIZE)]


@pytest.mark.parametrize("stream", [name for name in STREAMS if np is not None or name != "numpy"])
def test_no_two_starts_of_a_job_share_a_stream(jobs, stream):
    drawn = [tuple(item[STREAMS[stream]]) for rank in jobs["ranks"] for epoch in rank for item in epoch]
    assert len(set(drawn)) == len(drawn) == WORLD_SIZE * WORKERS * EPOCHS


def test_each_rank_draws_what_its_words_give(jobs):
    assert jobs["ranks"] == [expected(rank, base_seeds_from(0)) for rank in range(WORLD_SIZE)]


def test_without_the_option_all_ranks_draw_as_rank_0(jobs):
    assert jobs["1"] == [jobs["ranks"][0]] * WORLD_SIZE


def test_a_launcher_gives_ranks_by_its_variable_alone(tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed." + ("run" if NATIVE else "launch")]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        launcher += ["--nproc_per_node=2", f"--master_port={free.getsockname()[1]}"]
    command = ["-m", "workerseed", "run", "--ranks", *launcher, PROGRAM, str(tmp_path)]
    done = run_python(*command, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path) == [expected(rank, base_seeds_from(0)) for rank in range(2)]


MPIRUN = os.path.join(os.path.dirname(sys.executable), "mpirun")


@pytest.mark.skipif(not os.path.exists(MPIRUN), reason="MPICH and Open MPI are in one environment each")
def test_mpirun_gives_ranks_by_a_variable_of_its_own(tmp_path):
    variables = {"WORKERSEED": "ranks,verbose", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    variables["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"  # else it wants a core for each process
    command = [MPIRUN, "-n", "2", sys.executable, "-W", "ignore", PROGRAM, str(tmp_path)]
    done = run_command(*command, **ENVIRONMENT, **variables)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path) == [expected(rank, base_seeds_from(0)) for rank in range(2)]
    name = "PMI_RANK" if "HYDRA" in run_command(MPIRUN, "--version").stdout else "OMPI_COMM_WORLD_RANK"
    assert [f"ranks: rank {rank}, from {name}" in done.stderr for rank in range(2)] == [True, True]


@pytest.mark.parametrize("rank", [3, lambda: 3])
def test_install_may_be_given_the_rank_which_stays(monkeypatch, rank):
    monkeypatch.setenv("RANK", "1")
    workerseed.install(["ranks"], rank=rank)
    workerseed.install()
    assert epochs(loader_of()) == expected(3, base_seeds_from(0))


def test_install_may_be_given_a_function_that_is_asked_whenever_workers_start():
    asked = iter([2, 0, 2, 0])
    workerseed.install(["ranks"], rank=lambda: next(asked))
    seeds = base_seeds_from(0)
    assert epochs(loader_of())[:2] == [expected(2, seeds)[0], expected(0, seeds)[1]]


@pytest.mark.parametrize("rank", [-1, 2**32, 1.5, "1"], ids=repr)
def test_install_refuses_what_is_no_rank_and_a_rank_without_the_option(rank):
    with pytest.raises(ValueError) as error:
        workerseed.install(["ranks"], rank=rank)
    assert str(error.value) == not_a_rank("rank", rank)
    assert workerseed.status().state == "off"
    with pytest.raises(ValueError, match="rank= needs the option 'ranks'"):
        workerseed.install(rank=1)
    workerseed.install(["ranks"], rank=lambda: rank)  # a function is asked when workers start
    assert error_of(loader_of()) == (ValueError, not_a_rank("rank", rank))


@pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought the worker info")
@pytest.mark.parametrize("rank", ["0", "1"])
def test_the_worker_info_has_the_seed_of_torch(ranks, monkeypatch, rank):
    monkeypatch.setenv("RANK", rank)
    dataset = Items(lambda index: (torch.utils.data.get_worker_info().seed, torch.initial_seed()), WORKERS)
    seeds = [item for batch in DataLoader(dataset, num_workers=WORKERS, collate_fn=list) for item in batch]
    assert [of_info for of_info, _ in seeds] == [of_torch for _, of_torch in seeds]
    assert len(set(seeds)) == WORKERS


@pytest.mark.parametrize("name", [None, "RANK", "SLURM_PROCID"])
def test_the_rank_and_where_it_comes_from_are_logged_once_and_only_with_verbose(name, monkeypatch, capfd):
    _messages.log_once.cache_clear()
    if name is not None:
        monkeypatch.setenv(name, "2")
    workerseed.install(["ranks"])
    epochs(loader_of(), 1)
    assert "ranks: " not in capfd.readouterr().err
    workerseed.install(["verbose"])
    epochs(loader_of(), 2)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "ranks: " in line]
    none = "because torch.distributed is not initialized and none of these variables is set: " + ", ".join(VARIABLES)
    assert line.endswith(f"]: ranks: rank 2, from {name}" if name else f"]: ranks: rank 0, {none}")
