"""A worker iterator gets the seeded init function, and the loader is as on stock torch wherever others look at it."""

import copy
import functools
import gc
import threading
import weakref

import pytest
from support import ITERATOR, ROOT_CLASS, TORCH, Draws, draws, expected_draws, needs_numpy, only_legacy
from torch.utils.data import DataLoader

import workerseed


def init(worker_id):
    pass


# What iterators of other people ask of a loader before and after they call torch's __init__, and what stock answers


class Marked(DataLoader):
    @property
    def mark(self):
        return type(self).__name__, self.worker_init_fn

    def __eq__(self, other):
        return self is other

    __hash__ = DataLoader.__hash__


registry = weakref.WeakKeyDictionary()
by_id = {}

LOOKS = {
    "type": lambda loader: type(loader).__name__,
    "type is": lambda loader: type(loader) in (DataLoader, Marked, Own),
    "class": lambda loader: loader.__class__.__name__,
    "isinstance": lambda loader: isinstance(loader, DataLoader),
    "id": lambda loader: by_id[id(loader)],
    "weak reference": lambda loader: weakref.ref(loader)() is loader,
    "weak reference of before": lambda loader: by_id["reference"]() is loader,
    "WeakKeyDictionary": lambda loader: registry[loader],
    "key": lambda loader: {loader: "known"}[loader],
    "hash": lambda loader: hash(loader) == by_id["hash"],
    "equal": lambda loader: loader == by_id["loader"],
    "is": lambda loader: loader is by_id["loader"],
    "init fn": lambda loader: loader.worker_init_fn,
    "init fn by getattr": lambda loader: getattr(loader, "worker_init_fn", 3),
    "init fn in vars": lambda loader: vars(loader)["worker_init_fn"],
    "init fn is None": lambda loader: loader.worker_init_fn is None,
    "property": lambda loader: loader.mark,
    "public attributes": lambda loader: sorted(name for name in vars(loader) if not name.startswith("_")),
    "setattr": lambda loader: setattr(loader, "tag", 1) or loader.tag,
    "object.__setattr__": lambda loader: object.__setattr__(loader, "tag", 1) or vars(loader)["tag"],
    "object.__getattribute__": lambda loader: object.__getattribute__(loader, "num_workers"),
    "delattr": lambda loader: (setattr(loader, "tag", 1), delattr(loader, "tag"), hasattr(loader, "tag"))[2],
    "of the same type": lambda loader: type(type(loader)(range(2))).__name__,
    "rebuilt": lambda loader: type(loader)(loader.dataset, worker_init_fn=loader.worker_init_fn).worker_init_fn,
    "copy": lambda loader: (type(copy.copy(loader)).__name__, copy.copy(loader).worker_init_fn),
    "deepcopy": lambda loader: (type(copy.deepcopy(loader)).__name__, copy.deepcopy(loader).worker_init_fn),
    "repr": lambda loader: repr(loader).split(" object")[0],
    "super": lambda loader: super(DataLoader, loader).__hash__() == object.__hash__(loader),
    "slots of the class": lambda loader: type(loader).__dict__.get("__slots__"),
    "length": len,
    "call of a method": lambda loader: type(loader).__len__(loader),
}


class Own(Marked):
    def __iter__(self):
        return LookingIterator(self)


class LookingIterator(ITERATOR):
    def __init__(self, loader):
        self.seen = {"before": answers(loader)}
        ITERATOR.__init__(self, loader)
        self.seen["after"] = answers(loader)


def answers(loader):
    found = {}
    for name, look in LOOKS.items():
        try:
            found[name] = look(loader)
        except Exception as error:
            found[name] = repr(error)
    return found


def seen(function):
    """What the iterator of a loader with this worker_init_fn sees, before and after it calls torch's ``__init__``."""
    loader = Own(range(4), num_workers=1, worker_init_fn=function)
    registry[loader] = "known"
    by_id.update({id(loader): "known", "reference": weakref.ref(loader), "hash": hash(loader), "loader": loader})
    iterator = iter(loader)
    list(iterator)
    assert loader.worker_init_fn is function
    return iterator.seen


@functools.lru_cache(maxsize=None)
def seen_on_stock_torch(function):
    return seen(function)


