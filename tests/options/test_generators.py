"""The option ``generators``: what workers reseed, where it is found, and what is left alone."""

import functools
import gc
import os
import pickle
import random
import weakref

import pytest
import torch
from support import TESTS, TORCH, as_list, epoch, lock_of, needs_numpy, np, start_method
from torch.utils.data import DataLoader, Dataset, dataloader

import workerseed
from workerseed import _messages, _seeding
from workerseed._options import rng
from workerseed._options.generators import stored_generators

MODERN_NUMPY = np is not None and hasattr(np.random, "Generator")  # NumPy 1.17
needs_modern_numpy = pytest.mark.skipif(not MODERN_NUMPY, reason="NumPy 1.17 brought Generator")


def own(cls):
    return type("Own" + cls.__name__, (cls,), {})


def generator_of(bit_generator, cls=None):
    return lambda seed: (cls or np.random.Generator)(bit_generator(seed))


MAKERS = {
    "random.Random": random.Random,
    "torch.Generator": lambda seed: torch.Generator().manual_seed(seed),
    "a subclass of random.Random": own(random.Random),
    "a subclass of torch.Generator": lambda seed: own(torch.Generator)().manual_seed(seed),
}
if np is not None:
    MAKERS.update({"RandomState": np.random.RandomState, "a subclass of RandomState": own(np.random.RandomState)})
if MODERN_NUMPY:
    for name in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        if hasattr(np.random, name):  # NumPy 1.21 brought PCG64DXSM
            MAKERS["Generator of " + name] = generator_of(getattr(np.random, name))
    MAKERS["RandomState of PCG64"] = generator_of(np.random.PCG64, np.random.RandomState)
    MAKERS["a subclass of Generator"] = generator_of(np.random.PCG64, own(np.random.Generator))
    MAKERS["Generator of a subclass"] = generator_of(own(np.random.PCG64))
    MAKERS["PCG64 alone"] = np.random.PCG64


def draw(generator):
    """The next number of a generator, or what a function returns."""
    if callable(generator):
        return generator()
    if isinstance(generator, torch.Generator):
        return torch.empty(1).uniform_(generator=generator).item()
    if MODERN_NUMPY and isinstance(generator, np.random.PCG64.__base__):
        return np.random.Generator(generator).random()
    return (generator.random if hasattr(generator, "random") else generator.random_sample)()


class Holding(Dataset):
    """Each item is the worker's next draw of each generator or function; even items are of worker 0."""

    def __init__(self, *generators):
        self.generators = list(generators)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return [draw(generator) for generator in self.generators]


def items(dataset, workers=2, **options):
    """The items of one epoch; torch is not seeded here."""
    loader = DataLoader(dataset, num_workers=workers, collate_fn=as_list, **options)
    return [item for batch in loader for item in batch]


def first_draws(dataset, epochs=2, **options):
    """The first draws of two workers in each epoch, after one seed."""
    torch.manual_seed(0)
    return [tuple(item) for _ in range(epochs) for item in items(dataset, **options)[:2]]


def distinct(drawn):
    return len(set(drawn))


@functools.lru_cache(maxsize=None)
def drawn_of_kinds(*options):
    """By kind: what two generators of seed 1 and one of seed 2 draw in two epochs, and the first then in the parent."""
    generators = [maker(seed) for maker in MAKERS.values() for seed in (1, 1, 2)]
    workerseed.install(options)
    drawn = list(zip(*first_draws(Holding(*generators))))
    parents = [draw(generator) for generator in generators[::3]]
    return {kind: [*drawn[3 * i : 3 * i + 3], parents[i]] for i, kind in enumerate(MAKERS)}


each_kind = pytest.mark.parametrize("kind", MAKERS)


@each_kind
def test_each_kind_draws_otherwise_in_every_worker_and_epoch_and_only_equal_ones_the_same(kind):
    one, equal, other, _ = drawn_of_kinds("generators")[kind]
    assert one == equal
    assert distinct(one + other) == 8


@each_kind
def test_without_the_option_each_kind_draws_the_same_everywhere(kind):
    assert set(drawn_of_kinds()[kind][0]) == {draw(MAKERS[kind](1))}


@each_kind
def test_the_generator_of_the_parent_stays(kind):
    assert drawn_of_kinds("generators")[kind][3] == draw(MAKERS[kind](1))


def test_the_states_are_the_same_on_any_torch_and_python(reseeding):
    drawn = first_draws(Holding(random.Random(1)), epochs=1)
    assert [round(number, 6) for (number,) in drawn] == [0.712507, 0.947714]


def test_another_run_draws_the_same_wherever_the_generators_are_found(prints):
    code = "import random\nmore = [random.Random(number) for number in range(100)]\n"
    code += "from test_generators import drawn_of_kinds\nprint(drawn_of_kinds('generators'))"
    path = os.pathsep.join([TESTS, os.path.dirname(__file__)])
    assert prints(code, PYTHONHASHSEED="1", PYTHONPATH=path) == str(drawn_of_kinds("generators")) + "\n"


