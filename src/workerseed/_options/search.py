"""Searches a loader's objects for the generators that they store or that their code names."""

import dis
import gc
import os
import random
import sys
import threading
from functools import lru_cache
from itertools import compress
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import AbstractSet, Any, Dict, List, Sequence, Set, Tuple

import torch
from torch.utils.data import DataLoader

from .._attributes import attributes_of
from .rng import KINDS, global_generators, source_of

SAMPLE = 100  # of larger containers, and of more objects of one kind, the search follows this many
ATOMS = {id(cls) for cls in (bool, bytes, complex, float, int, str, type(None), CodeType, ModuleType)}
# What a thread refers to, it may draw from; a traceback leads to the variables of the whole program.
OPAQUE = (ModuleType, threading.Thread, TracebackType, torch.Tensor)
ARRAY: Any = getattr(sys.modules.get("numpy"), "ndarray", ())  # .rng has imported it
CONTAINERS: Any = (list, tuple, dict, set, frozenset, ARRAY)
NOT_SEARCHED = ("builtins", "torch", "numpy", "workerseed")
INSTALLED = (os.path.dirname(os.__file__) + os.sep, "site-packages", "dist-packages")  # parts of paths
NAME_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME")  # instructions
NAME_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")


def find_generators(roots: Dict[str, Any], leading: AbstractSet[Any] = frozenset()) -> Dict[str, Any]:
    """Return the generators that ``roots`` lead to, except the global ones, by path.

    The search follows attributes, slots, containers, closures, defaults, partials, caches and running generator
    functions. In functions and classes of the program, and of the package that a root comes from, it also follows the
    global variables that their code names. It does not touch the rest of the process: other threads may draw there.

    Of a large container, and of many objects of one kind, it follows a sample. If a sample leads to a generator, the
    search starts again and follows the whole container, or all objects of that kind. A kind is the type of the
    object, the type of its owner (both by id) and, for an attribute, its name.

    Args:
        roots: objects by name, such as a loader's ``dataset``.
        leading: the containers (by id) and kinds that earlier searches found to lead to generators.
    """
    found: Dict[str, Any] = {}
    led = set(leading)
    own_packages = set(map(_package, roots.values()))
    # By id. It keeps the objects alive, because an id is unique only among live objects.
    seen = {id(part): part for known in global_generators().values() for part in (known, source_of(known))}
    # Each with its path, such as `dataset.rng`, and the containers and kinds whose samples led to it.
    level: List[Tuple[Any, str, Tuple[Any, ...]]] = [(root, name, ()) for name, root in roots.items()]
    while level:
        by_kind: Dict[Any, List[Any]] = {}
        for value, path, sampled in level:
            if id(value) in seen or issubclass(type(value), random.SystemRandom):  # the latter has no state
                continue
            seen[id(value)] = value
            if issubclass(type(value), KINDS):
                path = path.replace("__mp_main__", "__main__", 1)  # as a spawned worker calls the script
                while path in found:
                    path += "'"
                found[path] = value
                led.update(sampled)
                continue
            most = sys.maxsize if id(value) in leading else SAMPLE
            try:
                parts = _parts(value, own_packages, most)
            except Exception:  # the object is odd, or another thread is changing it
                parts = [("", part) for part in gc.get_referents(value)]
            if len(parts) > most:
                sampled = (*sampled, id(value))
            owner = id(type(value))
            for name, part in parts:
                if id(type(part)) not in ATOMS:
                    first = name[:1]
                    kind = id(type(part)), owner, name if first == "." else ""
                    to_part = path + name if first in ("", ".", "[") else name
                    by_kind.setdefault(kind, []).append((part, to_part, sampled))
        level = []
        for kind, objects in by_kind.items():
            if len(objects) > SAMPLE and kind not in leading:
                sample = random.Random(0).sample(objects, SAMPLE)
                objects = [(value, path, (*sampled, kind)) for value, path, sampled in sample]
            level += objects
    return found if led == leading else find_generators(roots, led)


