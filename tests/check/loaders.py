"""Loaders of every kind that ``workerseed check`` has to judge.

Each item is a pair: the worker that loads it and what it drew. So ``truth.py`` can see in the batches whether draws are
repeated.
"""

import concurrent.futures
import functools
import importlib
import inspect
import multiprocessing
import os
import random
import signal
import weakref

import elsewhere
import numpy as np
import torch
from elsewhere import jitter
from torch.utils.data import BatchSampler, Dataset, IterableDataset, Sampler, SequentialSampler, get_worker_info
from torch.utils.data import DataLoader as TorchDataLoader
from torch.utils.data.distributed import DistributedSampler

try:
    from contextvars import ContextVar
except ImportError:  # Python 3.6
    ContextVar = None

LARGE = 2**31 - 1
RNG = np.random.RandomState(1)
COMPREHENDED = np.random.RandomState(2)
INNER = np.random.RandomState(3)
STATIC = np.random.RandomState(4)
PROPERTY = np.random.RandomState(5)

DataLoader = functools.partial(TorchDataLoader, num_workers=2, batch_size=2, collate_fn=list)


def make(*args, **options):
    """A function that returns this loader."""
    return functools.partial(DataLoader, *args, **options)


class Draws(Dataset):
    """Draws from ``np.random``, or as a subclass or a function says."""

    def __init__(self, draw=None, length=12):
        self.draw_one = draw
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return get_worker_info().id, self.draw(index)

    def draw(self, index):
        return int(np.random.randint(LARGE)) if self.draw_one is None else self.draw_one()


class Holds(Draws):
    """Draws from a generator that it holds."""

    def __init__(self, rng):
        Draws.__init__(self)
        self.rng = rng

    def draw(self, index):
        if isinstance(self.rng, torch.Generator):
            return torch.randint(LARGE, (), generator=self.rng).item()
        if isinstance(self.rng, random.Random):
            return self.rng.randrange(LARGE)
        return int(getattr(self.rng, "integers", getattr(self.rng, "randint", None))(LARGE))


# What draws: the global generators

plain = make(Draws())
plain_random = make(Draws(lambda: random.randrange(LARGE)))
plain_torch = make(Draws(lambda: torch.randint(LARGE, ()).item()))
nothing = make(Draws(lambda: None))
one_worker = make(Draws(), num_workers=1)


def one_batch():
    """Two of its four workers never load."""
    return DataLoader(Draws(length=4), num_workers=4)


class Variable(Draws):
    """The number of draws depends on the item, so states differ after the first batch though draws are repeated."""

    def draw(self, index):
        return [int(number) for number in np.random.randint(LARGE, size=3 + 700 * index)]


variable = make(Variable())


def drawing_collate(batch):
    return [(worker, int(np.random.randint(LARGE))) for worker, _ in batch]


collated = make(Draws(lambda: None), collate_fn=drawing_collate)


def seeds_numpy_alone():
    np.random.seed(3)
    return DataLoader(Draws())


def seeds_numpy_and_torch():
    torch.manual_seed(3)
    return seeds_numpy_alone()


# Datasets that seed


class Lazy(Draws):
    seeded = False

    def draw(self, index):
        if not self.seeded:
            self.seed(get_worker_info())
            self.seeded = True
        return Draws.draw(self, index)


class LazyByNumber(Lazy):
    def seed(self, worker):
        np.random.seed(worker.id)


class LazyBySeed(Lazy):
    def seed(self, worker):
        np.random.seed(worker.seed % 2**32)


class LazyBySystem(Lazy):
    def seed(self, worker):
        np.random.seed()


class EachItem(Draws):
    def draw(self, index):
        np.random.seed(index)
        return Draws.draw(self, index)


class LazyHolds(Holds):
    seeded = False

    def draw(self, index):
        if not self.seeded:
            self.rng.seed(get_worker_info().seed % 2**32)
            self.seeded = True
        return Holds.draw(self, index)


class LazyMakes(Lazy):
    def seed(self, worker):
        self.rng = np.random.RandomState(7)

    def draw(self, index):
        Lazy.draw(self, index)
        return int(self.rng.randint(LARGE))


lazy_by_number = make(LazyByNumber())
lazy_by_seed = make(LazyBySeed())
lazy_by_system = make(LazyBySystem())
each_item = make(EachItem())
lazy_holds = make(LazyHolds(np.random.RandomState(0)))
lazy_makes = make(LazyMakes())