def test_states_that_differ_in_the_middle_are_not_taken_for_equal(reseeding):
    one, other = torch.Generator(), torch.Generator()
    state = one.get_state()
    byte = rng.TORCH_WORDS_START + 300 * 8  # the repr of a tensor leaves it out
    state[byte] = 255 - state[byte]
    other.set_state(state)
    assert [first == second for first, second in first_draws(Holding(one, other))] == [False] * 4


@needs_modern_numpy
def test_generators_that_share_a_bit_generator_go_on_sharing_it(reseeding):
    one = np.random.default_rng(1)
    dataset = Holding(one, np.random.Generator(one.bit_generator))
    alone = first_draws(Holding(np.random.default_rng(1)), epochs=1)[0]
    shared = first_draws(dataset, epochs=1)[0]
    assert shared[0] == alone[0] != shared[1]


@needs_numpy
def test_the_second_normal_of_a_random_state_is_not_left_from_the_parent(reseeding):
    state = np.random.RandomState(1)
    state.standard_normal()  # it makes two, and keeps one
    assert distinct(first_draws(Holding(state.standard_normal))) == 4


@pytest.mark.skipif(np is None or np.__version__ < "2", reason="NumPy 2 lets the seed sequence be replaced")
def test_generators_that_a_generator_spawns_differ(reseeding):
    generator = np.random.default_rng(1)
    assert distinct(first_draws(Holding(lambda: draw(generator.spawn(1)[0])))) == 4


def test_the_users_function_comes_after_it(reseeding):
    generator, seen = random.Random(1), []

    def note_and_seed(worker_id):
        seen.append(generator.random())
        generator.seed(worker_id)

    drawn = first_draws(Holding(lambda: seen[0], generator.random), worker_init_fn=note_and_seed)
    assert [first for first, _ in drawn] == [first for (first,) in first_draws(Holding(random.Random(1)))]
    assert [second for _, second in drawn] == [random.Random(worker).random() for worker in (0, 1)] * 2


def test_ranks_are_reseeded_otherwise():
    runs = []
    for rank in (0, 1):
        workerseed.install(["generators", "ranks"], rank=rank)
        runs += first_draws(Holding(random.Random(1)))
    assert distinct(runs) == 8


class Odd(random.Random):
    def __init__(self):
        """Without that of random.Random, which makes an attribute that getstate reads."""


@pytest.mark.filterwarnings("error")  # then the warning goes to stderr
def test_a_generator_that_cannot_be_reseeded_is_warned_of_and_others_are_reseeded(reseeding, capfd):
    generator = random.Random(1)
    dataset = Holding(generator)
    dataset.odd = [Odd(), generator, Odd()]
    assert distinct(first_draws(dataset)) == 4
    assert capfd.readouterr().err.count("a generator of type Odd is not reseeded: AttributeError") == 4


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_are_not_forked_reseed_and_keep_the_same(reseeding, method):
    kept = random.Random(2)
    workerseed.keep(kept)
    workerseed.keep(torch.Generator())  # not of this loader
    with start_method(method) as options:
        drawn = first_draws(Holding(random.Random(1), kept), epochs=1, **options)
    assert [own for own, _ in drawn] == [own for (own,) in first_draws(Holding(random.Random(1)), epochs=1)]
    assert {of_kept for _, of_kept in drawn} == {random.Random(2).random()}


SCRIPT = """
import random, torch, workerseed
from torch.utils.data import DataLoader

RNG = random.Random(0)

def collate(items):
    return RNG.random()

def drawn(method):
    torch.manual_seed(0)
    torch.multiprocessing.set_start_method(method, force=True)
    return list(DataLoader(range(4), num_workers=1, collate_fn=collate))

if __name__ == "__main__":
    workerseed.install(["generators"])
    print(random.Random(0).random() in drawn("fork"), drawn("spawn") == drawn("fork"))
"""


def test_a_global_generator_of_the_script_is_reseeded_in_spawned_workers_as_in_forked_ones(prints):
    assert prints(SCRIPT) == "False True\n"


@pytest.mark.skipif(not hasattr(torch, "set_default_device"), reason="torch 2.0 brought it")
def test_a_torch_generator_is_reseeded_whatever_the_default_device(reseeding):
    generator = torch.Generator()
    with torch.device("meta"):
        rng.reseed_source(generator, [0, 1, 2, 3])
    assert generator.initial_seed() != torch.Generator().initial_seed()


# What is left alone


def test_the_parent_lets_go_of_what_it_found(reseeding):
    loader = DataLoader(Holding(random.Random(1)), num_workers=1, collate_fn=as_list)
    epoch(loader)
    alive = weakref.ref(loader.dataset.generators.pop())
    gc.collect()
    assert alive() is None


@pytest.mark.skipif(TORCH < (1, 12), reason="torch 1.12 seeds what a data pipe shuffles with, the same in each worker")
def test_a_data_pipe_that_workers_shuffle_alike_and_share_loses_nothing(reseeding):
    from torch.utils.data.datapipes.iter import IterableWrapper

    pipe = IterableWrapper(range(32)).shuffle().sharding_filter()
    torch.manual_seed(0)
    order = [int(item) for item in DataLoader(pipe, num_workers=2, shuffle=True)]
    assert sorted(order) == list(range(32)) != order


