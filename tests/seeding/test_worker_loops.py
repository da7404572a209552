"""Worker loops of other people are seeded, too: subclasses of torch's worker iterator with processes of their own."""

import copy
import pickle
import random

import pytest
import torch
import torch.multiprocessing
from support import ITERATOR, TORCH, Draws, as_list, draws, expected_draws, needs_numpy, np, only_legacy
from torch.utils.data import DataLoader

import workerseed

pytestmark = needs_numpy

WORKERS = 3
EPOCHS = 3

# What such loops seed themselves, as torch's own of their time did: EDSR-PyTorch's of 2018 and of 2019.
SEEDS_TORCH = (torch.manual_seed,)
SEEDS_TORCH_AND_RANDOM = (torch.manual_seed, random.seed)

each_seeding = pytest.mark.parametrize(
    "seeders", [SEEDS_TORCH, SEEDS_TORCH_AND_RANDOM], ids=["torch", "torch and random"]
)


class Numbers(Draws):
    """Each item is a draw of np.random and one of random, in the worker that loads it."""

    def __getitem__(self, index):
        return int(np.random.randint(0, 2**31 - 1)), random.random()


class OwnLoader(DataLoader):
    seeders = SEEDS_TORCH_AND_RANDOM

    def __init__(self, dataset, **options):
        # A tensor would be shared by file descriptor: its worker would have to outlive the reading of it.
        super().__init__(dataset, collate_fn=as_list, **options)

    def __iter__(self):
        return OwnIterator(self)


class OwnIterator(ITERATOR):
    """Calls nothing of torch's: reads the loader, starts workers of its own and asks them in turn."""

    def __init__(self, loader):
        function = loader.worker_init_fn
        base_seed = torch.empty((), dtype=torch.int64).random_().item()
        self.pending = []
        self.workers = []
        questions, self.answers = [], []
        for worker_id in range(loader.num_workers):
            questions.append(torch.multiprocessing.Queue())
            self.answers.append(torch.multiprocessing.Queue())
            queues = questions[-1], self.answers[-1]
            arguments = (*queues, loader.dataset, loader.collate_fn, loader.seeders, base_seed + worker_id)
            worker = torch.multiprocessing.Process(target=own_loop, args=(*arguments, function, worker_id), daemon=True)
            worker.start()
            self.workers.append(worker)
        for number, indices in enumerate(loader.batch_sampler):
            questions[number % loader.num_workers].put(indices)
            self.pending.append(number % loader.num_workers)
        for question in questions:
            question.put(None)

    def __next__(self):
        if not self.pending:
            for worker in self.workers:
                worker.join()
            raise StopIteration
        return self.answers[self.pending.pop(0)].get()

    def __del__(self):  # torch's own would shut down workers that are not there
        pass


def own_loop(questions, answers, dataset, collate_fn, seeders, seed, function, worker_id):
    for seeder in seeders:
        seeder(seed)
    if function is not None:
        function(worker_id)
    for indices in iter(questions.get, None):
        answers.put(collate_fn([dataset[index] for index in indices]))


def numbers(seeders):
    """What np.random draws in every worker and epoch, one after the other, and what random draws; the base seeds."""
    loader = OwnLoader(Numbers(WORKERS), num_workers=WORKERS)
    loader.seeders = seeders
    torch.manual_seed(0)
    np.random.seed(0)
    items = [item for _ in range(EPOCHS) for batch in loader for item in batch]
    torch.manual_seed(0)
    base_seeds = [torch.empty((), dtype=torch.int64).random_().item() for _ in range(EPOCHS)]
    return [numpy for numpy, _ in items], [draw for _, draw in items], base_seeds


@only_legacy
@each_seeding
def test_np_random_is_seeded_in_every_worker_and_epoch_with_the_words_of_torch_1_9(shim, seeders):
    drawn, _, base_seeds = numbers(seeders)
    words = [workerseed.numpy_seed(base_seed, worker) for base_seed in base_seeds for worker in range(WORKERS)]
    assert drawn == [np.random.RandomState(seed).randint(0, 2**31 - 1) for seed in words]
    assert len(set(drawn)) == WORKERS * EPOCHS


