"""Searches from a loader's objects for the generators that they store or that their code names."""

import dis
import gc
import os
import random
import sys
import threading
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

import torch
from torch.utils.data import DataLoader

from . import attributes_of
from .rng import KINDS, global_generators, source_of

SAMPLE = 100  # of more entries of a container, or more objects of one kind, the search takes about so many
ATOMS = {id(cls) for cls in (bool, bytes, complex, float, int, str, type(None), CodeType, ModuleType)}
OPAQUE = (CodeType, ModuleType, threading.Thread, torch.Tensor)  # a thread may draw from what it refers to
LIBRARIES = ("site-packages", "dist-packages")
STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
Parts = List[Tuple[str, Any]]  # what an object refers to, by name


class Reached(NamedTuple):
    """An object that the search has reached, the name that led to it, such as ``.rng``, and the object that has it."""

    value: Any
    name: str
    owner: "Optional[Reached]"

    def path(self) -> str:
        """Return the names from a root, or from a global variable, to here."""
        names, reached = [self.name], self.owner
        while reached is not None and names[-1][:1] in ("", ".", "["):
            names.append(reached.name)
            reached = reached.owner
        return "".join(reversed(names))

    def kind(self) -> Tuple[Any, ...]:
        """Return the types of the object and of its owner, and its name as an attribute."""
        return type(self.value), self.owner and type(self.owner.value), self.name if self.name[:1] == "." else ""


def find_generators(roots: Dict[str, Any]) -> Dict[str, Any]:
    """Return the generators that ``roots`` lead to, except the global ones, by path, such as ``dataset.rng``.

    It searches attributes, slots, containers, closures, defaults, partials, caches and running generator functions. In
    functions and classes of the program, and of the package that a root comes from, it also searches the global
    variables that their code names. It leaves the rest of the process alone: other threads may draw from that.

    Of many objects of one kind it searches a sample. Where that leads to a generator, it searches the rest, too.

    Args:
        roots: objects by name, such as a loader's ``dataset``.
    """
    excluded = [part for generator in global_generators().values() for part in (generator, source_of(generator))]
    # It holds what it has seen: an id is that of one object only as long as this lives.
    seen: Dict[Any, Any] = {id(part): part for part in excluded}
    own_packages = {_package(part) for root in roots.values() for part in (root, type(root))}
    found: Dict[str, Any] = {}
    left_out: Dict[Any, List[Reached]] = {}  # by their kind; a container in part, by its id
    leading: Set[Any] = set()  # the kinds and ids that led to a generator
    level = [Reached(root, name, None) for name, root in roots.items()]
    while level:
        reached_now, level = level, []
        for reached in reached_now:
            value = reached.value
            if id(value) in seen:
                continue
            seen[id(value)] = value
            if not issubclass(type(value), KINDS):
                try:
                    parts, complete = _parts(value, own_packages, sys.maxsize if id(value) in leading else SAMPLE)
                except Exception:  # an odd object, or another thread changes it
                    parts, complete = [("", part) for part in gc.get_referents(value)], True
                level += [Reached(part, name, reached) for name, part in parts if id(type(part)) not in ATOMS]
                if not complete:
                    left_out[id(value)] = [reached]
            elif not issubclass(type(value), random.SystemRandom):  # it has no state
                path = reached.path()
                while path in found:
                    path += "'"
                found[path] = value
                ancestor: Optional[Reached] = reached
                while ancestor is not None:
                    for key in (ancestor.kind(), id(ancestor.value)):
                        leading.add(key)
                        if key in left_out:
                            level += left_out.pop(key)
                            seen.pop(key, None)
                    ancestor = ancestor.owner
        level = _sample(level, leading, left_out)
    return found


def _sample(level: List[Reached], leading: Set[Any], left_out: Dict[Any, List[Reached]]) -> List[Reached]:
    """Return ``level`` with a sample of each kind of which it has many; add the rest to ``left_out``."""
    if len(level) <= SAMPLE:
        return level
    by_kind: Dict[Any, List[Reached]] = {}
    for reached in level:
        by_kind.setdefault(reached.kind(), []).append(reached)
    chosen: List[Reached] = []
    for kind, objects in by_kind.items():
        picked = set(_picked(len(objects), len(objects) if kind in leading else SAMPLE))
        chosen += [objects[i] for i in sorted(picked)]
        if len(picked) < len(objects):
            left_out.setdefault(kind, []).extend(part for i, part in enumerate(objects) if i not in picked)
    return chosen


