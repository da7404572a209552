"""Searches from a loader's objects for the generators that they store or whose name their code has."""

import dis
import gc
import os
import random
import sys
import threading
from itertools import islice
from types import CodeType, FrameType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Set, Tuple

import torch
from torch.utils.data import DataLoader

from ._rng import global_generators, kinds, source_of

LARGE = 1000  # entries of a container; in a larger one, entries of one type are taken to be alike
SAMPLE = 100  # entries of each type that are searched there
ATOMS = {id(cls) for cls in (bool, bytes, complex, float, int, str, type(None), CodeType, ModuleType)}
OPAQUE = (CodeType, ModuleType, threading.Thread, torch.Tensor)  # a thread may draw from what it refers to
LIBRARIES = ("site-packages", "dist-packages")
STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


class Reached(NamedTuple):
    """An object that the search has reached, and the one that refers to it."""

    value: Any
    owner: "Optional[Reached]"


def find_generators(roots: Dict[str, Any]) -> List[Any]:
    """Return the generators that ``roots`` lead to, except the global ones.

    It searches attributes, slots, containers, closures, defaults, partials, caches and running generator functions. In
    functions and classes of the program, and of the package that a root comes from, it also searches the global
    variables that their code names. It leaves the rest of the process alone: other threads may draw from that.

    Args:
        roots: objects by name, such as a loader's ``dataset``.
    """
    return [reached.value for reached in _search(roots)]


def named_generators(roots: Dict[str, Any]) -> Dict[str, Any]:
    """Return the same generators by the path that leads to each, such as ``dataset.transform.rng``."""
    names = {id(root): name for name, root in reversed(list(roots.items()))}
    named: Dict[str, Any] = {}
    labels: Dict[int, Dict[int, str]] = {}
    for reached in _search(roots):
        path = _path(reached, names, labels)
        while path in named:
            path += "'"
        named[path] = reached.value
    return named


def _search(roots: Dict[str, Any]) -> List[Reached]:
    of_generators = kinds()
    excluded = [part for generator in global_generators().values() for part in (generator, source_of(generator))]
    known = {id(part): Reached(part, None) for part in excluded}
    own_packages = {_package(root) for root in roots.values()} | {_package(type(root)) for root in roots.values()}
    sampled: Dict[int, Reached] = {}
    found: List[Reached] = []
    waiting = [Reached(root, None) for root in roots.values()]
    while waiting:
        next_level: List[Reached] = []
        for reached in waiting:
            value, cls = reached.value, type(reached.value)
            if id(cls) in ATOMS or id(value) in known:
                continue
            known[id(value)] = reached  # holds it: an id counts only as long as its object lives
            if issubclass(cls, of_generators):
                if not issubclass(cls, random.SystemRandom):  # it has no state
                    found.append(reached)
                continue
            parts, complete = _parts_or_sample(value, own_packages)
            if not complete:
                sampled[id(value)] = reached
            next_level += [Reached(part, reached) for part in parts]
        if not next_level:  # where a sample has led to a generator, each entry may lead to one
            for owner in {id(owner.value) for reached in found for owner in _owners(reached)} & set(sampled):
                reached = sampled.pop(owner)
                next_level += [Reached(part, reached) for part in gc.get_referents(reached.value)]
        waiting = next_level
    return found


def _owners(reached: Reached) -> Iterator[Reached]:
    while reached.owner is not None:
        reached = reached.owner
        yield reached


