"""The search of the option ``generators``: where it finds generators that a loader's objects store, and where not."""

import functools
import gc
import importlib.util
import random
import threading

import pytest
import torch
from support import Draws, draws, expected_draws, needs_numpy, np
from test_generators import MAKERS, Holding, each_kind
from torch.utils.data import DataLoader

from workerseed._options.search import find_generators


class Slotted:
    __slots__ = ("generator",)

    def __init__(self, generator):
        self.generator = generator


def of_module(generator):
    globals()["GLOBAL"] = generator
    return lambda: lambda: [GLOBAL for _ in range(2)]  # noqa: F821


def of_generator_function(generator):
    def function(local):
        while True:
            yield local

    running = function(generator)
    next(running)
    return running


PLACES = {
    "slot": Slotted,
    "class": lambda generator: type("OfClass", (), {"generator": generator})(),
    "static method": lambda generator: type("Static", (), {"draw": staticmethod(lambda: generator)})(),
    "property": lambda generator: type("OfProperty", (), {"drawn": property(lambda self: generator)})(),
    "module, named by inner code": of_module,
    "closure": lambda generator: lambda: generator,
    "default": lambda generator: lambda default=generator: None,
    "partial": lambda generator: functools.partial(print, end=generator),
    "cache": lambda generator: functools.lru_cache()(lambda: generator),
    "method": lambda generator: Holding(generator).__getitem__,
    "local variable of a generator function": of_generator_function,
    "nested containers": lambda generator: [{"a": ([{"b": {frozenset([(generator,)])}}],)}],
    "loader": lambda generator: DataLoader(Holding(generator)),
}


if np is not None:
    PLACES["array"] = lambda generator: np.array([generator, None], dtype=object)


@each_kind
@pytest.mark.parametrize("place", PLACES)
def test_it_is_found(place, kind):
    generator = MAKERS[kind](1)
    (found,) = find_generators({"dataset": PLACES[place](generator)}).values()
    assert found is generator


def test_it_is_found_where_the_garbage_collector_does_not_look():
    nested = (torch.Generator(),)
    for _ in range(60):
        nested = (nested, nested)  # as many paths as no search can follow one by one
    dataset = Holding(random.Random(1), {"a": ({"b": nested},)})
    dataset.generators.append(dataset)
    gc.collect()  # from then on, it does not know containers of a torch.Generator
    getattr(gc, "freeze", bool)()  # Python 3.7
    try:
        assert len(find_generators({"dataset": dataset})) == 2
    finally:
        getattr(gc, "unfreeze", bool)()


@needs_numpy
def test_the_global_generators_and_those_of_the_system_are_left_alone(reseeding):
    assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
    assert find_generators({"dataset": [random, np.random, torch.default_generator, random.SystemRandom()]}) == {}


def test_a_generator_in_each_record_of_large_containers_is_found():
    dataset = Holding()
    dataset.records = [{"rng": random.Random(number)} for number in range(3000)]
    dataset.index = {number: [random.Random(number)] for number in range(3000)}
    dataset.small = [[{"rng": random.Random(number)}, {"rng": random.Random(-number)}] for number in range(500)]
    assert len(find_generators({"dataset": dataset})) == 7000


class Box:
    pass


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "dict": lambda boxes: dict(enumerate(boxes)),
    "small lists": lambda boxes: [boxes[place : place + 10] for place in range(0, 1000, 10)],
}


if np is not None:
    CONTAINERS["array"] = lambda boxes: np.array(boxes, dtype=object)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("offset", [0, 5])
def test_generators_at_regular_steps_of_a_large_container_are_found(container, offset):
    boxes = [Box() for _ in range(1000)]
    stored = CONTAINERS[container](boxes)
    in_order = list(stored) if container == "set" else boxes
    for box in in_order[offset::10]:  # the sample takes every tenth, on average
        box.rng = random.Random(1)
    assert len(find_generators({"dataset": stored})) == 100


PACKAGE = """
import random
rng = random.Random(1)

class Dataset:
    def __getitem__(self, index):
        return rng.random()

def collate(batch):
    return rng.random()
"""


def imported(name, folder, monkeypatch):
    """A module with that code in a folder."""
    folder.mkdir()
    (folder / (name + ".py")).write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name)


def test_the_code_of_an_installed_package_is_searched_only_if_a_root_comes_from_it(tmp_path, monkeypatch):
    installed = imported("installed", tmp_path / "site-packages", monkeypatch)
    for root in (installed.Dataset(), installed.collate, installed.Dataset().__getitem__):
        assert list(find_generators({"dataset": root})) == ["installed.rng"]
    assert find_generators({"dataset": Holding(installed.Dataset(), installed.collate)}) == {}


def test_the_code_of_all_modules_of_the_program_is_searched(tmp_path, monkeypatch):
    program = imported("module_of_the_program", tmp_path / "program", monkeypatch)
    for held in (program.Dataset(), program.collate):
        assert list(find_generators({"dataset": Holding(held)})) == ["module_of_the_program.rng"]


def test_a_generator_that_code_names_in_another_module_has_the_path_of_that_module(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "OTHER", imported("other_module", tmp_path / "program", monkeypatch))
    assert list(find_generators({"dataset": lambda: OTHER.rng})) == ["other_module.rng"]  # noqa: F821


def test_threads_are_not_searched():
    thread = threading.Thread(target=print, args=(random.Random(1),))
    assert find_generators({"dataset": Holding(thread)}) == {}


def test_the_variables_of_the_program_are_not_searched_because_of_an_error_that_a_dataset_stores():
    rng = random.Random(1)
    with pytest.raises(ZeroDivisionError) as error:
        rng.seed(1 / 0)
    assert find_generators({"dataset": [error.value]}) == {}


def test_a_module_that_is_not_loaded_yet_stays_so(tmp_path, monkeypatch):
    (tmp_path / "lazy.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = importlib.util.find_spec("lazy")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    monkeypatch.setitem(globals(), "LAZY", lazy)
    assert find_generators({"dataset": lambda: LAZY.rng}) == {}  # noqa: F821
    assert lazy.rng.random() == random.Random(1).random()