@only_legacy
@each_seeding
def test_random_is_seeded_in_every_worker_and_epoch_as_in_a_worker_of_torch(shim, seeders):
    _, drawn, base_seeds = numbers(seeders)
    seeds = [base_seed + worker for base_seed in base_seeds for worker in range(WORKERS)]
    assert drawn == [random.Random(seed).random() for seed in seeds]
    assert len(set(drawn)) == WORKERS * EPOCHS


@each_seeding
def test_without_the_shim_np_random_draws_the_same_in_every_worker_and_epoch(seeders):
    assert len(set(numbers(seeders)[0])) == 1


def test_without_the_shim_random_differs_from_run_to_run_where_the_loop_does_not_seed_it():
    # Python itself seeds it anew, from the operating system, in a process that multiprocessing forks.
    assert numbers(SEEDS_TORCH)[1] != numbers(SEEDS_TORCH)[1]


def init(worker_id):
    pass


def seed_by_worker(worker_id):
    np.random.seed(worker_id)


@only_legacy
def test_the_function_of_the_user_comes_after_the_seeding(shim):
    loader = OwnLoader(Draws(2), num_workers=2, worker_init_fn=seed_by_worker)
    assert loader.worker_init_fn is seed_by_worker
    assert draws(loader) == [np.random.RandomState(seed).randint(0, 2**31 - 1) for seed in (0, 1)]


@only_legacy
def test_a_function_assigned_later_comes_after_the_seeding(shim):
    loader = OwnLoader(Draws(2), num_workers=2, worker_init_fn=seed_by_worker)
    loader.worker_init_fn = init
    assert draws(loader) == expected_draws(length=2)


@only_legacy
def test_a_loader_built_before_is_seeded():
    loader = OwnLoader(Draws(), num_workers=2)
    workerseed.install()
    try:
        assert draws(loader) == expected_draws()
    finally:
        workerseed.uninstall()


@only_legacy
def test_an_iterator_defined_after_the_activation_is_seeded(shim):
    class Later(ITERATOR):
        def __init__(self, loader):
            OwnIterator.__init__(self, loader=loader)

        __next__ = OwnIterator.__next__
        __del__ = OwnIterator.__del__

    class Loader(OwnLoader):
        def __iter__(self):
            return Later(loader=self)

    assert draws(Loader(Draws(), num_workers=2)) == expected_draws()


@pytest.mark.skipif(TORCH < (1, 2), reason="shown with the iterator of torch 1.2 and later")
def test_an_iterator_that_calls_the_one_of_torch_is_seeded_once(shim):
    class Iterator(ITERATOR):
        def __init__(self, loader):
            super().__init__(loader)

    class Loader(DataLoader):
        def __iter__(self):
            return Iterator(self)

    assert draws(Loader(Draws(), num_workers=2)) == expected_draws()


class KeepingIterator(ITERATOR):
    """Keeps the loader itself."""

    def __init__(self, loader):
        self.loader = loader
        self.function = loader.worker_init_fn

    def __del__(self):
        pass


def test_an_iterator_is_stock_again_after_uninstall():
    workerseed.install()
    workerseed.uninstall()
    loader = DataLoader(Draws(), worker_init_fn=init)
    iterator = KeepingIterator(loader)
    assert iterator.function is init
    assert iterator.loader is loader


def pickled(loader):
    return pickle.loads(pickle.dumps(loader))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_what_an_iterator_keeps_of_the_loader_can_be_duplicated(shim, duplicate):
    kept = KeepingIterator(DataLoader(Draws(), worker_init_fn=init)).loader
    assert type(duplicate(kept)) is DataLoader
    assert duplicate(kept).worker_init_fn is init