def _parts_or_sample(value: Any, own_packages: Set[str]) -> Tuple[List[Any], bool]:
    """Return what an object refers to, and True; or a sample of a large container, and False."""
    try:
        entries: Any = value.values() if type(value) is dict else value
        if type(value) not in (dict, list, tuple, set, frozenset) or len(value) <= LARGE:
            entries = _parts(value, own_packages)
            if len(entries) <= LARGE:
                return entries, True
        by_type: Dict[int, List[Any]] = {}
        for part in islice(entries, 0, None, len(entries) // LARGE):
            by_type.setdefault(id(type(part)), []).append(part)
        return [part for same in by_type.values() for part in same[:SAMPLE]], False
    except Exception:  # an odd object, or another thread changes it
        return gc.get_referents(value), True


def _parts(value: Any, own_packages: Set[str]) -> List[Any]:
    cls = type(value)
    if issubclass(cls, OPAQUE):
        return []
    if value is sys.modules or (cls is dict and "__builtins__" in value):  # all modules, or the variables of one
        return []
    if issubclass(cls, DataLoader):  # its workers use neither its generator nor its sampler
        return [vars(value).get(name) for name in ("dataset", "collate_fn", "worker_init_fn")]
    if cls is FrameType:  # of a generator function, before Python 3.11
        return list(value.f_locals.values())
    if cls is FunctionType:
        cells = [part for cell in value.__closure__ or () for part in gc.get_referents(cell)]
        named = _named(value).values() if _is_searched(value, own_packages) else ()
        return [*cells, value.__defaults__, value.__kwdefaults__, vars(value), *named]
    if issubclass(cls, type) and not _is_searched(value, own_packages):
        return []
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return list(value.ravel()) if value.dtype == object else []
    return [*gc.get_referents(value), cls]


def _package(value: Any) -> str:
    return str(getattr(value, "__module__", None)).partition(".")[0]


def _is_searched(value: Any, own_packages: Set[str]) -> bool:
    """Whether the code of a function or class is the program's, or of the package that a root comes from."""
    package = _package(value)
    if package in ("builtins", "torch", "numpy", "workerseed"):
        return False
    if package in own_packages:
        return True
    file = str(getattr(sys.modules.get(package), "__file__", None))
    return not (file.startswith(STANDARD_LIBRARY) or any(name in file.split(os.sep) for name in LIBRARIES))


def _named(function: FunctionType) -> Dict[str, Any]:
    """Return the global variables that a function's code names, by ``module.name``, also those of other modules."""
    of_globals, of_attributes = _names(function.__code__)
    variables = function.__globals__
    if "globals" in of_globals:  # it may name any
        of_globals = frozenset(variables)
    named = {f"{function.__module__}.{name}": variables.get(name, sys.modules.get(name)) for name in sorted(of_globals)}
    modules = [part for part in named.values() if isinstance(part, ModuleType)]
    for module in modules:
        for name in sorted(of_attributes & set(vars(module))):
            part = vars(module)[name]
            named[f"{module.__name__}.{name}"] = part
            if isinstance(part, ModuleType) and part not in modules:
                modules.append(part)
    return named


_names_of: Dict[CodeType, Tuple[FrozenSet[str], FrozenSet[str]]] = {}


def _names(code: CodeType) -> Tuple[FrozenSet[str], FrozenSet[str]]:
    """Return the names of global variables and imported modules, and of attributes, that code has."""
    if code not in _names_of:
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
        _names_of[code] = frozenset(of_globals), frozenset(of_attributes)
    return _names_of[code]


def _path(reached: Reached, names: Dict[int, str], labels: Dict[int, Dict[int, str]]) -> str:
    """Return the path from a root. ``labels`` keeps those of the parts of each owner."""
    if reached.owner is None:
        return names[id(reached.value)]
    owner = reached.owner.value
    if id(owner) not in labels:
        labels[id(owner)] = _labels(owner, reached.owner.owner)
    label = labels[id(owner)].get(id(reached.value), "")
    return label if label and label[0] not in ".[" else _path(reached.owner, names, labels) + label


def _labels(owner: Any, holder: Optional[Reached]) -> Dict[int, str]:
    """Return what to call each part of ``owner``, which ``holder`` refers to."""
    if type(owner) is dict:
        attributes = holder is not None and (isinstance(holder.value, type) or _attributes(holder.value) is owner)
        if attributes:
            return {id(part): f".{key}" for key, part in owner.items()}
        return {id(part): f"[{key!r}]" for key, part in owner.items() if type(key) in (str, int)}
    if isinstance(owner, (list, tuple)):
        return {id(part): f"[{i}]" for i, part in enumerate(owner)}
    if isinstance(owner, FunctionType):
        cells = [gc.get_referents(cell) for cell in owner.__closure__ or ()]
        closed = {id(part): f".<{name}>" for name, parts in zip(owner.__code__.co_freevars, cells) for part in parts}
        return {**{id(part): name for name, part in _named(owner).items()}, **closed}
    slots = {id(part): f".{name}" for name, part in _slots(owner)}
    slots.update((id(part), f".{name}") for name, part in _attributes(owner).items())
    return slots


def _attributes(value: Any) -> Dict[str, Any]:
    try:
        return object.__getattribute__(value, "__dict__")  # type: ignore[no-any-return]
    except Exception:
        return {}


def _slots(value: Any) -> Iterator[Tuple[str, Any]]:
    for cls in type(value).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, MemberDescriptorType):
                try:
                    yield name, member.__get__(value)
                except AttributeError:  # not set
                    continue
