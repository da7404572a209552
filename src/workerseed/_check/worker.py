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
ROUNDS = 3  # batches of a worker: one as it happens, two from the same states

current: "Optional[Start]" = None  # in a worker: the one it called when it started


class UnknownError(Exception):
    """Why a loader cannot be judged, and what it printed."""


class Start:
    """Replaces the user's ``worker_init_fn``: calls it, then records what each batch does to the generators.

    Args:
        init_fn: the user's function.
        roots: where to search for generators, objects by name.
        shifted: the names of generators to move on before the first batch, to see what depends on them.
    """

    def __init__(self, init_fn: Optional[Callable[[int], Any]], roots: Generators, shifted: Iterable[str]) -> None:
        self.init_fn, self.roots, self.shifted = init_fn, roots, list(shifted)
        self.parent, self.round = os.getpid(), 0
        self.fixed = {name: get(generator) for name, generator in self.generators().items()}

    def __call__(self, worker_id: int) -> None:
        global current
        if os.getpid() == self.parent:
            raise UnknownError("its workers are threads, not processes")
        current, self.worker_id = self, worker_id
        found = self.generators()
        self.before = states(found)
        if self.init_fn is not None:
            self.init_fn(worker_id)
        now = self.generators()
        self.seeded = [name for name in now if now[name] is not found.get(name) or is_just_seeded(now[name])]
        for name in self.shifted:
            draw(now.get(name))
        self.started = states(now)

    def generators(self) -> Generators:
        return dict(rng.global_generators(), **find_generators(self.roots))

    def record(self, batch: Any, is_map_style: bool) -> Dict[str, Any]:
        """Return what happened up to this batch, and prepare the next one.

        After the natural batch come two from fixed states. Then the worker continues from where it was.
        """
        now = self.generators()
        record = {"worker": self.worker_id, "before": self.before, "started": self.started, "seeded": self.seeded}
        record.update(after=states(now), batch=digest(batch))
        if is_map_style:
            self.round = (self.round + 1) % ROUNDS
            if self.round == 1:
                self.natural = {name: get(generator) for name, generator in now.items()}
            for name, state in dict(self.natural, **(self.fixed if self.round else {})).items():
                put(now.get(name), state)
                if self.round:  # or it might be where the worker started
                    draw(now.get(name))
        self.before = self.started = states(now)
        return record


class Collate:
    """Calls the user's ``collate_fn``, and returns a record in place of the batch."""

    def __init__(self, collate_fn: Callable[[Any], Any], is_map_style: bool) -> None:
        self.collate_fn, self.is_map_style = collate_fn, is_map_style

    def __call__(self, items: Any) -> List[Dict[str, Any]]:
        batch = self.collate_fn(items)
        if current is None:
            raise UnknownError("its workers do not call worker_init_fn")
        return [current.record(batch, self.is_map_style)]


def states(generators: Generators) -> Dict[str, str]:
    """Return a digest of the state of each generator; one odd generator does not hide the others."""
    found = {}
    for name, generator in generators.items():
        with suppress(Exception):
            found[name] = rng.state_of(generator)
    return found


def get(generator: Any) -> Any:
    """Return the whole state of a generator."""
    return generator.get_state() if hasattr(generator, "get_state") else rng.source_of(generator).__getstate__()


def put(generator: Any, state: Any) -> None:
    """Set what ``get`` returned, unless another kind of generator has that name now."""
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
    """Whether nothing was drawn since it was seeded. Only Mersenne Twisters show it: they make 624 words at a time."""
    state = get(generator)
    return not (isinstance(state, tuple) and len(state) > 2) or 624 in (state[1][-1], state[2])


def digest(batch: Any) -> Optional[str]:
    """Return a digest of a batch, or None if it cannot be pickled. Pickled tensors contain addresses."""
    hashed = hashlib.sha256()
    file: Any = type("File", (), {"write": staticmethod(hashed.update)})
    pickler: Any = pickle.Pickler(file, 4)
    pickler.fast = True  # without a memo: equal objects and identical ones count the same
    pickler.persistent_id = contents
    try:
        pickler.dump(batch)
    except Exception:
        return None
    return hashed.hexdigest()[:16]


def contents(part: Any) -> Any:
    """Return the bytes of a tensor, and None for anything else."""
    if not isinstance(part, torch.Tensor):
        return None
    part = part.detach()
    part = part.to(torch.float32) if "bfloat16" in str(part.dtype) else part  # NumPy has none
    return str(part.dtype), tuple(part.shape), part.numpy().tobytes()
