"""Loaders of every kind that ``workerseed check`` has to judge.

Each item is a pair: the worker that loads it and what it drew. So ``truth.py`` can see in the batches whether draws are
repeated.
"""

import argparse
import concurrent.futures
import functools
import importlib
import inspect
import itertools
import multiprocessing
import os
import queue
import random
import signal
import threading
import weakref
from contextvars import ContextVar

import elsewhere
import numpy as np
import torch
from elsewhere import jitter
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, Sampler, get_worker_info
from torch.utils.data.distributed import DistributedSampler

LARGE = 2**31 - 1


def draw_numpy(dataset=None, index=0):
    return int(np.random.randint(LARGE))


def draw_nothing(dataset, index):
    return None


def draw_held(dataset, index):
    """Draws from the generator that the dataset holds."""
    if isinstance(dataset.rng, torch.Generator):
        return torch.randint(LARGE, (), generator=dataset.rng).item()
    if isinstance(dataset.rng, random.Random):
        return dataset.rng.randrange(LARGE)
    return int(getattr(dataset.rng, "integers", getattr(dataset.rng, "randint", None))(LARGE))


def hold(rng):
    get_worker_info().dataset.rng = rng


class Draws(Dataset):
    """Draws by a function of the dataset and the index; it may have further attributes.

    Before its first item in a worker, it calls ``begin``.
    """

    def __init__(self, draw=draw_numpy, length=12, begin=None, **attributes):
        self.draw, self.length, self.begin = draw, length, begin
        vars(self).update(attributes)

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if self.begin is not None:
            self.begin(get_worker_info())
            self.begin = None
        return get_worker_info().id, self.draw(self, index)


class Stream(IterableDataset):
    """The same, iterable-style; it calls ``begin`` in each epoch."""

    def __init__(self, draw=draw_numpy, begin=None, **attributes):
        self.draw, self.begin = draw, begin
        vars(self).update(attributes)

    def __iter__(self):
        if self.begin is not None:
            self.begin(get_worker_info())
        for number in range(6):
            yield get_worker_info().id, self.draw(self, number)


def make(dataset, cls=DataLoader, **options):
    """A function that returns a loader."""
    return functools.partial(cls, dataset, **{"num_workers": 2, "batch_size": 2, "collate_fn": list, **options})


def holds(rng, **options):
    return make(Draws(draw_held, rng=rng), **options)


# What draws: the global generators

plain = make(Draws())
plain_random = make(Draws(lambda dataset, index: random.randrange(LARGE)))
plain_torch = make(Draws(lambda dataset, index: torch.randint(LARGE, ()).item()))
nothing = make(Draws(draw_nothing))
one_worker = make(Draws(), num_workers=1)
one_batch = make(Draws(length=4), num_workers=4)  # two of its workers never load
# Noise on images of different sizes, as COCO and VOC have them
sized = make(Draws(lambda _, index: int(np.random.randint(LARGE, size=300 + 100 * index)[0]), 48), shuffle=True)
# How much it draws from NumPy depends on another source
branches = make(Draws(lambda *_: np.random.randint(LARGE, size=1 + random.randrange(5)).tolist()[0]))
collated = make(Draws(draw_nothing), collate_fn=lambda batch: [(worker, draw_numpy()) for worker, _ in batch])


def restore(dataset, index):
    state = np.random.get_state()
    np.random.rand(index)
    drawn = draw_numpy(dataset, index)
    np.random.set_state(state)
    return drawn


restores = make(Draws(restore))


def seeds_numpy_alone():
    np.random.seed(3)
    return plain()


def seeds_numpy_and_torch():
    torch.manual_seed(3)
    return seeds_numpy_alone()


# Datasets that seed


def draw_by_item(dataset, index):
    np.random.seed(index)
    return draw_numpy(dataset, index)


def draw_and_seed(dataset, index):
    first = draw_numpy(dataset, index)
    np.random.seed(get_worker_info().seed % 2**32)
    return first


lazy_by_number = make(Draws(begin=lambda worker: np.random.seed(worker.id)))
lazy_by_seed = make(Draws(begin=lambda worker: np.random.seed(worker.seed % 2**32)))
lazy_by_system = make(Draws(begin=lambda worker: np.random.seed()))
lazy_by_random = make(Draws(begin=lambda worker: np.random.seed(random.randrange(2**32))))
each_item = make(Draws(draw_by_item))
each_item_shuffled = make(Draws(draw_by_item), shuffle=True)
draws_then_seeds = make(Draws(draw_and_seed, length=4))
lazy_holds = make(
    Draws(draw_held, begin=lambda worker: worker.dataset.rng.seed(worker.seed % 2**32), rng=np.random.RandomState(0))
)
streams_by_number = make(  # of one shared seed
    Draws(draw_held, begin=lambda worker: hold(np.random.RandomState([5, worker.id])))
)


