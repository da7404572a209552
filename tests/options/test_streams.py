"""Workers draw what the scripts of docs/streams compute in one process: docs/streams-method.md rests on that."""

import random

import pytest

pytest.importorskip("numpy")

import numpy as np
import reseeded
import torch
import ways
from support import NATIVE, Items, as_list, has_seed_sequence
from torch.utils.data import DataLoader

import workerseed

SEED = 7


def two_epochs(words, worker_init_fn=None):
    """By epoch and worker, the next four words that a function draws there; and the base seed of each epoch."""
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    dataset = Items(lambda index: (torch.initial_seed(), words()), 2)
    loader = DataLoader(dataset, num_workers=2, worker_init_fn=worker_init_fn, collate_fn=as_list)
    epochs = [[item for batch in loader for item in batch] for _ in range(2)]
    base_seeds = [items[0][0] for items in epochs]  # worker 0 adds nothing
    return [[words for _, words in items] for items in epochs], base_seeds


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
    drawn, base_seeds = two_epochs(lambda: np.random.randint(0, 2**32, 4, np.uint32).tolist(), WAYS_TO_SEED[way])
    assert drawn == ways.streams(way, SEED, 2, base_seeds, 4).tolist()


KINDS = ["random.Random", "RandomState", pytest.param("default_rng", marks=has_seed_sequence), "torch.Generator"]


@pytest.mark.parametrize("kind", KINDS)
def test_stored_generators_draw_in_workers_what_is_computed(reseeding, kind):
    make = reseeded.KINDS[kind]
    generator = make(SEED)
    drawn, base_seeds = two_epochs(lambda: reseeded.words_from(generator))
    assert drawn == [[reseeded.words_in_worker(make(SEED), seed, worker) for worker in range(2)] for seed in base_seeds]


def words_of_torch(seed):
    generator = random.Random(seed)
    return [generator.getrandbits(32) for _ in range(8)][1::2]  # torch draws two words for each number


WORDS_OF_SEED = {
    "random.Random": lambda seed: reseeded.words_from(random.Random(seed)),
    "RandomState": lambda seed: reseeded.words_from(np.random.RandomState(np.random.MT19937(seed))),
    "default_rng": lambda seed: reseeded.words_from(np.random.default_rng(seed)),
    "torch.Generator": words_of_torch,
}


@has_seed_sequence
@pytest.mark.parametrize("kind", WORDS_OF_SEED)
def test_the_bits_of_the_seed_that_are_counted_decide_what_a_stored_generator_draws(kind):
    generator = reseeded.KINDS[kind](SEED)
    seed = reseeded.seed_of_state(reseeded.state_of(generator), 2**40, 1, 2)
    assert reseeded.words_in_worker(generator, 2**40, 1, 2) == WORDS_OF_SEED[kind](seed)
