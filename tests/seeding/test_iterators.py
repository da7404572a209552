"""Worker iterators in the shapes of public code: their workers draw what those of torch 1.9 draw."""

import functools
import random

import pytest
import torch
import torch.multiprocessing
from support import ITERATOR, ROOT_CLASS, TORCH, Draws, Items, as_list, draw_of_numpy, epoch, expected_draws, init, np
from torch.utils.data import DataLoader

import workerseed

pytestmark = pytest.mark.timeout(120)

NAMES = ("_worker_init_fn", "worker_init_fn")


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


def calls_the_root_class_alone(base):
    class Iterator(OwnLoop, base):
        def __init__(self, loader, state=None):
            ROOT_CLASS.__init__(self, loader)
            self._worker_init_fn = loader.worker_init_fn
            self.start(loader, self._worker_init_fn, base_seed_of(self))

    return Iterator


def calls_torchs_worker_iterator():  # DataLoaderIterSlice
    class Iterator(ITERATOR):
        def __init__(self, tag, loader, *, more):
            self.tag = tag + more
            ITERATOR.__init__(self, loader=loader)

    return functools.partial(Iterator, "tr", more="ain")


def assigns_a_partial_around_it():  # torch 1.12 and later, for data pipes
    class Iterator(OwnLoop, ITERATOR):
        def __init__(self, loader):
            self._worker_init_fn = loader.worker_init_fn
            self._worker_init_fn = functools.partial(share_the_pipe, self._worker_init_fn)
            self.start(loader, self._worker_init_fn, new_base_seed())

    return Iterator


def share_the_pipe(function, worker_id):
    if function is not None:
        function(worker_id)


SHAPES = {
    "calls nothing of torch": calls_nothing_of_torch,
    "calls torch's worker iterator": calls_torchs_worker_iterator,
    "assigns a partial around it": assigns_a_partial_around_it,
}
if TORCH >= (1, 2):  # before that, the root class is the worker iterator
    SHAPES["skips torch's worker iterator"] = lambda: calls_the_root_class_alone(ITERATOR)  # torch_mlu, ODB's
    SHAPES["derives from the root class"] = lambda: calls_the_root_class_alone(ROOT_CLASS)  # torchdata

each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))


def loader_of(iterator, dataset, **options):
    class Loader(DataLoader):
        def __iter__(self):
            return iterator(loader=self)

    return Loader(dataset, num_workers=2, collate_fn=as_list, **options)


@pytest.mark.parametrize("defined", ["before", "after"])
@each_shape
def test_workers_draw_what_torch_1_9_draws(request, shape, defined):
    iterator = shape() if defined == "before" else None
    starts = request.getfixturevalue("starts")
    loader = loader_of(iterator or shape(), Items(lambda index: (draw_of_numpy(), random.random())))
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


def attributes_of_an_iterator(workers):
    iterator = iter(DataLoader(range(2), num_workers=workers))
    attributes = sorted(vars(iterator))
    assert len(list(iterator)) == 2
    return attributes


@pytest.mark.parametrize("workers", [0, 1])
def test_an_iterator_has_the_attributes_of_stock_torch(as_on_stock, workers):
    as_on_stock(attributes_of_an_iterator, workers)


@pytest.mark.parametrize("name", NAMES)
def test_an_iterator_without_workers_has_neither_name_and_returns_the_function_that_it_is_given(patched, name):
    iterator = iter(DataLoader(range(2)))
    assert not hasattr(type(iterator), name)
    assert not hasattr(iterator, name)
    with pytest.raises(AttributeError):
        delattr(iterator, name)
    setattr(iterator, name, init)
    assert getattr(iterator, name) is init