# Where a generator can be

holds_random_state = make(Holds(np.random.RandomState(0)))
holds_numpy_generator = make(Holds(np.random.default_rng(0)))
holds_random = make(Holds(random.Random(0)))
holds_torch_generator = make(Holds(torch.Generator().manual_seed(0)))
unseeded = make(Holds(np.random.RandomState()))
global_variable = make(Draws(lambda: int(RNG.randint(LARGE))))


class Elsewhere(Draws):
    def draw(self, index):
        return jitter()


class ElsewhereByModule(Draws):
    def draw(self, index):
        return int(elsewhere.RNG.randint(LARGE))


class Comprehends(Draws):
    def draw(self, index):
        return [int(COMPREHENDED.randint(LARGE)) for _ in range(2)]


class Inner(Draws):
    def draw(self, index):
        def draw():
            return int(INNER.randint(LARGE))

        return draw()


class Static(Draws):
    @staticmethod
    def draw(index):
        return int(STATIC.randint(LARGE))


class Property(Draws):
    @property
    def number(self):
        return int(PROPERTY.randint(LARGE))

    def draw(self, index):
        return self.number


class OfClass(Draws):
    rng = np.random.RandomState(6)

    def draw(self, index):
        return int(self.rng.randint(LARGE))


elsewhere_by_function = make(Elsewhere())
elsewhere_by_module = make(ElsewhereByModule())
comprehension = make(Comprehends())
inner_function = make(Inner())
static_method = make(Static())
of_property = make(Property())
of_class = make(OfClass())


def closure():
    rng = np.random.RandomState(0)
    return DataLoader(Draws(lambda: int(rng.randint(LARGE))))


def collate_with(rng, batch):
    return [(worker, rng.randrange(LARGE)) for worker, _ in batch]


partial = make(Draws(lambda: None), collate_fn=functools.partial(collate_with, random.Random(5)))


# What is no reason for a verdict


class Idle(Draws):
    def __init__(self):
        Draws.__init__(self)
        self.order = np.random.RandomState(5)  # never drawn from while loading


idle = make(Idle())


class KnowsLoader(Draws):
    def draw(self, index):
        assert self.loader is not None
        return Draws.draw(self, index)


def own_generator():
    dataset = KnowsLoader()
    dataset.loader = DataLoader(dataset, shuffle=True, generator=torch.Generator().manual_seed(1))
    return dataset.loader


class AnswersEverything:
    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self


def answers_everything():
    dataset = Draws()
    dataset.config = AnswersEverything()
    return DataLoader(dataset)


class Raises:
    __slots__ = ["unset"]

    def __eq__(self, other):
        raise RuntimeError("not comparable")

    __hash__ = None

    @property
    def refuses(self):
        raise RuntimeError("refused")


def raises_everywhere():
    dataset = Draws()
    dataset.config = Raises()
    return DataLoader(dataset)


# What worker_init_fn does


def init_by_number(worker_id):
    np.random.seed(worker_id)


def init_by_seed(worker_id):
    np.random.seed(torch.initial_seed() % 2**32)


def init_by_system(worker_id):
    np.random.seed()


def init_by_state(worker_id):
    np.random.seed(np.random.get_state()[1][0] + worker_id)


def init_makes_anew(worker_id):
    get_worker_info().dataset.rng = np.random.RandomState(torch.initial_seed() % 2**32)


seeded_by_number = make(Draws(), worker_init_fn=init_by_number)
seeded_by_seed = make(Draws(), worker_init_fn=init_by_seed)
seeded_by_system = make(Draws(), worker_init_fn=init_by_system)
seeded_by_state = make(Draws(), worker_init_fn=init_by_state)
makes_anew = make(Holds(np.random.RandomState(0)), worker_init_fn=init_makes_anew)


# Iterable datasets


class Stream(IterableDataset):
    def __iter__(self):
        for _ in range(6):
            yield get_worker_info().id, int(np.random.randint(LARGE))


class Shards(IterableDataset):
    """Every worker shuffles one order and takes its share."""

    def __init__(self):
        self.rng = np.random.RandomState(0)

    def __iter__(self):
        worker = get_worker_info()
        order = self.rng.permutation(16).tolist()
        for _ in order[worker.id :: worker.num_workers]:
            yield worker.id, order


