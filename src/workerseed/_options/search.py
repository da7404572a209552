"""Searches a loader's objects for the generators that they store or that their code names."""

import dis
import gc
import os
import random
import sys
import threading
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import torch
from torch.utils.data import DataLoader

from .._attributes import attributes_of
from .rng import KINDS, global_generators, source_of

SAMPLE = 100  # of more entries of a container, and of more objects of one kind, the search follows a sample
ATOMS = {id(cls) for cls in (bool, bytes, complex, float, int, str, type(None), CodeType, ModuleType)}
OPAQUE = (CodeType, ModuleType, threading.Thread, torch.Tensor)  # a thread may draw from what it refers to
NOT_SEARCHED = ("builtins", "torch", "numpy", "workerseed")
SITE_PACKAGES = {"site-packages", "dist-packages"}
STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
NAME_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME")  # instructions
NAME_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
Parts = List[Tuple[str, Any]]  # what an object refers to, by name


class Reached(NamedTuple):
    """An object that the search has reached.

    Attributes:
        value: the object.
        path: the names that lead to it from a root or a global variable, such as ``dataset.rng``.
        kind: the types of the object and of its owner, by id, and its name if it is an attribute.
        owner: the object that refers to it.
    """

    value: Any
    path: str
    kind: Tuple[int, int, str]
    owner: "Optional[Reached]"


def _reached(value: Any, name: str, owner: Reached) -> Reached:
    path = owner.path + name if name[:1] in ("", ".", "[") else name
    kind = id(type(value)), id(type(owner.value)), name if name[:1] == "." else ""
    return Reached(value, path, kind, owner)


def find_generators(roots: Dict[str, Any]) -> Dict[str, Any]:
    """Return the generators that ``roots`` lead to, except the global ones, by path.

    The search follows attributes, slots, containers, closures, defaults, partials, caches and running generator
    functions. In functions and classes of the program, and of the package that a root comes from, it also follows the
    global variables that their code names. It leaves the rest of the process alone: other threads may draw from that.

    Of many objects of one kind it follows a sample. If that leads to a generator, it follows the rest as well.

    Args:
        roots: objects by name, such as a loader's ``dataset``.
    """
    search = _Search(roots)
    level = [Reached(root, name, (0, 0, name), None) for name, root in roots.items()]
    while level:
        level = search.sampled([part for reached in level for part in search.next_after(reached)])
    return search.found


class _Search:
    """The state of one search.

    Attributes:
        found: the generators, by path.
        seen: the objects that it has reached, by id; it holds them, because an id is unique only among live objects.
        leading: the kinds, and the ids of objects, that led to a generator.
        left_out: what the samples left out, by kind, and containers that were followed in part, by id.
        own_packages: the packages of the roots.
    """

    def __init__(self, roots: Dict[str, Any]) -> None:
        self.found: Dict[str, Any] = {}
        self.seen = {id(part): part for known in global_generators().values() for part in (known, source_of(known))}
        self.leading: Set[Any] = set()
        self.left_out: Dict[Any, List[Reached]] = {}
        self.own_packages = {_package(root) for root in roots.values()}

    def next_after(self, reached: Reached) -> List[Reached]:
        """Return what to follow after ``reached``: what it refers to; after a generator, what was left out before."""
        value = reached.value
        if id(value) in self.seen or issubclass(type(value), random.SystemRandom):  # the latter has no state
            return []
        self.seen[id(value)] = value
        if issubclass(type(value), KINDS):
            return self._add(reached)
        most = sys.maxsize if id(value) in self.leading else SAMPLE
        try:
            parts = _parts(value, self.own_packages, most)
        except Exception:  # an odd object, or another thread changes it
            parts = [("", part) for part in gc.get_referents(value)]
        if len(parts) >= most:
            self.left_out[id(value)] = [reached]
        return [_reached(part, name, reached) for name, part in parts if id(type(part)) not in ATOMS]

    def _add(self, generator: Reached) -> List[Reached]:
        """Add a generator to those found; return what was left out and is like the objects that led to it."""
        path = generator.path
        while path in self.found:
            path += "'"
        self.found[path] = generator.value
        again: List[Reached] = []
        reached: Optional[Reached] = generator
        while reached is not None:
            self.leading |= {reached.kind, id(reached.value)}
            again += self.left_out.pop(reached.kind, [])
            if id(reached.value) in self.left_out:
                again += self.left_out.pop(id(reached.value))
                del self.seen[id(reached.value)]
            reached = reached.owner
        return again

    def sampled(self, level: List[Reached]) -> List[Reached]:
        """Return ``level`` with a random sample of each kind that has not led to a generator."""
        by_kind: Dict[Any, List[Reached]] = {}
        for reached in level:
            by_kind.setdefault(reached.kind, []).append(reached)
        for kind, objects in by_kind.items():
            if len(objects) > SAMPLE and kind not in self.leading:
                random.Random(0).shuffle(objects)
                self.left_out.setdefault(kind, []).extend(objects[SAMPLE:])
                del objects[SAMPLE:]
        return [reached for objects in by_kind.values() for reached in objects]


