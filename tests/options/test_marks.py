"""``keep`` and ``reseed``: what they mark, that a mark keeps nothing alive, and when it ends."""

import copy
import gc
import pickle
import random
import weakref

import pytest
import test_generators
import torch
from support import as_list, start_method
from test_generators import MAKERS, Holding, Sharing, Unruly, distinct, first_draws, items, np
from torch.utils.data import DataLoader

import workerseed
from workerseed._options import marks, rng

by_function = pytest.mark.parametrize("function", [workerseed.keep, workerseed.reseed])


def loader_of(dataset, **options):
    return DataLoader(dataset, num_workers=2, collate_fn=as_list, **options)


def is_shared(loader):
    """Whether workers lose no item of ``Sharing``: their generators are equal."""
    return sorted(item for batch in loader for item in batch) == list(range(32))


def test_a_generator_that_is_kept_draws_as_without_the_option(reseeding):
    kept, other = random.Random(1), random.Random(1)
    workerseed.keep(kept)
    drawn = first_draws(Holding(kept, other))
    assert {of_kept for of_kept, _ in drawn} == {random.Random(1).random()}
    assert distinct(of_other for _, of_other in drawn) == 4


@test_generators.needs_modern_numpy
def test_all_that_share_the_bit_generator_of_a_kept_one_are_kept(reseeding):
    kept = np.random.default_rng(1)
    workerseed.keep(kept)
    assert distinct(first_draws(Holding(np.random.Generator(kept.bit_generator)))) == 1


def test_a_loader_that_is_kept_draws_as_without_the_option_and_others_do_not(reseeding):
    dataset = Holding(random.Random(1))
    validation = loader_of(dataset)
    workerseed.keep(validation)
    for _ in range(2):
        assert distinct(batch[0][0] for batch in validation) == 2
    assert distinct(first_draws(dataset)) == 4


def test_a_dataset_that_is_kept_keeps_all_that_it_stores_whatever_loader_it_is_in(reseeding):
    dataset, other, slotted = Holding(random.Random(1)), Holding(random.Random(1)), SlottedHolding(Unruly(1))
    workerseed.keep(dataset)
    workerseed.keep(slotted)
    assert distinct(first_draws(torch.utils.data.Subset(dataset, range(4)))) == 1
    assert distinct(first_draws(slotted)) == 1
    assert distinct(first_draws(other)) == 4


@by_function
def test_a_loader_that_holds_the_one_that_starts_workers_marks_it(function):
    outer, inner = loader_of(Holding()), loader_of(Holding())
    outer.base_dataloader, inner.outer = inner, outer  # as Accelerate's, and a cycle
    function(outer)
    assert [name for name in vars(inner) if name.startswith("_workerseed_")] == ["_workerseed_" + function.__name__]


@by_function
@pytest.mark.parametrize("other", [3, None, [random.Random(1)], random])
def test_they_take_nothing_else(function, other):
    with pytest.raises(TypeError, match=function.__name__ + " takes a DataLoader, a dataset or a generator, not a "):
        function(other)


@test_generators.needs_iterables
@pytest.mark.parametrize(
    "marked, method", [("loader", "fork"), ("dataset", "fork"), ("generator", "fork"), ("generator", "spawn")]
)
def test_an_iterable_dataset_is_reseeded_where_that_is_requested(reseeding, marked, method):
    dataset = Sharing()
    with start_method(method) as options:
        loader = loader_of(dataset, **options)
        workerseed.reseed({"loader": loader, "dataset": dataset, "generator": dataset.generator}[marked])
        assert not is_shared(loader)


@test_generators.needs_iterables
def test_what_is_kept_stays_kept_though_its_loader_is_reseeded(reseeding):
    dataset = Sharing()
    loader = loader_of(dataset)
    workerseed.reseed(loader)
    workerseed.keep(dataset.generator)
    assert is_shared(loader)


def test_what_workers_draw_once_and_keep_needs_its_dataset_to_be_kept(reseeding):
    generator, split = random.Random(1), []

    def draw():
        if not split:  # in each epoch, in each worker's fork
            split.extend(generator.sample(range(1000), 2))
        return split.pop()

    def drawn():
        return distinct(item for _ in range(3) for (item,) in items(dataset))

    dataset = Holding(draw)
    assert drawn() > 2
    workerseed.keep(dataset)
    assert drawn() == 2


@by_function
@pytest.mark.parametrize("kind", MAKERS)
def test_a_mark_keeps_no_generator_alive(function, kind):
    mark = "_workerseed_" + function.__name__
    target = MAKERS[kind](1)
    function(target)
    assert [rng.source_of(marked) for marked in marks.marked(mark)] == [rng.source_of(target)]
    del target
    gc.collect()
    assert marks.marked(mark) == []


class SlottedHolding:
    __slots__ = ("generators",)
    __init__, __len__, __getitem__ = Holding.__init__, Holding.__len__, Holding.__getitem__


@pytest.mark.parametrize("cls", [Holding, SlottedHolding])
def test_a_mark_keeps_no_dataset_alive(cls):
    generator = random.Random(1)
    dataset, alive = cls(generator), weakref.ref(generator)
    workerseed.keep(dataset)
    del dataset, generator
    gc.collect()
    assert (alive(), marks.marked(marks.KEEP)) == (None, [])


def test_to_mark_an_object_again_costs_nothing():
    dataset, generator = Holding(random.Random(1)), torch.Generator()
    for _ in range(2000):
        workerseed.keep(dataset)
        workerseed.keep(generator)
    assert len(marks._references[marks.KEEP]) == 2


def test_marks_of_generators_that_are_gone_do_not_pile_up():
    alive = [torch.Generator() for _ in range(10)]
    for generator in alive:
        workerseed.keep(generator)
    for _ in range(2000):
        workerseed.keep(torch.Generator())
        assert len(marks._references[marks.KEEP]) <= 32
    assert len(marks.marked(marks.KEEP)) == 10


def test_keep_needs_no_option(shim):
    generator = random.Random(1)
    workerseed.keep(generator)
    assert distinct(first_draws(Holding(generator))) == 1


@pytest.mark.parametrize("what", ["generator", "dataset", "loader"])
def test_uninstall_ends_marks(reseeding, what):
    dataset = Holding(random.Random(1))
    loader = loader_of(dataset)
    workerseed.keep({"generator": dataset.generators[0], "dataset": dataset, "loader": loader}[what])
    workerseed.uninstall()
    workerseed.install(["generators"])
    assert distinct(batch[0][0] for batch in list(loader)[:2]) == 2


def test_a_copied_loader_is_kept_too(reseeding):
    loader = loader_of(Holding(random.Random(1)))
    workerseed.keep(loader)
    for copied in (copy.copy(loader), copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))):
        assert distinct(batch[0][0] for batch in list(copied)[:2]) == 1


def test_a_kept_loader_is_kept_in_a_process_that_never_uninstalled(monkeypatch):
    marks.forget_marks()
    loader = loader_of(Holding())
    workerseed.keep(loader)
    monkeypatch.setattr(marks, "_uninstalled", 0)
    assert marks.is_marked(pickle.loads(pickle.dumps(loader)), marks.KEEP)
