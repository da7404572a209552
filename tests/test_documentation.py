"""What the documentation says of torch's functions, patched attributes, versions and tests, against what is there."""

import glob
import importlib
import os
import platform
import re
import sys

import pytest
import torch
from support import ROOT, TORCH, Draws, np, only_legacy, start_method
from torch.utils.data import DataLoader, dataloader

ITERATOR = "_DataLoaderIter" if TORCH < (1, 2) else "_MultiProcessingDataLoaderIter"
TOX_ENVIRONMENT = os.environ.get("TOX_ENV_NAME")
TESTS = re.compile(r"\btest_\w+")


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def rows_of(page):
    """The cells of all tables of a page, without the marks of code, by the first cell of each row."""
    rows = [line.replace("`", "").strip("| \n") for line in text_of("docs", page).splitlines() if line.startswith("|")]
    return {cells[0]: cells[1:] for cells in (re.split(r" *\| *", row) for row in rows)}


def test_the_tests_that_are_named_exist():
    pages = [os.path.join(ROOT, "README.md"), *glob.glob(os.path.join(ROOT, "docs", "*.md"))]
    files = glob.glob(os.path.join(ROOT, "tests", "**", "test_*.py"), recursive=True)
    exist = {name for file in files for name in TESTS.findall(file + text_of(file))}
    named = {name for page in pages for name in TESTS.findall(text_of(page))}
    assert len(named) > 100
    assert named - exist == set()


# The picture of the flow

sys.path.insert(0, os.path.join(ROOT, "docs", "flow"))
draw = importlib.import_module("draw")


def test_the_picture_is_what_its_script_draws():
    assert text_of("docs", "flow", "flow.svg") == draw.svg()


def stack():
    """The functions of the stack, outermost first, as (file, function); of a forked worker those of its parent, too."""
    found = []
    frame = sys._getframe(1)
    while frame is not None:
        found.insert(0, (frame.f_code.co_filename.split("site-packages/")[-1], frame.f_code.co_name))
        frame = frame.f_back
    return found


def pictured(boxes):
    """The functions that boxes of the picture name, as (file, function), for the torch that is here."""
    named = [(file, code.split(".")[-1]) for _, code, file, _ in boxes if file]
    return [(draw.DATALOADER if TORCH < (1, 1) and file == draw.WORKER else file, name) for file, name in named]


def in_order(expected, found):
    rest = iter(found)
    return all(each in rest for each in expected)


class Stacks(Draws):
    """Each item is the stack in the worker, where ``worker_init_fn`` was called and where the item is loaded."""

    def __getitem__(self, index):
        return noted, stack()


noted = []


def note_stack(worker_id):
    noted.extend(stack())


class NotingLoader(DataLoader):
    """Notes the stack where its ``worker_init_fn`` is set."""

    def __setattr__(self, name, value):
        if name == "worker_init_fn":
            vars(self)["setting"] = stack()
        super().__setattr__(name, value)


@only_legacy
def test_a_worker_goes_the_way_that_is_pictured(shim):
    with start_method("fork") as options:
        loader = NotingLoader(Stacks(1), num_workers=1, collate_fn=list, worker_init_fn=note_stack, **options)
        [[(in_function, in_dataset)]] = list(loader)
    making, iterating = pictured(draw.PARENT[:3]), pictured(draw.PARENT[3:])
    loop, step = pictured(draw.CHILD)
    assert in_order(making[::-1], loader.setting)  # our wrapper is outside of torch's function
    assert in_order([*iterating, loop, step, (__file__, "note_stack")], in_function)
    assert in_order([*iterating, loop, (__file__, "__getitem__")], in_dataset)
    assert hasattr(dataloader, ITERATOR)
    assert ITERATOR in draw.svg()


# What is patched


@only_legacy
@pytest.mark.parametrize("page", ["../README.md", "how-it-works.md"])
def test_all_that_is_patched_is_in_the_table(shim, page):
    from workerseed import _patch

    # Subclasses that other tests have left behind are not torch's.
    replaced = [(owner, name) for owner, name, _, _ in _patch._replaced if owner.__module__ == dataloader.__name__]
    patched = {f"{owner.__name__}.{name}" for owner, name in replaced}
    assert len(patched) == 3
    listed = " ".join(rows_of(page)).replace("__init_subclass__ of the same class", ITERATOR + ".__init_subclass__")
    assert [attribute for attribute in patched if attribute not in listed] == []


# The table of what is run


def test_the_table_has_all_environments():
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads(text_of("pyproject.toml"))
    environments = [name for name in settings["tool"]["tox"]["env_list"] if name.startswith("py")]
    assert [name for name in rows_of("compatibility.md") if name.startswith("py")] == environments
    page = text_of("docs", "compatibility.md")
    assert f"Python `{settings['project']['requires-python']}`" in page
    assert [f"`{requirement}`" in page for requirement in settings["project"]["dependencies"]] == [True]


@pytest.mark.skipif(not (TOX_ENVIRONMENT or "").startswith("py"), reason="not run by tox")
def test_the_row_of_this_environment_says_what_is_here():
    import wrapt

    numpy_version = getattr(np, "__version__", "none")
    here = [torch.__version__.split("+")[0], platform.python_version(), numpy_version, wrapt.__version__]
    said = rows_of("compatibility.md")[TOX_ENVIRONMENT][:4]
    for cell, version in zip(said, here):
        if cell.endswith(" or later"):
            assert numbers(version) >= numbers(cell.split()[0])
        else:
            assert (version + ".").startswith(cell + ".")


def numbers(version):
    return [int(part) for part in version.split(".")[:3]]