@functools.lru_cache(maxsize=None)
def rng_of(seed):
    return np.random.default_rng(seed)


by_seed = make(Draws(lambda dataset, index: int(rng_of(torch.initial_seed()).integers(LARGE))))


# Where a generator can be

RNG = np.random.RandomState(1)
VARIABLE = ContextVar("rng")
VARIABLE.set(np.random.RandomState(8))
HIDDEN = type("Hidden", (), {"rng": np.random.RandomState(9)})()

holds_random_state = holds(np.random.RandomState(0))
holds_numpy_generator = holds(np.random.default_rng(0))
holds_random = holds(random.Random(0))
holds_torch_generator = holds(torch.Generator().manual_seed(0))
unseeded = holds(np.random.RandomState())
global_variable = make(Draws(lambda dataset, index: int(RNG.randint(LARGE))))
elsewhere_by_function = make(Draws(lambda dataset, index: jitter()))
elsewhere_by_module = make(Draws(lambda dataset, index: int(elsewhere.RNG.randint(LARGE))))
context_variable = make(Draws(lambda dataset, index: int(VARIABLE.get().randint(LARGE))))
weak_reference = make(Draws(lambda dataset, _: int(dataset.ref().rng.randint(LARGE)), ref=weakref.ref(HIDDEN)))
created_and_dropped = make(Draws(lambda dataset, index: int(np.random.default_rng().integers(LARGE))))
operating_system = make(Draws(lambda dataset, index: random.SystemRandom().randrange(LARGE)))


class OfClass(Draws):
    rng = np.random.RandomState(6)


def collate_with(rng, batch):
    return [(worker, rng.randrange(LARGE)) for worker, _ in batch]


of_class = make(OfClass(draw_held))
partial = make(Draws(draw_nothing), collate_fn=functools.partial(collate_with, random.Random(5)))


def closure():
    rng = np.random.RandomState(0)
    return make(Draws(lambda dataset, index: int(rng.randint(LARGE))))()


def draw_behind_import(dataset, index):
    return int(vars(importlib.import_module("elsewhere"))["R" + "NG"].randint(LARGE))


def collate_halves(batch):
    return [(worker, [torch.tensor(drawn % 100).to(torch.bfloat16), drawn]) for worker, drawn in batch]


def draw_from_many(dataset, index):
    return [int(rng.randint(LARGE)) for rng in dataset.rngs]


class Node:
    """Part of a tree whose nodes know their parents."""

    def __init__(self, drawn):
        self.drawn, self.parent = drawn, self

    def __str__(self):
        return str(self.drawn)


trees = make(Draws(lambda dataset, index: Node(draw_numpy())))
behind_import_module = make(Draws(draw_behind_import))
first_bfloat16 = make(Draws(draw_behind_import), collate_fn=collate_halves)
one_each = make(  # one for each worker, all of one seed
    Draws(
        lambda dataset, _: int(dataset.rngs[get_worker_info().id].randint(LARGE)),
        rngs=[np.random.RandomState(0), np.random.RandomState(0)],
    ),
    persistent_workers=True,
)
holds_many = make(Draws(draw_from_many, rngs=[np.random.RandomState(number) for number in range(300)]))


# What is no reason for a verdict

idle = make(Draws(order=np.random.RandomState(5)))  # never drawn from while loading


def own_generator():
    dataset = Draws()
    dataset.loader = make(dataset, shuffle=True, generator=torch.Generator().manual_seed(1))()
    return dataset.loader


def draw_from_order(dataset, index):
    """Makes an order once and keeps it."""
    if dataset.order is None:
        dataset.order = dataset.rng.permutation(2**20)[:12].tolist()
    return dataset.order[index]


order_once = make(Draws(draw_from_order, rng=np.random.RandomState(4), order=None))
kept_order = make(Draws(draw_from_order, rng=np.random, order=None))


# What worker_init_fn does


def init_by_number(worker_id):
    np.random.seed(worker_id)


def init_shuffles(worker_id):
    get_worker_info().dataset.order = np.random.permutation(2**20)[:6].tolist()