class HoldingStream(IterableDataset):
    def __init__(self):
        self.rng = np.random.RandomState(0)

    def __iter__(self):
        for _ in range(6):
            yield get_worker_info().id, int(self.rng.randint(LARGE))


iterable_holds = make(HoldingStream())


def iterable_reseeded():
    import workerseed

    loader = DataLoader(HoldingStream())
    workerseed.reseed(loader)
    return loader


iterable = make(Stream())
shards = make(Shards())


# Samplers of distributed jobs


class Ranked(Sampler):
    def __init__(self):
        self.num_replicas, self.rank = 2, 0

    def __len__(self):
        return 6

    def __iter__(self):
        return iter(range(0, 12, 2))


def distributed():
    dataset = Draws()
    return DataLoader(dataset, sampler=DistributedSampler(dataset, 2, 0))


def ranked_in_batch_sampler():
    sampler = BatchSampler(Ranked(), 2, False)
    return TorchDataLoader(Draws(), num_workers=2, batch_sampler=sampler, collate_fn=list)


# How workers start, and loaders of other classes

spawned = make(Draws(), multiprocessing_context="spawn")


def served_holds():
    multiprocessing.set_forkserver_preload(["torch"])  # once, and not in each worker
    return DataLoader(Holds(random.Random(0)), multiprocessing_context="forkserver")


persistent = make(Draws(), persistent_workers=True)
persistent_one_worker = make(Draws(), num_workers=1, persistent_workers=True)


class RepeatSampler:
    def __init__(self, sampler):
        self.sampler = sampler

    def __iter__(self):
        while True:
            yield from iter(self.sampler)


class MultiEpochs(TorchDataLoader):
    """Workers that run on from epoch to epoch, as timm's MultiEpochsDataLoader has them."""

    def __init__(self, *args, **kwargs):
        TorchDataLoader.__init__(self, *args, **kwargs)
        self._DataLoader__initialized = False
        self.batch_sampler = RepeatSampler(self.batch_sampler)
        self._DataLoader__initialized = True
        self.iterator = TorchDataLoader.__iter__(self)

    def __len__(self):
        return len(self.batch_sampler.sampler)

    def __iter__(self):
        for _ in range(len(self)):
            yield next(self.iterator)


def multi_epochs():
    return MultiEpochs(Draws(), num_workers=2, batch_size=2, collate_fn=list)


class OwnIter(TorchDataLoader):
    def __iter__(self):
        for batch in TorchDataLoader.__iter__(self):
            yield list(batch)


def own_iter():
    return OwnIter(Draws(), num_workers=2, batch_size=2, collate_fn=list)


class Prepared:
    """Around a loader, as Accelerate's ``prepare`` returns it."""

    def __init__(self, loader):
        self.base_dataloader = loader

    def __getattr__(self, name):
        return getattr(self.base_dataloader, name)

    def __iter__(self):
        yield from self.base_dataloader


def prepared():
    return Prepared(DataLoader(Draws()))


class OwnAttribute(torch.utils.data.dataloader._MultiProcessingDataLoaderIter):
    """An iterator that takes ``worker_init_fn`` where workerseed does not see it, as with a local variable."""

    _worker_init_fn = property(lambda self: vars(self)["taken"], lambda self, value: vars(self).update(taken=value))


class OwnIterator(TorchDataLoader):
    def __iter__(self):
        return OwnAttribute(self)


def own_iterator():
    return OwnIterator(Draws(), num_workers=2, batch_size=2, collate_fn=list)


# What programs do with workerseed


def imports_workerseed():
    import workerseed  # noqa: F401

    return DataLoader(Draws())


def installs_generators():
    import workerseed

    workerseed.install(["generators"])
    return holds_random()


def uninstalls():
    import workerseed

    workerseed.uninstall()
    return DataLoader(Draws())


def kept():
    import workerseed

    loader = holds_random()
    workerseed.keep(loader)
    return loader


def seeds_stored():
    dataset = Holds(np.random.RandomState(0))
    return DataLoader(dataset, worker_init_fn=lambda worker_id: dataset.rng.seed(worker_id))


# What the second edition said wrong things about


