"""What README and the other pages say about workers, against the torch that is here."""

import os
import random
import re
import sys

import draw
import pytest
import torch.utils.data
from support import NATIVE, TORCH, Draws, Items, contents_of, draws, np, only_legacy, rows_of, run_command
from torch.utils.data import DataLoader, dataloader


def test_the_program_of_readme_prints_what_is_shown(tmp_path):
    kinds = [f"```{kind}\n(.*?)```" for kind in ("python", "console")]
    program, session = (re.search(kind, contents_of("README.md"), re.DOTALL).group(1) for kind in kinds)
    (tmp_path / "bug.py").write_text(program)
    _, stock, seeded = re.split(r"^\$ .*\n", session, flags=re.MULTILINE)
    run = [sys.executable, "-m", "workerseed", "run"]
    assert run_command(sys.executable, "bug.py", cwd=str(tmp_path)).stdout == (seeded if NATIVE else stock)
    assert run_command(*run, sys.executable, "bug.py", cwd=str(tmp_path)).stdout == seeded


# How it works: the way to a worker, and what is patched

PARENT = os.getpid()

noted = []


def note(frame, event, arg):
    """Note each function that is called, by its name alone and as a method of its first argument, and where it runs."""
    if event == "call":
        name = frame.f_code.co_name
        first = frame.f_locals.get((*frame.f_code.co_varnames, "")[0])
        names = [name, *(f"{cls.__name__}.{name}" for cls in type(first).__mro__)]
        noted.extend((name, os.getpid() == PARENT) for name in names)


@only_legacy
def test_the_functions_that_are_pictured_run_where_they_are_pictured(shim):
    pictured = [function for _, function, _, _ in draw.BOXES]

    def worker_init_fn(worker_id):
        """What is pictured as your function."""

    options = {"num_workers": 1, "collate_fn": list, "worker_init_fn": worker_init_fn}
    sys.setprofile(note)
    try:
        [[calls]] = list(DataLoader(Items(lambda index: noted, 1), **options))
    finally:
        sys.setprofile(None)
    ran = dict.fromkeys(call for call in calls if call[0] in pictured)
    assert list(ran) == list(zip(pictured, [True, True, False, False]))


def attributes():
    classes = [cls for cls in vars(dataloader).values() if isinstance(cls, type)]
    found = {f"{cls.__name__}.{name}": value for cls in classes for name, value in vars(cls).items()}
    return {name: value for name, value in found.items() if "__slotnames__" not in name}  # pickle adds those


STOCK = attributes()


@only_legacy
def test_all_that_is_patched_is_in_the_table_of_how_it_works(shim):
    patched = {name for name, value in attributes().items() if STOCK.get(name) is not value}
    listed = {name for cell in rows_of("how-it-works.md") for name in re.findall(r"\w+\.\w+", cell)}
    assert len(patched) == 4
    assert patched <= listed


# Limits: whose seed counts, and which workers are reached


def draws_of_a_program_that_seeds_numpy_alone():
    np.random.seed(0)
    torch.manual_seed(random.SystemRandom().getrandbits(32))  # as every new process does
    return [int(batch) for batch in DataLoader(Draws(), num_workers=2)]


def test_a_program_that_seeds_numpy_alone_draws_otherwise_in_every_run_as_on_torch_1_9(request):
    assert NATIVE or draws_of_a_program_that_seeds_numpy_alone() == draws_of_a_program_that_seeds_numpy_alone()
    request.getfixturevalue("shim")
    assert draws_of_a_program_that_seeds_numpy_alone() != draws_of_a_program_that_seeds_numpy_alone()


@only_legacy
@pytest.mark.skipif(TORCH < (1, 7), reason="torch 1.7 brought persistent_workers")
@pytest.mark.parametrize("persistent, repeat", [(True, True), (False, False)])
def test_workers_that_run_already_stay_as_they_are(request, persistent, repeat):
    loader = DataLoader(Draws(), num_workers=2, persistent_workers=persistent)
    draws(loader)
    request.getfixturevalue("shim")
    first, second = draws(loader)[:2]
    assert (first == second) == repeat


class Shares(getattr(torch.utils.data, "IterableDataset", object)):
    """Each worker shuffles the numbers, and takes its share of them."""

    def __init__(self, generator):
        self.generator = generator

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        return iter(self.generator(info).permutation(16)[info.id :: info.num_workers].tolist())


def loaded(generator):
    """How many of 16 items are loaded in each of two epochs."""
    torch.manual_seed(0)
    loader = DataLoader(Shares(generator), batch_size=None, num_workers=2)
    return [len(set(map(int, loader))) for _ in range(2)]


@pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought IterableDataset")
def test_workers_that_share_an_order_of_np_random_lose_items_as_on_torch_1_9_unless_it_is_of_the_base_seed(request):
    assert NATIVE or loaded(lambda info: np.random) == [16, 16]
    request.getfixturevalue("shim")
    assert loaded(lambda info: np.random) == [13, 13]
    assert loaded(lambda info: np.random.RandomState((info.seed - info.id) % 2**32)) == [16, 16]