def _picked(length: int, most: int) -> Iterable[int]:
    """Return indices at random: at regular steps, a sample might miss what comes at regular steps itself."""
    return range(length) if length <= most else random.Random(0).sample(range(length), most)


def _parts(value: Any, own_packages: Set[str], most: int) -> Tuple[Parts, bool]:
    """Return what an object refers to, of a container about ``most`` entries, and whether that is all."""
    cls = type(value)
    if issubclass(cls, OPAQUE) or value is sys.modules or (cls is dict and "__builtins__" in value):  # of a module
        return [], True
    if issubclass(cls, DataLoader):  # its workers use neither its generator nor its sampler
        used = ("dataset", "collate_fn", "worker_init_fn")
        return [("." + name, attributes_of(value).get(name)) for name in used], True
    if cls is FrameType:  # of a generator function, before Python 3.11
        return [(f".<{name}>", part) for name, part in value.f_locals.items()], True
    if cls is FunctionType:
        cells = zip(value.__code__.co_freevars, map(gc.get_referents, value.__closure__ or ()))
        closed = [(f".<{name}>", part) for name, parts in cells for part in parts]
        named = _named(value) if _is_searched(value, own_packages) else []
        return [*closed, ("", value.__defaults__), ("", value.__kwdefaults__), ("", vars(value)), *named], True
    if issubclass(cls, type) and not _is_searched(value, own_packages):
        return [], True
    attributes = vars(value) if issubclass(cls, type) else attributes_of(value)
    parts = [("." + str(name), part) for name, part in attributes.items()] + [("", cls)]
    entries, length = _entries(value, cls, most)
    if entries is None:
        return [*parts, *(("", part) for part in gc.get_referents(value) if part is not attributes)], True
    return parts + entries, length <= most


def _entries(value: Any, cls: type, most: int) -> Tuple[Optional[Parts], int]:
    """Return about ``most`` entries of a container, and how many it has; None if it is none of Python or NumPy."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(cls, numpy.ndarray):
        get, length = value.flat.__getitem__, value.size if value.dtype == object else 0
        return [(f"[{i}]", get(i)) for i in _picked(length, most)], length
    base: Any = next((base for base in (list, tuple, dict, set, frozenset) if issubclass(cls, base)), None)
    if base is None:
        return None, 0
    length = base.__len__(value)
    if base in (list, tuple):
        return [(f"[{i}]", base.__getitem__(value, i)) for i in _picked(length, most)], length
    if base is not dict:
        return [("", entry) for entry in islice(base.__iter__(value), 0, None, (length - 1) // most + 1)], length
    parts: Parts = []
    for key, entry in islice(dict.items(value), 0, None, (length - 1) // most + 1):
        parts += [("", key), (f"[{key!r}]" if type(key) in (str, int) else "", entry)]
    return parts, length


def _package(value: Any) -> str:
    return str(getattr(value, "__module__", None)).partition(".")[0]


def _is_searched(value: Any, own_packages: Set[str]) -> bool:
    """Whether the code of a function or class is the program's, or of the package that a root comes from."""
    package = _package(value)
    if package in ("builtins", "torch", "numpy", "workerseed"):
        return False
    file = str(getattr(sys.modules.get(package), "__file__", None))
    installed = file.startswith(STANDARD_LIBRARY) or any(name in file.split(os.sep) for name in LIBRARIES)
    return package in own_packages or not installed


def _named(function: FunctionType) -> Parts:
    """Return the global variables that a function's code names, by ``module.name``, also those of other modules."""
    of_globals, of_attributes = _names(function.__code__)
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
def _names(code: CodeType) -> Tuple[Set[str], Set[str]]:
    """Return the names of global variables and imported modules, and of attributes, that code has."""
    of_globals: Set[str] = set()
    of_attributes: Set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"):
            of_globals.add(instruction.argval)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"):
            of_attributes.add(instruction.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            of_globals.update(_names(inner)[0])
            of_attributes.update(_names(inner)[1])
    return of_globals, of_attributes
