"""What the documentation says of torch's functions and of patched attributes, against the torch that is here."""

import importlib
import os
import re
import sys

from support import ITERATOR, ROOT, TORCH, Draws, only_legacy, rows_of, start_method
from torch.utils.data import DataLoader, dataloader

pytestmark = only_legacy

# The picture of the flow

sys.path.insert(0, os.path.join(ROOT, "docs", "flow"))
draw = importlib.import_module("draw")


def stack():
    """The functions of the stack, outermost first, as (file, function); of a forked worker those of its parent, too."""
    found = []
    frame = sys._getframe(1)
    while frame is not None:
        found.insert(0, (re.split("/site-packages/|/src/", frame.f_code.co_filename)[-1], frame.f_code.co_name))
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


def test_a_worker_goes_the_way_that_is_pictured(shim):
    with start_method("fork") as options:
        loader = NotingLoader(Stacks(1), num_workers=1, collate_fn=list, worker_init_fn=note_stack, **options)
        [[(in_function, in_dataset)]] = list(loader)
    making, iterating = pictured(draw.PARENT[:3]), pictured(draw.PARENT[3:])
    loop, step = pictured(draw.CHILD)
    assert in_order(making[::-1], loader.setting)  # our wrapper is outside of torch's function
    assert in_order([*iterating, loop, step, (__file__, "note_stack")], in_function)
    assert in_order([*iterating, loop, (__file__, "__getitem__")], in_dataset)
    assert ITERATOR.__name__ in draw.svg()


# What is patched


def test_all_that_is_patched_is_in_the_table_of_readme(shim):
    from workerseed import _patch

    def is_ours(value):
        return _patch._is_ours(value) or isinstance(value, _patch._InitSubclass)

    classes = [cls for cls in vars(dataloader).values() if isinstance(cls, type)]
    patched = {f"{cls.__name__}.{name}" for cls in classes for name, value in vars(cls).items() if is_ours(value)}
    assert len(patched) == 3
    listed = " ".join(rows_of("../README.md"))
    assert [attribute for attribute in patched if attribute not in listed] == []
