"""What runs in the workers of an experiment: records the states of all known generators, and sets them."""

import hashlib
import os
import pickle
from contextlib import suppress
from typing import Any, Callable, Dict, Iterable, List, Optional

import torch

from .._options import rng
from .._options.search import find_generators

Generators = Dict[str, Any]

current: "Optional[Start]" = None  # in a worker: that which it called as it started


class UnknownError(Exception):
    """Why a loader cannot be judged."""


class Start:
    """What a worker calls in place of the user's ``worker_init_fn``, which it calls; then it follows the rounds.

    Args:
        init_fn: the user's function.
        roots: where to search for generators, objects by name.
        shifted: the names of those to draw from before the first batch, to see what depends on them.
    """

    def __init__(self, init_fn: Optional[Callable[[int], Any]], roots: Generators, shifted: Iterable[str]) -> None:
        self.init_fn, self.roots, self.shifted = init_fn, roots, list(shifted)
        self.parent = os.getpid()
        self.fixed = {name: get(generator) for name, generator in self.generators().items()}

    def __call__(self, worker_id: int) -> None:
        global current
        if os.getpid() == self.parent:
            raise UnknownError("its workers are threads, not processes")
        current, self.worker_id, self.round = self, worker_id, 0
        found = self.generators()
        self.before = states(found)
        if self.init_fn is not None:
            self.init_fn(worker_id)
        now = self.generators()
        self.made = [name for name in now if now[name] is not found.get(name)]
        self.seeded = [name for name in now if is_just_seeded(now[name])]
        for name in self.shifted:
            draw(now.get(name))
        self.started = states(now)

    def generators(self) -> Generators:
        return dict(rng.global_generators(), **find_generators(self.roots))

    def record(self, batch: Any, is_map_style: bool) -> Dict[str, Any]:
        """Return what happened up to this batch, and prepare the next round.

        After the natural round come two from fixed states; then the worker goes on from where it was.
        """
        now = self.generators()
        names = ("worker_id", "before", "started", "made", "seeded")
        record = {name.split("_")[0]: getattr(self, name) for name in names}
        record.update(after=states(now), batch=digest(batch))
        if is_map_style:
            self.round = (self.round + 1) % 3
            if self.round == 1:
                self.natural = {name: get(generator) for name, generator in now.items()}
            for name, state in dict(self.natural, **(self.fixed if self.round else {})).items():
                put(now.get(name), state)
                if self.round:  # or it might be where the worker started
                    draw(now.get(name))
        self.before = self.started = states(now)
        return record


class Collate:
    """Calls the user's ``collate_fn``; a record takes the place of what that returns."""

    def __init__(self, collate_fn: Callable[[Any], Any], is_map_style: bool) -> None:
        self.collate_fn, self.is_map_style = collate_fn, is_map_style

    def __call__(self, items: Any) -> List[Dict[str, Any]]:
        batch = self.collate_fn(items)
        if current is None:
            raise UnknownError("its workers do not call worker_init_fn")
        return [current.record(batch, self.is_map_style)]


def states(generators: Generators) -> Dict[str, str]:
    """Return a digest of the state of each generator; one odd generator hides no other."""
    found = {}
    for name, generator in generators.items():
        with suppress(Exception):
            found[name] = rng.state_of(generator)
    return found


def get(generator: Any) -> Any:
    """Return the whole state of a generator."""
    return generator.get_state() if hasattr(generator, "get_state") else rng.source_of(generator).__getstate__()


def put(generator: Any, state: Any) -> None:
    """Set what ``get`` returned; a generator of another kind may have that name now, and stays."""
    with suppress(Exception):
        if hasattr(generator, "set_state"):
            generator.set_state(state)
        else:
            rng.source_of(generator).__setstate__(state)


def draw(generator: Any) -> None:
    """Move a generator on."""
    with suppress(Exception):
        if isinstance(generator, torch.Generator):
            torch.rand(7, generator=generator)
        names = ("bytes", "random_raw", "getrandbits")
        next(getattr(generator, name) for name in names if hasattr(generator, name))(7)


def is_just_seeded(generator: Any) -> bool:
    """Whether nothing was drawn since it was seeded; Mersenne Twisters show it, which make 624 words at a time."""
    state = get(generator)
    return not (isinstance(state, tuple) and len(state) > 2) or 624 in (state[1][-1], state[2])


def digest(batch: Any) -> Optional[str]:
    """Return a digest of a batch, or None if it cannot be pickled; the pickles of tensors contain addresses."""
    hashed = hashlib.sha256()
    file: Any = type("File", (), {"write": staticmethod(hashed.update)})
    pickler: Any = pickle.Pickler(file, 4)
    pickler.fast = True  # without a memo: it does not count which objects are one and the same
    pickler.persistent_id = contents
    try:
        pickler.dump(batch)
    except Exception:
        return None
    return hashed.hexdigest()[:16]


def contents(part: Any) -> Any:
    """Return the bytes of a tensor; None for all else."""
    if not isinstance(part, torch.Tensor):
        return None
    try:
        array = part.detach().numpy()
    except Exception:
        array = part.detach().to(torch.float32).numpy()  # bfloat16
    return str(part.dtype), tuple(part.shape), array.tobytes()