def _parts(value: Any, own_packages: Set[str], most: int) -> Parts:
    """Return what an object refers to; of a container, a random sample of ``most`` entries."""
    cls = type(value)
    if issubclass(cls, OPAQUE) or (cls is dict and "__builtins__" in value):  # of a module
        return []
    if issubclass(cls, DataLoader):  # its workers use neither its generator nor its sampler
        return [("." + name, attributes_of(value).get(name)) for name in ("dataset", "collate_fn", "worker_init_fn")]
    if cls is FrameType:  # of a generator function, before Python 3.11
        return [(f".<{name}>", part) for name, part in value.f_locals.items()]
    if cls is FunctionType:
        cells = zip(value.__code__.co_freevars, map(gc.get_referents, value.__closure__ or ()))
        closed = [(f".<{name}>", part) for name, parts in cells for part in parts]
        named = _named(value) if _is_searched(value, own_packages) else []
        return [*closed, ("", value.__defaults__), ("", value.__kwdefaults__), ("", vars(value)), *named]
    if issubclass(cls, type) and not _is_searched(value, own_packages):
        return []
    attributes = vars(value) if issubclass(cls, type) else attributes_of(value)
    parts = [("." + str(name), part) for name, part in attributes.items()] + [("", cls)]
    entries = _entries(value, most)
    if entries is None:
        entries = [("", part) for part in gc.get_referents(value) if part is not attributes]
    return parts + entries


def _entries(value: Any, most: int) -> Optional[Parts]:
    """Return a random sample of ``most`` entries of a container; None if it is not one of Python's or NumPy's."""
    cls: Any = type(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(cls, numpy.ndarray):
        value, cls = value.ravel().tolist() if value.dtype == object else [], list
    base: Any = next((base for base in (list, tuple, dict, set, frozenset) if issubclass(cls, base)), None)
    if base is None:
        return None
    places = _places(base.__len__(value), most)
    if base in (list, tuple):
        return [(f"[{place}]", base.__getitem__(value, place)) for place in places]
    items = iter(dict.items(value) if base is dict else base.__iter__(value))
    skipped = [place - before - 1 for before, place in zip([-1, *places], places)]
    picked = [item for count in skipped for item in islice(items, count, count + 1)]
    if base is not dict:
        return [("", entry) for entry in picked]
    entries = [(f"[{key!r}]" if type(key) in (str, int) else "", entry) for key, entry in picked]
    return [("", key) for key, _ in picked] + entries


def _places(length: int, most: int) -> Sequence[int]:
    """Return ``most`` places at random, in order: regular steps could miss what comes at regular steps itself."""
    return range(length) if length <= most else sorted(random.Random(0).sample(range(length), most))


def _package(value: Any) -> str:
    """Return the top-level package of a function or class, or of the class of something else."""
    cls = type(value)
    owner = value if issubclass(cls, (type, FunctionType, MethodType)) else cls
    return str(getattr(owner, "__module__", None)).partition(".")[0]


def _is_searched(value: Any, own_packages: Set[str]) -> bool:
    """Whether the code of a function or class is the program's, or of the package that a root comes from."""
    package = _package(value)
    if package in NOT_SEARCHED:
        return False
    file = str(getattr(sys.modules.get(package), "__file__", None))
    installed = file.startswith(STANDARD_LIBRARY) or not SITE_PACKAGES.isdisjoint(file.split(os.sep))
    return package in own_packages or not installed


def _named(function: FunctionType) -> Parts:
    """Return the global variables that a function's code names, by ``module.name``, also those of other modules."""
    of_globals, of_attributes = (_names_in(function.__code__, kind) for kind in (NAME_GLOBALS, NAME_ATTRIBUTES))
    variables = function.__globals__
    names = variables if "globals" in of_globals else of_globals  # it may name any
    parts = [(f"{function.__module__}.{name}", variables.get(name, sys.modules.get(name))) for name in sorted(names)]
    modules = [part for _, part in parts if isinstance(part, ModuleType)]
    for module in modules:
        for name in sorted(of_attributes & set(vars(module))):
            part = vars(module)[name]
            parts.append((f"{module.__name__}.{name}", part))
            if isinstance(part, ModuleType) and part not in modules:
                modules.append(part)
    return parts


@lru_cache(maxsize=None)
def _names_in(code: CodeType, instructions: Tuple[str, ...]) -> Set[str]:
    """Return the names that these instructions have in code and in the code within it."""
    names = {part.argval for part in dis.get_instructions(code) if part.opname in instructions}
    return names.union(*(_names_in(inner, instructions) for inner in code.co_consts if isinstance(inner, CodeType)))
