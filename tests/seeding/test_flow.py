"""What the documentation says about the way to a worker and about what is patched, against the torch that is here."""

import importlib
import os
import re
import sys

from support import ROOT, Draws, only_legacy, rows_of, start_method
from torch.utils.data import DataLoader, dataloader

import workerseed

pytestmark = only_legacy

sys.path.insert(0, os.path.join(ROOT, "docs", "flow"))
draw = importlib.import_module("draw")


def stack():
    """The qualified names of the functions that run, innermost first, as far as their first argument tells them."""
    found = []
    frame = sys._getframe(1)
    while frame is not None:
        first = frame.f_locals.get((*frame.f_code.co_varnames, "")[0])
        found += [f"{cls.__name__}.{frame.f_code.co_name}" for cls in type(first).__mro__]
        frame = frame.f_back
    return found


class NotingLoader(DataLoader):
    """Notes the stack where its ``worker_init_fn`` is set."""

    def __setattr__(self, name, value):
        if name == "worker_init_fn":
            vars(self)["noted"] = stack()
        super().__setattr__(name, value)


class Noted(Draws):
    def __getitem__(self, index):
        return noted


noted = []


def note(worker_id):
    noted.extend(stack())


def test_the_functions_that_are_pictured_run_where_they_are_pictured():
    in_loader, in_iterator, in_worker = (function for _, function, _, _ in draw.BOXES[:3])
    stacks = []
    workerseed.install(["ranks"], rank=lambda: stacks.append(stack()) or 0)
    try:
        with start_method("fork") as options:
            loader = NotingLoader(Noted(1), num_workers=1, collate_fn=list, worker_init_fn=note, **options)
            [[in_function]] = list(loader)
    finally:
        workerseed.uninstall()
    assert in_loader in loader.noted
    assert [in_iterator in names for names in stacks] == [True]
    assert in_worker in in_function


def attributes():
    classes = [cls for cls in vars(dataloader).values() if isinstance(cls, type)]
    found = {f"{cls.__name__}.{name}": value for cls in classes for name, value in vars(cls).items()}
    return {name: value for name, value in found.items() if "__slotnames__" not in name}  # pickle adds those


STOCK = attributes()


def test_all_that_is_patched_is_in_the_table_of_how_it_works(shim):
    patched = {name for name, value in attributes().items() if STOCK.get(name) is not value}
    listed = {name for cell in rows_of("how-it-works.md") for name in re.findall(r"\w+\.\w+", cell)}
    assert len(patched) == 4
    assert patched <= listed