needs_iterables = pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 brought iterable datasets")


class Sharing(getattr(torch.utils.data, "IterableDataset", object)):
    """Shuffles with a generator that must be equal in all workers, each of which then takes its share."""

    def __init__(self):
        self.generator = random.Random(1)

    def __iter__(self):
        order = list(range(32))
        self.generator.shuffle(order)
        info = torch.utils.data.get_worker_info()
        return iter(order[info.id :: info.num_workers])


@needs_iterables
def test_workers_that_share_a_shuffled_order_lose_nothing(reseeding):
    assert sorted(items(Sharing())) == list(range(32))


@needs_iterables
def test_verbose_logs_what_an_iterable_dataset_keeps(capfd):
    _messages.log_once.cache_clear()
    workerseed.install(["generators", "verbose"])
    items(Sharing())
    items(Sharing())
    (line,) = (line for line in capfd.readouterr().err.splitlines() if "generators: " in line)
    assert "generators: left 1 on iterable-style dataset Sharing unchanged" in line


ITERABLE, MAP = (getattr(getattr(dataloader, "_DatasetKind", None), kind, None) for kind in ("Iterable", "Map"))


@needs_iterables
@pytest.mark.parametrize(
    "dataset, kind", [(Sharing, None), (Sharing, MAP), (lambda: Holding(random.Random(1)), ITERABLE)]
)
def test_the_class_or_the_kind_of_the_dataset_makes_a_loader_iterable_style(dataset, kind):
    assert added(_dataset=dataset(), _dataset_kind=kind) is None


@pytest.mark.parametrize("underscore", ["", "_"])
def test_the_iterator_says_what_it_loads_and_no_property_of_the_loader_runs(underscore):
    class Unreadable(DataLoader):
        def __getattribute__(self, name):
            raise RuntimeError("none of your business")

    dataset, collate_fn = Holding(random.Random(1)), Holding(random.Random(2))
    loader = object.__new__(Unreadable)
    stored = added(loader, **{underscore + "dataset": dataset, underscore + "collate_fn": collate_fn})
    assert stored.paths == ["dataset.generators[0]", "collate_fn.generators[0]"]


def added(loader=None, **attributes):
    """What the option adds to a start of workers by an iterator with these attributes."""
    iterator = type("Iterator", (), {})()
    vars(iterator).update(attributes)
    return stored_generators(iterator, loader, None)


def test_in_threads_of_the_parent_nothing_is_reseeded():
    generator = random.Random(1)
    before = generator.getstate()
    init = _seeding.SeededWorkerInit(None, reseed=added(dataset=Holding(generator)))
    init(0)
    assert init.reseed is not None
    assert generator.getstate() == before


def test_a_worker_does_not_hold_the_dataset_after_it_has_reseeded():
    dataset = Holding(random.Random(1))
    dataset, stored = pickle.loads(pickle.dumps((dataset, added(dataset=dataset))))  # as in a spawned worker
    before = dataset.generators[0].getstate()
    stored([0, 0, 0, 0])
    assert dataset.generators[0].getstate() != before
    alive = [weakref.ref(dataset), weakref.ref(dataset.generators[0])]
    del dataset
    gc.collect()
    assert [reference() for reference in alive] == [None, None]


@needs_numpy
def test_a_generator_that_a_thread_draws_from_as_workers_start_does_no_harm(reseeding):
    state = np.random.RandomState(1)
    with lock_of(state):  # as a thread that draws holds it (numpy#9248)
        drawn = first_draws(Holding(state), timeout=30)
    assert distinct(drawn) == 4


def refuse(self, *_):
    raise RuntimeError("none of your business")


class Unruly(random.Random):
    bit_generator = property(refuse)
    __getattr__ = __eq__ = refuse
    __hash__ = None


class Answering:
    """Has every attribute, as a mock has."""

    __dict__ = property(refuse)
    __eq__ = __hash__ = __len__ = refuse

    def __getattr__(self, name):
        return self


def test_odd_objects_stop_nothing(reseeding):
    dataset = Holding(random.Random(1), Unruly(2))
    if MODERN_NUMPY:
        hiding = type("Hiding", (np.random.Generator,), {"bit_generator": property(refuse)})
        dataset.generators.append(hiding(np.random.PCG64(1)))
    dataset.odd = [Answering(), {"odd": Answering()}, Answering, *(Answering() for _ in range(300))]
    assert {distinct(of_kind) for of_kind in zip(*first_draws(dataset))} == {4}


def test_a_failure_of_the_search_does_not_stop_a_loader(reseeding, monkeypatch):
    def fail(roots):
        raise RuntimeError("no search")

    monkeypatch.setattr("workerseed._options.generators.find_generators", fail)
    with pytest.warns(RuntimeWarning, match="stored generators are not reseeded: RuntimeError"):
        assert sorted(items(Holding(lambda: 1))) == [[1]] * 4