seeded_by_number = make(Draws(), worker_init_fn=init_by_number)
seeded_for_nothing = make(Draws(draw_nothing), worker_init_fn=init_by_number)
seeded_by_seed = make(Draws(), worker_init_fn=lambda worker_id: np.random.seed(torch.initial_seed() % 2**32))
seeded_by_system = make(Draws(), worker_init_fn=lambda worker_id: np.random.seed())
seeded_by_state = make(
    Draws(), worker_init_fn=lambda worker_id: np.random.seed(np.random.get_state()[1][0] + worker_id)
)
set_by_state = make(Draws(), worker_init_fn=lambda worker_id: np.random.set_state(RNG.get_state()))
seeds_stored = holds(
    np.random.RandomState(0), worker_init_fn=lambda worker_id: get_worker_info().dataset.rng.seed(worker_id)
)
made_by_init = make(Draws(draw_held), worker_init_fn=lambda worker_id: hold(np.random.RandomState(worker_id)))
makes_anew = holds(
    np.random.RandomState(0), worker_init_fn=lambda worker_id: hold(np.random.RandomState(torch.initial_seed() % 2**32))
)


def init_orders(worker_id):
    dataset = get_worker_info().dataset
    dataset.order = torch.randint(LARGE, (12,), generator=dataset.rng).tolist()


ordered_by_init = make(Draws(draw_from_order, rng=torch.Generator()), worker_init_fn=init_orders)
shuffled_by_init = make(Stream(draw_from_order), worker_init_fn=init_shuffles)


# Iterable datasets


class Shards(Stream):
    """Every worker shuffles one order and takes its share."""

    def __iter__(self):
        worker = get_worker_info()
        order = self.rng.permutation(16).tolist()
        for _ in order[worker.id :: worker.num_workers]:
            yield worker.id, order


iterable = make(Stream())
iterable_holds = make(Stream(draw_held, rng=np.random.RandomState(0)))
shards = make(Shards(rng=np.random.RandomState(0)))
iterable_seeds = make(Stream(begin=lambda worker: np.random.seed(5)))
iterable_seeds_well = make(Stream(begin=lambda worker: np.random.seed(worker.seed % 2**32)))
iterable_draws_nothing = make(Stream(draw_nothing))


# Samplers of distributed jobs


SHARE = DistributedSampler(range(12), 2, 0)

distributed = make(Draws(), sampler=SHARE)
ranked_in_batch_sampler = make(Draws(), batch_size=1, batch_sampler=BatchSampler(SHARE, 2, False))


# How workers start, and loaders of other classes

spawned = make(Draws(), multiprocessing_context="spawn")
persistent = make(Draws(), persistent_workers=True)
persistent_holds = holds(random.Random(0), persistent_workers=True)
persistent_seeded = make(Draws(), persistent_workers=True, worker_init_fn=init_by_number)


def served(dataset):
    multiprocessing.set_forkserver_preload(["torch"])  # once, and not in each worker
    return make(dataset, multiprocessing_context="forkserver")()


def served_holds():
    return served(Draws(draw_held, rng=random.Random(0)))


def served_few():
    """Fewer batches than workers."""
    return served(Draws(length=2))


class MultiEpochs(DataLoader):
    """Workers that run on from epoch to epoch, as timm's MultiEpochsDataLoader has them."""

    def __init__(self, *args, **kwargs):
        DataLoader.__init__(self, *args, **kwargs)
        self.length = len(self.batch_sampler)
        vars(self)["batch_sampler"] = itertools.cycle(self.batch_sampler)
        self.iterator = DataLoader.__iter__(self)

    def __len__(self):
        return self.length

    def __iter__(self):
        return itertools.islice(self.iterator, self.length)


class OwnIter(DataLoader):
    def __iter__(self):
        yield from DataLoader.__iter__(self)


class OwnAttribute(torch.utils.data.dataloader._MultiProcessingDataLoaderIter):
    """An iterator that takes ``worker_init_fn`` where workerseed does not see it, as with a local variable."""

    _worker_init_fn = property(lambda self: vars(self)["taken"], lambda self, value: vars(self).update(taken=value))


class OwnIterator(DataLoader):
    def __iter__(self):
        return OwnAttribute(self)


class OwnLoop(torch.utils.data.dataloader._MultiProcessingDataLoaderIter):
    """Calls nothing of torch, as the iterator of EDSR-PyTorch; its worker loop adds an item to each batch."""

    def __init__(self, loader):
        self.worker_init_fn = loader.worker_init_fn
        batches, seed, count = list(loader.batch_sampler), torch.randint(LARGE, ()).item(), loader.num_workers
        queues = [multiprocessing.Queue() for _ in range(count)]
        for number, batch_queue in enumerate(queues):
            arguments = batch_queue, loader, batches[number::count], seed + number, self.worker_init_fn, number
            multiprocessing.Process(target=own_loop, args=arguments, daemon=True).start()
        self.batches = (queues[number % count].get() for number in range(len(batches)))

    def __next__(self):
        return next(self.batches)

    def __del__(self):  # torch's own would shut down workers that are not there
        pass