@functools.lru_cache(maxsize=None)
def seen_with_workerseed(function):
    workerseed.install(["generators"])  # which wraps on every torch
    try:
        return seen(function)
    finally:
        workerseed.uninstall()


@pytest.mark.parametrize("function", [None, init], ids=["without", "with a function"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("look", LOOKS)
def test_an_iterator_sees_its_loader_as_on_stock_torch(look, when, function):
    assert seen_with_workerseed(function)[when][look] == seen_on_stock_torch(function)[when][look]


class Tagged(ITERATOR):
    def __init__(self, tag, loader, *, more=None):
        self.tag = tag + more
        ITERATOR.__init__(self, loader=loader)


class TaggedLoader(DataLoader):
    def __iter__(self):
        return Tagged("tr", self, more="ain")


@needs_numpy
def test_an_iterator_may_take_other_arguments_first(options_on):
    loader = TaggedLoader(Draws(), num_workers=2)
    assert iter(loader).tag == "train"
    assert draws(loader) == expected_draws()


@pytest.fixture
def options_on():
    """Installs workerseed with an option, for one test: then it wraps on every torch."""
    workerseed.install(["generators"])
    yield workerseed
    workerseed.uninstall()


# The loader afterwards, whatever happens


class Stopping(DataLoader):
    """Ends the start of its workers by an error that it raises when torch reads this attribute."""

    error = None

    @property
    def pin_memory(self):
        if self.error is not None:
            raise self.error
        return False

    @pin_memory.setter
    def pin_memory(self, value):
        pass


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_error_while_workers_start_leaves_the_function_of_the_user(options_on, error):
    loader = Stopping(range(4), num_workers=1, worker_init_fn=init)
    loader.error = error
    with pytest.raises(type(error)):
        iter(loader)
    assert vars(loader)["worker_init_fn"] is init
    assert type(loader) is Stopping


class InTurn:
    """Batches of one; while torch makes an iterator for one thread, the others wait in the middle of making theirs.

    Without turns the test hangs now and then, on stock torch, too: a worker that is forked while another thread draws a
    base seed, or imports a module, inherits the lock of torch's generator, or of the module, as held.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.thread = None

    def __len__(self):
        return 4

    def __iter__(self):
        if self.thread is not threading.current_thread():  # torch 1.7 and later ask twice
            self.lock.acquire()
            self.thread = threading.current_thread()
        return iter([[0], [1], [2], [3]])


@needs_numpy
def test_threads_may_start_workers_of_one_loader_at_once(options_on):
    turns, iterators = InTurn(), []
    loader = DataLoader(Draws(4), batch_sampler=turns, num_workers=2, worker_init_fn=init)

    def start():
        try:
            iterators.append(iter(loader))
        finally:
            turns.lock.release()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = [[int(batch) for batch in iterator] for iterator in iterators]
    assert len({tuple(numbers) for numbers in drawn}) == 6
    assert all(len(set(numbers)) == 4 for numbers in drawn)
    assert loader.worker_init_fn is init


def other(worker_id):
    pass


class Assigning(ITERATOR):
    """Starts workers of its own, by nobody's loop, after it has assigned the function itself."""

    def __init__(self, loader):
        self.function = loader.worker_init_fn
        loader.worker_init_fn = other

    def __del__(self):
        pass


def test_a_function_that_an_iterator_assigns_stays(options_on):
    loader = DataLoader(range(4), num_workers=1, worker_init_fn=init)
    assert Assigning(loader).function.worker_init_fn is init
    assert loader.worker_init_fn is other


@needs_numpy
@pytest.mark.parametrize("settable", [True, False])
def test_a_loader_whose_function_is_a_property_is_seeded(options_on, settable):
    class Loader(DataLoader):
        @property
        def worker_init_fn(self):
            return init

    if settable:
        Loader.worker_init_fn = Loader.worker_init_fn.setter(lambda self, function: None)
        loader = Loader(Draws(), num_workers=2)
    else:
        loader = object.__new__(Loader)
        vars(loader).update(vars(DataLoader(Draws(), num_workers=2)))
    assert draws(loader) == expected_draws()
    assert type(loader) is Loader
    assert loader.worker_init_fn is init


@needs_numpy
def test_a_loader_whose_dict_is_a_property_that_raises_is_made_and_seeded(options_on):
    class Loader(DataLoader):
        @property
        def __dict__(self):
            raise RuntimeError("not yours")

    assert draws(Loader(Draws(), num_workers=2)) == expected_draws()


@needs_numpy
def test_a_copy_shares_nothing_that_is_changed(options_on):
    loader = DataLoader(Draws(), num_workers=2)
    twin = copy.copy(loader)
    stored = [vars(each)["_workerseed_init"] for each in (loader, twin)]
    assert draws(loader) == draws(twin) == expected_draws()
    assert [vars(each)["_workerseed_init"] for each in (loader, twin)] == stored
    assert vars(stored[0]()) == {"worker_init_fn": None, "rank": 0, "generators": None}


def test_a_loader_without_workers_is_not_touched(options_on):
    class Seeing(DataLoader):
        def __iter__(self):
            iterator = DataLoader.__iter__(self)
            self.function = vars(self)["worker_init_fn"]
            return iterator

    loader = Seeing(range(4), worker_init_fn=init)
    list(loader)
    assert loader.function is init


# Which iterators


def keep_function(iterator, loader):
    iterator.function = loader.worker_init_fn


class Keeping:
    keep = keep_function


class KeepingAsItIsMade:
    def __init__(self, loader, state):
        super().__init__(loader)
        keep_function(self, loader)


def define_below_the_root_class(way):
    class Middle(ROOT_CLASS):  # like those of torchdata's StatefulDataLoader
        def __init__(self, loader):
            super().__init__(loader)

    class Itself(Middle):
        def __init__(self, loader, state):
            super().__init__(loader)
            self.function = loader.worker_init_fn

    class ByFunction(Middle):
        def __init__(self, loader, state):
            super().__init__(loader)
            keep_function(self, loader)

    class ByMixin(Keeping, Middle):
        def __init__(self, loader, state):
            super().__init__(loader)
            self.keep(loader)

    class ByInitOfMixin(KeepingAsItIsMade, Middle):
        pass

    class ByCallOfMixin(KeepingAsItIsMade, Middle):
        def __init__(self, loader, state):
            super().__init__(loader, state)

    class ByComputedName(Middle):
        def __init__(self, loader, state):
            super().__init__(loader)
            self.function = getattr(loader, "_".join(["worker", "init", "fn"]))

    return locals()[way]


WAYS = ["Itself", "ByFunction", "ByMixin", "ByInitOfMixin", "ByCallOfMixin", "ByComputedName"]
only_with_a_root_class = pytest.mark.skipif(TORCH < (1, 2), reason="torch 1.2 has a root class")


@only_with_a_root_class
@pytest.mark.parametrize("defined", ["before", "after"])
@pytest.mark.parametrize("way", WAYS)
def test_an_iterator_that_derives_from_the_root_class_gets_the_seeded_function(way, defined):
    before = define_below_the_root_class(way)
    loader = DataLoader(range(4), num_workers=2, worker_init_fn=init)
    assert before(loader, None).function is init
    workerseed.install(["generators"])
    try:
        iterator = before if defined == "before" else define_below_the_root_class(way)
        function = iterator(loader, None).function
        assert type(function) is workerseed._seeding.SeededWorkerInit
        assert function.worker_init_fn is init
        assert loader.worker_init_fn is init
    finally:
        workerseed.uninstall()
    assert iterator(loader, None).function is init


@only_with_a_root_class
def test_one_start_has_one_seeded_function_however_many_classes_are_wrapped(options_on):
    asked = []
    workerseed.install(["ranks"], rank=lambda: asked.append("rank") or 0)
    define_below_the_root_class("Itself")(DataLoader(range(4), num_workers=2), None)
    assert asked == ["rank"]


def test_iterators_are_not_kept_alive(options_on):
    def define(number):
        return type(f"Iterator{number}", (ITERATOR,), {"__init__": lambda self, loader: loader.worker_init_fn})

    alive = weakref.WeakSet(define(number) for number in range(50))
    gc.collect()
    assert len(alive) == 0


@only_legacy
def test_uninstall_puts_back_iterators_that_were_defined_later():
    workerseed.install()

    def its_init(self, loader):
        self.function = loader.worker_init_fn

    later = type("Later", (ITERATOR,), {"__init__": its_init, "__del__": lambda self: None})
    assert later.__init__ is not its_init
    workerseed.uninstall()
    assert vars(later)["__init__"] is its_init