class Sized(Draws):
    """Noise on images of different sizes, as COCO and VOC have them."""

    def draw(self, index):
        return int(np.random.randint(LARGE, size=300 + 100 * index)[0])


sized = make(Sized(length=48), shuffle=True)


class Order(IterableDataset):
    def __iter__(self):
        return iter([(get_worker_info().id, number) for number in self.order])


def init_shuffles(worker_id):
    get_worker_info().dataset.order = np.random.permutation(2**20)[:6].tolist()


shuffled_by_init = make(Order(), worker_init_fn=init_shuffles)


class OwnEpochs(TorchDataLoader):
    """Counts its epochs; a subclass of its dataset may know."""

    def __iter__(self):
        self.dataset.epoch = getattr(self.dataset, "epoch", -1) + 1
        return TorchDataLoader.__iter__(self)


def own_epochs(dataset, **options):
    return OwnEpochs(dataset, num_workers=2, batch_size=2, collate_fn=list, **options)


class Later(Draws):
    """Augments from the second epoch on."""

    def draw(self, index):
        return Draws.draw(self, index) if self.epoch else None


class Earlier(Draws):
    """Augments in the first epoch."""

    def draw(self, index):
        return None if self.epoch else Draws.draw(self, index)


def later():
    return own_epochs(Later())


def earlier():
    return own_epochs(Earlier())


def seed_epoch_worker():
    dataset = Draws()
    return own_epochs(dataset, worker_init_fn=lambda worker_id: np.random.seed(10 + dataset.epoch + worker_id))


class SeedsTorch(TorchDataLoader):
    def __iter__(self):
        torch.manual_seed(3)
        return TorchDataLoader.__iter__(self)


def seeds_torch_in_each_epoch():
    return SeedsTorch(Draws(), num_workers=2, batch_size=2, collate_fn=list)


class Restores(Draws):
    def draw(self, index):
        state = np.random.get_state()
        np.random.rand(index)
        drawn = Draws.draw(self, index)
        np.random.set_state(state)
        return drawn


restores = make(Restores())


VARIABLE = ContextVar and ContextVar("rng", default=np.random.RandomState(8))
HIDDEN = type("Hidden", (), {"rng": np.random.RandomState(9)})()

context_variable = make(Draws(lambda: int(VARIABLE.get().randint(LARGE))))
behind_import_module = make(Draws(lambda: int(vars(importlib.import_module("elsewhere"))["R" + "NG"].randint(LARGE))))


class Weak(Draws):
    def __init__(self):
        Draws.__init__(self)
        self.hidden = weakref.ref(HIDDEN)

    def draw(self, index):
        return int(self.hidden().rng.randint(LARGE))


weak_reference = make(Weak())
each_item_shuffled = make(EachItem(), shuffle=True)


class DrawsThenSeedsItems(Draws):
    def draw(self, index):
        first = Draws.draw(self, index)
        np.random.seed(get_worker_info().seed % 2**32)
        return first


draws_then_seeds = make(DrawsThenSeedsItems(length=4))


class ByNumber(Lazy):
    """Streams by worker id from one shared seed."""

    def seed(self, worker):
        self.rng = np.random.RandomState([5, worker.id])

    def draw(self, index):
        Lazy.draw(self, index)
        return int(self.rng.randint(LARGE))


streams_by_number = make(ByNumber())


class Branches(Draws):
    """How much it draws from NumPy depends on another source."""

    def draw(self, index):
        return [int(number) for number in np.random.randint(LARGE, size=1 + random.randrange(5))][0]  # noqa: RUF015


branches = make(Branches())


class SeedsByRandom(Lazy):
    def seed(self, worker):
        np.random.seed(random.randrange(2**32))


lazy_by_random = make(SeedsByRandom())


class SeedingStream(IterableDataset):
    def __iter__(self):
        np.random.seed(5)
        for _ in range(6):
            yield get_worker_info().id, int(np.random.randint(LARGE))


class SeededStream(IterableDataset):
    def __iter__(self):
        np.random.seed(get_worker_info().seed % 2**32)
        for _ in range(6):
            yield get_worker_info().id, int(np.random.randint(LARGE))


iterable_seeds = make(SeedingStream())
iterable_seeds_well = make(SeededStream())


class PlainStream(IterableDataset):
    def __iter__(self):
        return iter([(get_worker_info().id, None)] * 4)


iterable_draws_nothing = make(PlainStream())


