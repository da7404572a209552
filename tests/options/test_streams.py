"""Workers draw what the scripts of docs/streams compute in one process: docs/streams-method.md rests on that."""

import os
import random
import runpy

import pytest
import torch
from support import NATIVE, ROOT, Draws, as_list, has_seed_sequence, needs_numpy, np
from torch.utils.data import DataLoader

import workerseed

pytestmark = needs_numpy

WAYS, RESEEDED = (os.path.join(ROOT, "docs", "streams", name) for name in ("ways.py", "reseeded.py"))
SEED = 7


class SeedAndWords(Draws):
    """Each item is torch's seed in the worker that loads it, and the next four words that ``np.random`` draws there."""

    def __getitem__(self, index):
        return torch.initial_seed(), np.random.randint(0, 2**32, 4, np.uint32).tolist()


WAYS_TO_SEED = {
    "torch 1.0 to 1.8.1 alone": None,
    "seed + worker_id": lambda worker_id: np.random.seed(SEED + worker_id),
    "torch.initial_seed() % 2**32": lambda worker_id: np.random.seed(torch.initial_seed() % 2**32),
    "workerseed": None,
}


@pytest.mark.parametrize("way", list(WAYS_TO_SEED)[NATIVE:])
def test_workers_draw_what_is_computed(way):
    if way == "workerseed":
        workerseed.install()
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    loader = DataLoader(SeedAndWords(2), num_workers=2, worker_init_fn=WAYS_TO_SEED[way], collate_fn=as_list)
    epochs = [[item for batch in loader for item in batch] for _ in range(2)]
    base_seeds = [items[0][0] for items in epochs]  # worker 0 adds nothing
    computed = runpy.run_path(WAYS)["streams"](way, SEED, 2, base_seeds, 4)
    assert [[words for _, words in items] for items in epochs] == computed.tolist()


# With the option `generators`

kinds = pytest.mark.parametrize(
    "kind", ["random.Random", "RandomState", pytest.param("default_rng", marks=has_seed_sequence), "torch.Generator"]
)


class SeedAndWordsOf(Draws):
    """Each item is torch's seed in the worker that loads it, and the next four words of a stored generator."""

    def __init__(self, generator, words_from):
        super().__init__(2)
        self.generator = generator
        self.words_from = words_from

    def __getitem__(self, index):
        return torch.initial_seed(), self.words_from(self.generator)


@kinds
def test_stored_generators_draw_in_workers_what_is_computed(kind):
    reseeded = runpy.run_path(RESEEDED)
    make, words_in_worker = reseeded["KINDS"][kind], reseeded["words_in_worker"]
    loader = DataLoader(SeedAndWordsOf(make(SEED), reseeded["words_from"]), num_workers=2, collate_fn=as_list)
    torch.manual_seed(SEED)
    workerseed.install(["generators"])
    epochs = [[item for batch in loader for item in batch] for _ in range(2)]
    drawn = [[words for _, words in items] for items in epochs]
    assert drawn == [[words_in_worker(make(SEED), items[0][0], worker) for worker in range(2)] for items in epochs]


SEEDED = {
    "random.Random": random.Random,
    "RandomState": lambda seed: np.random.RandomState(np.random.MT19937(seed)),
    "default_rng": lambda seed: np.random.default_rng(seed),
}


@has_seed_sequence
@pytest.mark.parametrize("kind", SEEDED)
def test_the_bits_of_the_seed_that_are_counted_decide_what_a_stored_generator_draws(kind):
    reseeded = runpy.run_path(RESEEDED)
    generator = reseeded["KINDS"][kind](SEED)
    seed = reseeded["seed_of_state"](reseeded["state_of"](generator), 2**40, 1, 2)
    assert reseeded["words_from"](SEEDED[kind](seed)) == reseeded["words_in_worker"](generator, 2**40, 1, 2)


def test_a_stored_generator_of_torch_draws_the_words_of_a_random_with_the_seed_that_is_counted():
    reseeded = runpy.run_path(RESEEDED)
    generator = reseeded["torch_generator"](SEED)
    same = random.Random(reseeded["seed_of_state"](reseeded["state_of"](generator), 2**40, 1, 2))
    words = [same.getrandbits(32) for _ in range(8)]
    assert reseeded["words_in_worker"](generator, 2**40, 1, 2) == words[1::2]  # torch draws two words for each number
