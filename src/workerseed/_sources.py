"""The sources of randomness in a worker, each by its path, and the state that each is in; for ``workerseed check``."""

import collections
import contextlib
import functools
import hashlib
import random
import types
from typing import Any, Dict, Iterator, Tuple

from ._rng import _plain as plain
from ._rng import global_generators as process_wide
from ._rng import kinds as kinds_of_generators

ATOMS = (str, bytes, int, float, complex, bool, type(None), types.ModuleType)
Parts = Iterator[Tuple[str, Any]]


def states_of(roots: Dict[str, Any]) -> Dict[str, str]:
    """Return the state of each process-wide generator, and of each that can be reached from ``roots``, by its path.

    Args:
        roots: objects by name; a path begins with that, as in ``dataset.transform.rng``.
    """
    sources = {**process_wide(), **dict(held_generators(roots))}
    return {path: state_of(generator) for path, generator in sources.items()}


def state_of(generator: Any) -> str:
    """Return a digest of all that decides what a generator is going to draw."""
    if isinstance(generator, random.Random):
        state: Any = generator.getstate()
    elif not hasattr(generator, "get_state"):  # a Generator of NumPy, or a bit generator alone
        state = getattr(generator, "bit_generator", generator).state
    else:
        state = generator.get_state()
        if isinstance(state, tuple):  # RandomState: the low 31 bits of the first key word reach no output
            name, key, *others = state
            state = (name, int(key[0]) >> 31, key[1:], *others)
    return hashlib.sha256(repr(plain(state)).encode()).hexdigest()[:16]


def held_generators(roots: Dict[str, Any]) -> Parts:
    """Yield every generator that can be reached from ``roots``, but the process-wide ones, and its path."""
    kinds = kinds_of_generators()
    seen = {id(generator): generator for generator in process_wide().values()}
    waiting = collections.deque(roots.items())
    while waiting:
        path, owner = waiting.popleft()
        if id(owner) in seen:
            continue
        seen[id(owner)] = owner  # holds it: an id counts only as long as its object lives
        if isinstance(owner, kinds):
            if not isinstance(owner, random.SystemRandom):
                yield path, owner
        else:
            waiting.extend((name, part) for name, part in parts_of(path, owner) if not isinstance(part, ATOMS))


def parts_of(path: str, owner: Any) -> Parts:
    """Yield what ``owner`` holds, with its path."""
    if isinstance(owner, dict):
        yield from ((f"{path}[{key!r}]", part) for key, part in owner.items() if not isinstance(part, ATOMS))
    elif isinstance(owner, (list, tuple, set, frozenset)):
        yield from ((f"{path}[{i}]", part) for i, part in enumerate(owner) if not isinstance(part, ATOMS))
    if isinstance(owner, functools.partial):
        yield path + ".func", owner.func
        yield from parts_of(path + ".args", owner.args)
        yield from parts_of(path + ".keywords", owner.keywords)
    elif isinstance(owner, (types.MethodType, types.BuiltinMethodType)):
        yield path + ".__self__", owner.__self__
        yield path, getattr(owner, "__func__", None)
    elif isinstance(owner, types.FunctionType):
        yield from parts_of_function(path, owner)
    elif not isinstance(owner, type):
        for cls in type(owner).__mro__:
            if cls.__module__.split(".")[0] not in ("builtins", "torch", "numpy"):
                yield from ((f"{path}.{name}", part) for name, part in vars(cls).items() if is_of_class(name, part))
                slots = vars(cls).get("__slots__", ())
                for name in [slots] if isinstance(slots, str) else slots:
                    if hasattr(owner, name):
                        yield f"{path}.{name}", getattr(owner, name)
        yield from ((f"{path}.{name}", part) for name, part in getattr(owner, "__dict__", {}).items())


def is_of_class(name: str, part: object) -> bool:
    return isinstance(part, types.FunctionType) or not (name.startswith("__") or hasattr(type(part), "__get__"))


def parts_of_function(path: str, function: types.FunctionType) -> Parts:
    """Yield what a function closes over, its defaults, and the global variables of its module that it names."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        with contextlib.suppress(ValueError):  # not assigned yet
            yield f"{path}.<{name}>", cell.cell_contents
    yield from ((f"{path}.__defaults__[{i}]", part) for i, part in enumerate(function.__defaults__ or ()))
    yield from ((f"{path}.__kwdefaults__[{name!r}]", part) for name, part in (function.__kwdefaults__ or {}).items())
    for name in function.__code__.co_names:
        part = function.__globals__.get(name)
        if not isinstance(part, types.FunctionType) or part.__module__ == function.__module__:
            yield f"{function.__module__}.{name}", part
