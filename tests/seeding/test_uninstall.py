"""uninstall() puts the originals back; where somebody has wrapped ours, that stays and nothing is seeded."""

import copyreg
import sys
import threading

import pytest
import wrapt
from support import ITERATOR, ROOT_CLASS, Draws, draws, expected_draws, only_legacy, start_method
from torch.utils.data import DataLoader

import workerseed

pytestmark = [only_legacy, pytest.mark.timeout(60)]

CLASSES = (DataLoader, ROOT_CLASS)


def patched_attributes():
    for cls in CLASSES:
        copyreg._slotnames(cls)  # pickle keeps them in the class
    return [dict(vars(cls)) for cls in CLASSES]


STOCK = patched_attributes()


@pytest.fixture(autouse=True)
def stock_torch_afterwards():
    """Installs workerseed, twice: that patches once. All that a test changed goes at the end."""
    workerseed.install()
    workerseed.install()
    yield
    workerseed.uninstall()
    for cls, stock in zip(CLASSES, STOCK):
        for name in [name for name in vars(cls) if name not in stock]:
            delattr(cls, name)
        cls.__init__ = stock["__init__"]


def is_stock():
    return patched_attributes() == STOCK


def is_seeded(loader=None):
    """Whether workers draw what those of torch 1.9 draw; otherwise all draw the same, as on stock torch."""
    drawn = draws(loader or DataLoader(Draws(), num_workers=2))
    assert drawn == expected_draws() or drawn[0] == drawn[1]
    return drawn == expected_draws()


def test_the_originals_are_back():
    loader = DataLoader(Draws(), num_workers=2)
    assert not is_stock()
    workerseed.uninstall()
    assert is_stock()
    assert not is_seeded()
    assert not is_seeded(loader)


@pytest.mark.parametrize("cls", CLASSES)
def test_the_constructors_are_wrapped_with_wrapt(cls):
    assert isinstance(vars(cls)["__init__"], wrapt.FunctionWrapper)


def test_a_constructor_that_was_saved_replaced_and_put_back_goes_too():
    for cls in CLASSES:
        saved = cls.__init__
        cls.__init__ = lambda *args, **kwargs: None
        cls.__init__ = saved
    assert is_seeded()
    workerseed.uninstall()
    assert is_stock()


@pytest.mark.parametrize("name", ["_worker_init_fn", "worker_init_fn"])
def test_an_attribute_of_the_class_that_was_there_before_comes_back(name):
    workerseed.uninstall()
    setattr(ROOT_CLASS, name, print)
    workerseed.install()
    assert is_seeded()
    workerseed.uninstall()
    assert vars(ROOT_CLASS)[name] is print


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


@pytest.mark.parametrize("wrap", [plain_function, wrapper_of_wrapt, Proxy])
@pytest.mark.parametrize("cls, stock", zip(CLASSES, STOCK))
def test_the_wrapper_of_somebody_else_stays_and_nothing_is_seeded(cls, stock, wrap):
    theirs = cls.__init__ = wrap(vars(cls)["__init__"])
    assert is_seeded()
    workerseed.uninstall()
    assert vars(cls)["__init__"] is theirs
    if wrap is not plain_function:  # it says what it wraps: the original again
        assert theirs.__wrapped__ is stock["__init__"]
    assert [name for name in vars(DataLoader(range(2), num_workers=1)) if "workerseed" in name] == []
    assert not is_seeded()


@pytest.fixture
def bundled(monkeypatch):
    """The module ``_install`` of another copy of workerseed, such as one that a program ships, which is on."""
    package = type(sys)("bundled_workerseed")
    package.__path__ = workerseed.__path__
    monkeypatch.setitem(sys.modules, package.__name__, package)
    copy = __import__("bundled_workerseed._install", fromlist=["install"])
    copy.install()
    yield copy
    for name in [name for name in sys.modules if name.startswith("bundled_workerseed.")]:
        del sys.modules[name]


@pytest.mark.parametrize("first", ["workerseed", "the other"])
def test_two_copies_uninstall_in_either_order(bundled, first):
    one, other = (workerseed, bundled) if first == "workerseed" else (bundled, workerseed)
    assert is_seeded()
    one.uninstall()
    assert is_seeded()
    other.uninstall()
    assert is_stock()
    assert not is_seeded()


def test_status_and_uninstall_work_beside_a_thread_that_defines_iterators():
    thread = threading.Thread(target=lambda: [type("Iterator", (ITERATOR,), {}) for _ in range(5000)])
    thread.start()
    while thread.is_alive():
        workerseed.install()
        assert workerseed.status().state == "active"
        workerseed.uninstall()
    assert is_stock()


def drop_modules(drop):
    for name in [name for name in sys.modules if name.split(".")[0] == "workerseed"]:
        drop(sys.modules, name)


def test_workers_are_spawned_where_the_modules_of_workerseed_were_dropped(monkeypatch):
    drop_modules(monkeypatch.delitem)
    with start_method("spawn") as options:
        assert draws(DataLoader(Draws(), num_workers=1, **options)) == expected_draws(workers=1)


@pytest.fixture
def import_again(monkeypatch):
    """Drops the modules of workerseed from ``sys.modules`` and imports it again, as a program may."""

    def run():
        drop_modules(monkeypatch.delitem)
        return __import__("workerseed")

    yield run
    drop_modules(dict.pop)


@pytest.mark.parametrize("wrap", [None, wrapper_of_wrapt])
def test_a_package_that_is_imported_again_replaces_the_wrappers_of_the_former_import(import_again, wrap):
    for cls in CLASSES if wrap else ():
        cls.__init__ = wrap(vars(cls)["__init__"])
    again = import_again()
    assert (again.status().state, is_seeded()) == ("active", True)
    again.uninstall()
    assert (again.status().state, is_seeded()) == ("off", False)
    wrapped = [vars(cls)["__init__"].__wrapped__ for cls in CLASSES] if wrap else []
    assert is_stock() or wrapped == [stock["__init__"] for stock in STOCK]


def test_the_options_of_a_package_that_is_imported_again_count(import_again):
    asked = []
    again = import_again()
    again.install(["ranks"], rank=lambda: asked.append("rank") or 0)
    assert again.status().options == ("ranks",)
    assert is_seeded()
    assert asked == ["rank"]
