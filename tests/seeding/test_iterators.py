"""Worker iterators in the shapes of public code: their workers draw what those of torch 1.9 draw."""

import functools
import random

import pytest
import torch
import torch.multiprocessing
from support import ITERATOR, ROOT_CLASS, TORCH, Draws, as_list, epoch, expected_draws, needs_numpy, np
from torch.utils.data import DataLoader

import workerseed

pytestmark = [needs_numpy, pytest.mark.timeout(120)]

NAME = "_worker_init_fn" if TORCH >= (1, 3) else "worker_init_fn"  # where torch's own iterator keeps the function
NAMES = ("_worker_init_fn", "worker_init_fn")


def init(worker_id):
    pass


class OwnLoop:
    """A mixin for iterators: starts worker processes without torch's help, each of which loads its share of batches."""

    def start(self, loader, function, base_seed):
        batches, count = list(loader.batch_sampler), loader.num_workers
        queues = [torch.multiprocessing.Queue() for _ in range(count)]
        for worker_id, queue in enumerate(queues):
            arguments = queue, loader.dataset, batches[worker_id::count], base_seed + worker_id, function, worker_id
            torch.multiprocessing.Process(target=own_loop, args=arguments, daemon=True).start()
        self.batches = (queues[number % count].get() for number in range(len(batches)))

    def __next__(self):
        return next(self.batches)

    def __del__(self):  # torch's own would shut down workers that are not there
        pass


def own_loop(queue, dataset, batches, seed, function, worker_id):
    torch.manual_seed(seed)
    if function is not None:
        function(worker_id)
    for indices in batches:
        queue.put([dataset[index] for index in indices])


def new_base_seed():
    return torch.empty((), dtype=torch.int64).random_().item()


def base_seed_of(iterator):
    return vars(iterator).get("_base_seed", vars(iterator).get("base_seed"))  # the latter in torch 1.2


# The shapes. Each function defines the class, before workerseed is installed or after.


def calls_nothing_of_torch():  # MSDataLoader of EDSR-PyTorch
    class Iterator(OwnLoop, ITERATOR):
        def __init__(self, loader):
            self.worker_init_fn = loader.worker_init_fn
            self.start(loader, self.worker_init_fn, new_base_seed())

    return Iterator


def skips_torchs_worker_iterator():  # torch_mlu, ODB's, ThreadedDataLoaderIter
    class Iterator(OwnLoop, ITERATOR):
        def __init__(self, loader):
            super(ITERATOR, self).__init__(loader)
            self._worker_init_fn = loader.worker_init_fn
            self.start(loader, self._worker_init_fn, base_seed_of(self))

    return Iterator


def derives_from_the_root_class():  # StatefulDataLoader of torchdata
    class Iterator(OwnLoop, ROOT_CLASS):
        def __init__(self, loader, state=None):
            super().__init__(loader)
            self._worker_init_fn = loader.worker_init_fn
            self.start(loader, self._worker_init_fn, base_seed_of(self))

    return Iterator


def calls_torchs_worker_iterator():  # DataLoaderIterSlice
    class Iterator(ITERATOR):
        def __init__(self, tag, loader, *, more):
            self.tag = tag + more
            ITERATOR.__init__(self, loader=loader)

    return functools.partial(Iterator, "tr", more="ain")


def assigns_a_partial_around_it():  # torch 1.12 and later
    class Iterator(OwnLoop, ITERATOR):
        def __init__(self, loader):
            setattr(self, NAME, loader.worker_init_fn)
            setattr(self, NAME, functools.partial(share_the_pipe, getattr(self, NAME), 2))
            self.start(loader, getattr(self, NAME), new_base_seed())

    return Iterator


def share_the_pipe(function, ranks, worker_id):
    assert ranks == 2
    if function is not None:
        function(worker_id)


SHAPES = [calls_nothing_of_torch, calls_torchs_worker_iterator, assigns_a_partial_around_it]
if TORCH >= (1, 2):  # before that, the root class is the worker iterator
    SHAPES += [skips_torchs_worker_iterator, derives_from_the_root_class]

each_shape = pytest.mark.parametrize("shape", SHAPES)


def loader_of(iterator, dataset, **options):
    class Loader(DataLoader):
        def __iter__(self):
            return iterator(loader=self)

    return Loader(dataset, num_workers=2, collate_fn=as_list, **options)


class BothDraws(Draws):
    def __getitem__(self, index):
        return super().__getitem__(index), random.random()


@pytest.mark.parametrize("defined", ["before", "after"])
@each_shape
def test_workers_draw_what_torch_1_9_draws(request, shape, defined):
    iterator = shape() if defined == "before" else None
    starts = request.getfixturevalue("starts")
    loader = loader_of(iterator or shape(), BothDraws())
    for seed in range(2):
        of_numpy, of_random = zip(*(item for batch in epoch(loader, seed) for item in batch))
        assert list(of_numpy) == expected_draws(seed=seed)
        torch.manual_seed(seed)
        base_seed = new_base_seed()
        assert of_random[:2] == tuple(random.Random(base_seed + worker).random() for worker in range(2))
    assert len(starts) == 2


def seed_with_the_id(worker_id):
    np.random.seed(worker_id)


@each_shape
def test_the_users_function_comes_after_the_one_reseeding(starts, shape):
    loader = loader_of(shape(), Draws(2), worker_init_fn=seed_with_the_id)
    drawn = [item for batch in loader for item in batch]
    assert drawn == [np.random.RandomState(seed).randint(0, 2**31 - 1) for seed in range(2)]
    assert loader.worker_init_fn is seed_with_the_id
    assert len(starts) == 1


@each_shape
def test_after_uninstall_an_iterator_is_as_on_stock_torch(shape):
    workerseed.install(["generators"])
    iterator = shape()
    workerseed.uninstall()
    made = iterator(loader=DataLoader(Draws(2), num_workers=1, worker_init_fn=init))
    functions = [vars(made)[name] for name in NAMES if name in vars(made)]
    assert sum(1 for _ in made) == 2
    assert [getattr(function, "args", [function])[0] for function in functions] == [init]


def test_an_iterator_that_reads_the_function_into_a_local_is_not_reached(patched):
    class Iterator(OwnLoop, ITERATOR):
        def __init__(self, loader):
            function = loader.worker_init_fn
            self.start(loader, function, new_base_seed())

    assert len({item for batch in loader_of(Iterator, Draws(2)) for item in batch}) == 1


# The attributes of an iterator


def attributes_of_an_iterator(workers):
    iterator = iter(DataLoader(range(2), num_workers=workers))
    attributes = sorted(vars(iterator))
    assert len(list(iterator)) == 2
    return attributes


@pytest.mark.parametrize("workers", [0, 1])
def test_an_iterator_has_the_attributes_of_stock_torch(as_on_stock, workers):
    as_on_stock(attributes_of_an_iterator, workers)


def found_in_an_iterator(name):
    """What code that looks at an iterator without workers finds there, and how it fails."""
    iterator = iter(DataLoader(range(2)))
    value = hasattr(type(iterator), name), getattr(iterator, name, "default")
    errors = [error_in(action, iterator, name) for action in (getattr, delattr, delattr)]
    return value, errors, getattr(iterator, name, "default")


def error_in(action, *arguments):
    try:
        action(*arguments)
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("name", NAMES)
def test_the_two_names_are_read_and_deleted_as_on_stock_torch(as_on_stock, name):
    assert as_on_stock(found_in_an_iterator, name) == ((False, "default"), [AttributeError] * 3, "default")