def halves(batch):
    return [(worker, torch.tensor(drawn % 100).to(torch.bfloat16)) for worker, drawn in batch]


class Halves(Draws):
    def draw(self, index):
        return int(vars(importlib.import_module("elsewhere"))["R" + "NG"].randint(LARGE))


def first_bfloat16():
    return DataLoader(
        Halves(), collate_fn=lambda batch: [(w, [str(h), d]) for (w, d), (_, h) in zip(batch, halves(batch))]
    )


def holds_many():
    dataset = Draws()
    dataset.rngs = [np.random.RandomState(number) for number in range(300)]
    dataset.draw_one = lambda: [int(rng.randint(LARGE)) for rng in dataset.rngs]
    return DataLoader(dataset)


class MadeLater(Lazy):
    def seed(self, worker):
        pass

    def draw(self, index):
        return int(self.rng.randint(LARGE))


def init_makes_alike(worker_id):
    get_worker_info().dataset.rng = np.random.RandomState(worker_id)


made_by_init = make(MadeLater(), worker_init_fn=init_makes_alike)


class OrderOnce(Draws):
    """Makes an order once and keeps it."""

    def __init__(self):
        Draws.__init__(self)
        self.rng, self.order = np.random.RandomState(4), None

    def draw(self, index):
        if self.order is None:
            self.order = self.rng.permutation(1000).tolist()
        return self.order[index]


order_once = make(OrderOnce())
persistent_holds = make(Holds(random.Random(0)), persistent_workers=True)
persistent_seeded = make(Draws(), persistent_workers=True, worker_init_fn=init_by_number)


def served_few():
    multiprocessing.set_forkserver_preload(["torch"])
    return DataLoader(Draws(length=2), num_workers=2, batch_size=2, multiprocessing_context="forkserver")


def created_and_dropped():
    """Creates a generator for each item."""
    return DataLoader(Draws(lambda: int(np.random.default_rng().integers(LARGE))))


operating_system = make(Draws(lambda: random.SystemRandom().randrange(LARGE)))


# Those that have a verdict and a truth: all above, without those that change what workerseed does and two unknown ones

OTHERS = ["imports_workerseed", "installs_generators", "uninstalls", "kept", "iterable_reseeded", "iterable_seeds_well"]
OTHERS += ["iterable_draws_nothing"] + ["context_variable"] * (ContextVar is None)


def is_loader(value):
    if isinstance(value, functools.partial):
        return value.args != ()
    return inspect.isfunction(value) and value.__module__ == __name__ and not inspect.signature(value).parameters


JUDGED = [name for name, value in vars().items() if name not in OTHERS and is_loader(value)]


# Those that cannot be judged


class Foreign:
    num_workers = 2
    dataset = collate_fn = worker_init_fn = None

    def __iter__(self):
        return iter([[(0, 1)], [(1, 2)]])


Foreign.__name__ = "DataLoader"


def foreign():
    return Foreign()


class Threads(TorchDataLoader):
    def __iter__(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            yield from pool.map(lambda i: [(0, int(np.random.randint(LARGE)))], range(4))


def threads():
    return Threads(Draws(), num_workers=2)


def draw_in_process(index):
    return [(index % 2, int(np.random.randint(LARGE)))]


class Processes(TorchDataLoader):
    def __iter__(self):
        with multiprocessing.Pool(2) as pool:
            yield from pool.map(draw_in_process, range(4))


def processes():
    return Processes(Draws(), num_workers=2)


def no_workers():
    return TorchDataLoader(list(range(4)), num_workers=0)


def empty():
    return DataLoader(Draws(length=0), sampler=SequentialSampler([]))


def killed(worker_id):
    os.kill(os.getpid(), signal.SIGKILL)


def dies():
    return DataLoader(Draws(), worker_init_fn=killed)


def unpicklable():
    return DataLoader(Draws(lambda: 0), multiprocessing_context="spawn")


class Broken(Draws):
    def draw(self, index):
        raise ValueError("no such image")


def broken():
    return DataLoader(Broken())


def init_broken(worker_id):
    raise KeyError("not today")


def broken_init():
    return DataLoader(Draws(), worker_init_fn=init_broken)


def exits():
    raise SystemExit(3)


def returns_none():
    pass


def returns_dict():
    return {"train": plain(), "val": plain()}