def own_loop(batch_queue, loader, batches, seed, function, number):
    torch.utils.data._utils.worker._worker_info = argparse.Namespace(id=number, dataset=loader.dataset)
    torch.manual_seed(seed)
    if function is not None:
        function(number)
    for indices in batches:
        batch = loader.collate_fn([loader.dataset[index] for index in indices])
        batch_queue.put([*batch, (number, torch.randint(LARGE, ()).item())])


class OwnLoopLoader(DataLoader):
    def __iter__(self):
        return OwnLoop(self)


class Zipped(DataLoader):
    """Iterates another loader beside itself."""

    def __iter__(self):
        others = DataLoader(range(12), batch_size=None, num_workers=1)
        for batch, _ in zip(DataLoader.__iter__(self), others):
            yield batch


class DrawsOrder(Sampler):
    """Draws in the parent, as an epoch starts."""

    def __init__(self):
        pass

    def __iter__(self):
        order = np.random.permutation(12).tolist()
        random.shuffle(order)
        return iter(order)


class Prefetches(DataLoader):
    """A thread takes the batches and works on them."""

    def __iter__(self):
        ready = queue.Queue(2)
        threading.Thread(target=self.fill, args=(ready, DataLoader.__iter__(self)), daemon=True).start()
        return iter(ready.get, None)

    def fill(self, ready, batches):
        for batch in batches:
            ready.put([(worker, drawn) for worker, drawn in batch])
        ready.put(None)


class SeedsTorch(DataLoader):
    def __iter__(self):
        torch.manual_seed(3)
        return DataLoader.__iter__(self)


class CountsEpochs(DataLoader):
    """Its dataset knows the epoch."""

    def __iter__(self):
        self.dataset.epoch += 1
        return DataLoader.__iter__(self)


def init_by_epoch(worker_id):
    np.random.seed(10 + get_worker_info().dataset.epoch + worker_id)


multi_epochs = make(Draws(), MultiEpochs)
own_iter = make(Draws(), OwnIter)
own_iterator = make(Draws(), OwnIterator)
zipped = make(Draws(), Zipped)
prefetches = make(Draws(), Prefetches)
sampler_draws = make(Draws(), sampler=DrawsOrder(), num_workers=1)
own_loop_of_workers = make(Draws(), OwnLoopLoader)
seeds_torch_in_each_epoch = make(Draws(), SeedsTorch)
later = make(Draws(lambda dataset, _: draw_numpy() if dataset.epoch else None, epoch=-1), CountsEpochs)
seed_epoch_worker = make(Draws(epoch=-1), CountsEpochs, worker_init_fn=init_by_epoch)


class Prepared:
    """Around a loader, as Accelerate's ``prepare`` returns it."""

    def __init__(self, loader):
        self.base_dataloader = loader

    def __getattr__(self, name):
        return getattr(self.base_dataloader, name)

    def __iter__(self):
        yield from self.base_dataloader


def prepared():
    return Prepared(plain())


# Those that have a verdict and a truth: all above, but two that it cannot tell of


def is_loader(value):
    if isinstance(value, functools.partial):
        return True
    return inspect.isfunction(value) and value.__module__ == __name__ and not inspect.signature(value).parameters


OTHERS = ["iterable_seeds_well", "iterable_draws_nothing"]
JUDGED = [name for name, value in vars().items() if name not in OTHERS and is_loader(value)]


# What programs do with workerseed


def imports_workerseed():
    import workerseed  # noqa: F401

    return plain()


def kept():
    import workerseed

    loader = holds_random()
    workerseed.keep(loader)
    return loader


def iterable_reseeded():
    import workerseed

    loader = iterable_holds()
    workerseed.reseed(loader)
    return loader


# Those that cannot be judged


class Threads(DataLoader):
    def __iter__(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            yield from pool.map(lambda i: [(0, draw_numpy(self, i))], range(4))


def fail(*_):
    raise KeyError("not today")


class OwnSampler(DataLoader):
    _index_sampler = ([0],) * 12


threads = make(Draws(), Threads)
own_sampler = make(Draws(), OwnSampler)
no_workers = make(list(range(4)), num_workers=0)
empty = make(Draws(length=0), sampler=[])
dies = make(Draws(), worker_init_fn=lambda worker_id: os.kill(os.getpid(), signal.SIGKILL))
unpicklable = make(Draws(lambda dataset, index: 0), multiprocessing_context="spawn")
unsendable = make(Draws(lambda dataset, index: lambda: index))  # torch itself would wait for its batches for ever
broken = make(Draws(fail))
broken_init = make(Draws(), worker_init_fn=fail)


def exits():
    raise SystemExit(3)


def returns_none():
    pass


def returns_dict():
    return {"train": plain(), "val": plain()}
