"""What the documentation says about the way to a worker and about what is patched, against the torch that is here."""

import os
import re
import sys

import draw
from support import Draws, only_legacy, rows_of, start_method
from torch.utils.data import DataLoader, dataloader

pytestmark = only_legacy

PARENT = os.getpid()

noted = []


def note(frame, event, arg):
    """Note each function that is called, by its name alone and as a method of its first argument, and where it runs."""
    if event == "call":
        name = frame.f_code.co_name
        first = frame.f_locals.get((*frame.f_code.co_varnames, "")[0])
        names = [name, *(f"{cls.__name__}.{name}" for cls in type(first).__mro__)]
        noted.extend((name, os.getpid() == PARENT) for name in names)


class Noted(Draws):
    def __getitem__(self, index):
        return noted


def worker_init_fn(worker_id):
    pass


def test_the_functions_that_are_pictured_run_where_they_are_pictured(shim):
    pictured = [function for _, function, _, _ in draw.BOXES]
    with start_method("fork") as options:
        sys.setprofile(note)
        try:
            loader = DataLoader(Noted(1), num_workers=1, collate_fn=list, worker_init_fn=worker_init_fn, **options)
            [[calls]] = list(loader)
        finally:
            sys.setprofile(None)
    ran = dict.fromkeys(call for call in calls if call[0] in pictured)
    assert list(ran) == list(zip(pictured, [True, True, False, False]))


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
