"""uninstall() puts the originals back; where somebody has wrapped ours, that stays and nothing is seeded."""

import copyreg
import sys
import threading

import pytest
import wrapt
from support import ITERATOR, ROOT_CLASS, Draws, as_list, draws, expected_draws, needs_numpy, only_legacy, start_method
from torch.utils.data import DataLoader

import workerseed

pytestmark = [only_legacy, needs_numpy, pytest.mark.timeout(60)]


def patched_attributes():
    for cls in (DataLoader, ROOT_CLASS):
        copyreg._slotnames(cls)  # pickle keeps them in the class
    return [dict(vars(cls)) for cls in (DataLoader, ROOT_CLASS)]


STOCK = patched_attributes()


@pytest.fixture(autouse=True)
def stock_torch_afterwards():
    """Installs and uninstalls, as often as a test wants; all that it changed goes at the end."""
    workerseed.install()
    yield
    workerseed.uninstall()
    for cls, stock in zip((DataLoader, ROOT_CLASS), STOCK):
        for name in [name for name in vars(cls) if name not in stock]:
            delattr(cls, name)
        cls.__init__ = stock["__init__"]


def is_stock():
    return patched_attributes() == STOCK


def names_of_ours():
    loader = DataLoader(range(2), num_workers=1)
    return [name for name in vars(loader) if "workerseed" in name]


def repeats(loader=None):
    """Whether two workers draw the same, as on stock torch."""
    first, second = draws(loader or DataLoader(Draws(), num_workers=2))[:2]
    return first == second


def test_the_originals_are_back():
    loader = DataLoader(Draws(), num_workers=2)
    assert not is_stock()
    workerseed.uninstall()
    assert is_stock()
    assert repeats()
    assert repeats(loader)


def test_installing_twice_patches_once():
    once = patched_attributes()
    workerseed.install()
    assert patched_attributes() == once


def test_the_constructors_are_wrapped_with_wrapt():
    for cls in (DataLoader, ROOT_CLASS):
        assert isinstance(vars(cls)["__init__"], wrapt.FunctionWrapper)


def test_a_constructor_that_was_saved_replaced_and_put_back_goes_too():
    for cls in (DataLoader, ROOT_CLASS):
        saved = cls.__init__
        cls.__init__ = lambda *args, **kwargs: None
        cls.__init__ = saved
    assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
    workerseed.uninstall()
    assert is_stock()


def test_a_constructor_of_ours_that_was_put_back_after_uninstall_goes_with_the_next():
    wrapped = [(cls, vars(cls)["__init__"]) for cls in (DataLoader, ROOT_CLASS)]
    workerseed.uninstall()
    for cls, wrapper in wrapped:
        cls.__init__ = wrapper
    workerseed.install()
    assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
    workerseed.uninstall()
    assert is_stock()


# Wrappers of somebody else around ours


def plain_function(wrapped):
    def theirs(self, *args, **kwargs):
        wrapped(self, *args, **kwargs)

    return theirs


def wrapper_of_wrapt(wrapped):
    return wrapt.FunctionWrapper(wrapped, lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs))


class Proxy(wrapt.ObjectProxy):
    def __get__(self, instance, cls):
        return self.__wrapped__.__get__(instance, cls)


class FixedWrapper:
    """A descriptor whose ``__wrapped__`` cannot be set."""

    def __init__(self, function):
        self.function = function

    __wrapped__ = property(lambda self: self.function)

    def __get__(self, instance, cls):
        return self.function.__get__(instance, cls)


@pytest.mark.parametrize("wrap", [plain_function, wrapper_of_wrapt, Proxy, FixedWrapper])
@pytest.mark.parametrize("cls", [DataLoader, ROOT_CLASS], ids=["loader", "iterator"])
def test_the_wrapper_of_somebody_else_stays_and_nothing_is_seeded(cls, wrap):
    theirs = cls.__init__ = wrap(vars(cls)["__init__"])
    assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
    workerseed.uninstall()
    assert vars(cls)["__init__"] is theirs
    if wrap in (wrapper_of_wrapt, Proxy):  # it says what it wraps: the original again
        assert any(theirs.__wrapped__ is stock["__init__"] for stock in STOCK)  # `in` would ask the wrapper
    assert names_of_ours() == []
    assert repeats()


# Two copies of workerseed, such as one that a program ships


def import_copy(name):
    """Import workerseed once more under another name; its own ``install`` has run then."""
    package = type(sys)(name)
    package.__path__ = workerseed.__path__
    sys.modules[name] = package
    install = __import__(name + "._install", fromlist=["install"])
    install.install()
    return install


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first first", "last first"])
def test_two_copies_uninstall_in_either_order(order):
    copies = workerseed, import_copy("bundled_workerseed")
    try:
        assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
        copies[order[0]].uninstall()
        assert draws(DataLoader(Draws(), num_workers=2)) == expected_draws()
        copies[order[1]].uninstall()
        assert is_stock()
        assert repeats()
    finally:
        for name in [name for name in sys.modules if name.startswith("bundled_workerseed")]:
            del sys.modules[name]


# Threads and modules


def test_status_and_uninstall_work_beside_threads_that_define_iterators():
    stop = threading.Event()

    def define():
        while not stop.is_set():
            type("Iterator", (ITERATOR,), {"__init__": lambda self, loader: None})

    threads = [threading.Thread(target=define) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            workerseed.install()
            assert workerseed.status().state == "active"
            workerseed.uninstall()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert is_stock()


def test_workers_are_spawned_where_the_modules_of_workerseed_were_dropped(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "workerseed"]:
        monkeypatch.delitem(sys.modules, name)
    with start_method("spawn") as options:
        assert draws(DataLoader(Draws(), num_workers=1, **options)) == expected_draws(workers=1)


def test_installing_again_without_a_rank_keeps_the_one_given():
    asked = []
    workerseed.install(["ranks"], rank=lambda: asked.append("rank") or 1)
    workerseed.install()
    drawn = [item for batch in DataLoader(Draws(2), num_workers=1, collate_fn=as_list) for item in batch]
    assert (asked, len(drawn)) == (["rank"], 2)
    assert workerseed.status().options == ("ranks",)