def _parts(value: Any, own_packages: Set[str], most: int) -> List[Tuple[str, Any]]:
    """Return what an object refers to, by name; from a container, at most ``most`` random entries."""
    cls = type(value)
    is_foreign = issubclass(cls, type) and not _is_searched(value, own_packages)
    if is_foreign or issubclass(cls, OPAQUE) or (cls is dict and "__builtins__" in value):  # of a module
        return []
    if issubclass(cls, DataLoader):  # its workers use neither its generator nor its sampler
        return [("." + name, attributes_of(value).get(name)) for name in ("dataset", "collate_fn", "worker_init_fn")]
    if cls is FrameType:  # of a generator function, before Python 3.11
        return [(f".<{name}>", part) for name, part in value.f_locals.items()]
    if cls is FunctionType:
        closed = [(f".<{name}>", cell) for name, cell in zip(value.__code__.co_freevars, value.__closure__ or ())]
        named = _named(value) if _is_searched(value, own_packages) else []
        return [*closed, ("", value.__defaults__), ("", value.__kwdefaults__), ("", vars(value)), *named]
    attributes = attributes_of(value)
    parts = [("." + str(name), part) for name, part in attributes.items()] + [("", cls)]
    if issubclass(cls, CONTAINERS):
        return parts + _entries(value, most)
    return parts + [("", part) for part in gc.get_referents(value) if part is not attributes]


def _entries(value: Any, most: int) -> List[Tuple[str, Any]]:
    """Return the keys and entries of a container, or of a sample if it has more than ``most``."""
    if issubclass(type(value), ARRAY):
        value = value.ravel().tolist() if value.dtype == object else []
    base: Any = next(base for base in CONTAINERS if issubclass(type(value), base))
    length = base.__len__(value)
    places: Sequence[int] = range(length) if length <= most else _places(length)
    if base in (list, tuple):
        return [(f"[{place}]", base.__getitem__(value, place)) for place in places]
    chosen = bytearray(length)
    for place in places:
        chosen[place] = True
    if base is not dict:
        return [("", entry) for entry in compress(base.__iter__(value), chosen)]
    pairs = list(compress(dict.items(value), chosen))
    named = [(f"[{key!r}]" if type(key) in (str, int) else "", entry) for key, entry in pairs]
    return [("", key) for key, _ in pairs] + named


@lru_cache(maxsize=100)
def _places(length: int) -> Sequence[int]:
    """Return the places of a sample. It is random: regular steps could miss what occurs at regular steps."""
    return sorted(random.Random(0).sample(range(length), SAMPLE))


def _package(value: Any) -> str:
    """Return the top-level package of a function or class, or of the class of something else."""
    cls = type(value)
    owner = value if issubclass(cls, (type, FunctionType, MethodType)) else cls
    return str(getattr(owner, "__module__", None)).partition(".")[0]


def _is_searched(value: Any, own_packages: Set[str]) -> bool:
    """Whether a function or class belongs to the program, or to the package that a root comes from."""
    package = _package(value)
    file = str(getattr(sys.modules.get(package), "__file__", None))
    is_own = package in own_packages or not any(part in file for part in INSTALLED)
    return is_own and package not in NOT_SEARCHED


def _named(function: FunctionType) -> List[Tuple[str, Any]]:
    """Return the global variables that a function's code names, in any module, by ``module.name``."""
    of_globals, of_attributes = (_names_in(function.__code__, kind) for kind in (NAME_GLOBALS, NAME_ATTRIBUTES))
    variables = function.__globals__
    names = variables if "globals" in of_globals else of_globals  # it may name any
    parts = [(f"{function.__module__}.{name}", variables.get(name, sys.modules.get(name))) for name in sorted(names)]
    modules: List[int] = []
    part: Any
    for _, part in parts:  # the list grows
        if issubclass(type(part), ModuleType) and id(part) not in modules:
            modules.append(id(part))
            found = attributes_of(part)  # this does not make a lazy module load
            parts += [(f"{found.get('__name__')}.{name}", found[name]) for name in sorted(of_attributes & set(found))]
    return parts


@lru_cache(maxsize=10000)
def _names_in(code: CodeType, instructions: Tuple[str, ...]) -> Set[str]:
    """Return the names in these instructions of the code, nested code included."""
    names = {part.argval for part in dis.get_instructions(code) if part.opname in instructions}
    return names.union(*(_names_in(inner, instructions) for inner in code.co_consts if isinstance(inner, CodeType)))
