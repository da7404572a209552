"""What runs in the workers of an experiment: records the states of all known generators, and sets them."""

import io
import os
import pickle
from contextlib import suppress
from hashlib import sha256
from typing import Any, Dict, List, Optional

import torch

from .._options import rng
from .._options.search import find_generators
from .program import UnknownError


class Recorder:
    """Stands in for a loader's ``worker_init_fn`` and ``collate_fn``: calls them, and returns records for batches.

    Args:
        loader: the loader.
        rounds: how often each worker loads the same items: once as it happens, then from fixed states.
        shifted: the names of generators to shift before the first batch, to see what depends on them.
    """

    def __init__(self, loader: Any, rounds: int, shifted: List[str]) -> None:
        self.roots = {name: getattr(loader, name) for name in ("dataset", "collate_fn", "worker_init_fn")}
        self.rounds, self.round, self.shifted, self.parent = rounds, 0, shifted, os.getpid()
        self.fixed = {name: get(generator) for name, generator in self.generators().items()}

    def generators(self) -> Dict[str, Any]:
        return dict(rng.global_generators(), **find_generators(self.roots))

    def start(self, worker_id: int) -> None:
        """Call the user's ``worker_init_fn``, and record what it does to the generators."""
        if os.getpid() == self.parent:
            raise UnknownError("its workers are threads, not processes")
        now = self.generators()
        before = states(now)
        if self.roots["worker_init_fn"] is not None:
            self.roots["worker_init_fn"](worker_id)
            now = self.generators()
        seeded = [name for name in now if is_just_seeded(now[name])]
        for name in self.shifted:
            shift(now.get(name))
        self.started = states(now)
        self.record: Dict[str, Any] = {"worker": worker_id, "before": before, "started": self.started, "seeded": seeded}

    def collate(self, items: Any) -> List[Dict[str, Any]]:
        """Return a record in place of the batch, and prepare the next round.

        After the natural round come those from fixed states. Then the worker continues from where it was.
        """
        batch = self.roots["collate_fn"](items)
        if self.round == 0:  # to search takes longer than all the rest
            self.now = self.generators()
            self.natural = {name: get(generator) for name, generator in self.now.items()}
            self.record.update(after=states(self.now), batches=[])
        moving = [name for name, state in states(self.now).items() if state != self.started.get(name)]
        record = dict(self.record, moving=moving, batches=[*self.record["batches"], digest(batch)])
        self.round = (self.round + 1) % self.rounds
        for name, state in dict(self.natural, **(self.fixed if self.round else {})).items():
            put(self.now.get(name), state)
            if self.round:  # or it might be where the worker started
                shift(self.now.get(name))
        state = get(self.now["torch"])
        state[:8] = self.natural["torch"][:8]  # what torch.initial_seed() returns: a generator may be made from it
        put(self.now["torch"], state)
        self.started = states(self.now)
        self.record = record if self.round else dict(record, before=self.started, started=self.started)
        return [record]


def get(generator: Any) -> Any:
    """Return the whole state of a generator."""
    return generator.get_state() if hasattr(generator, "get_state") else rng.source_of(generator).__getstate__()


def put(generator: Any, state: Any) -> None:
    """Set what ``get`` returned, unless another kind of generator has that name now."""
    with suppress(Exception):
        (generator.set_state if hasattr(generator, "set_state") else rng.source_of(generator).__setstate__)(state)


def shift(generator: Any) -> None:
    """Give a generator another state, which depends on the one that it has."""
    with suppress(Exception):
        rng.reseed_source(rng.source_of(generator), [1, 2, 3, 4])


def states(generators: Dict[str, Any]) -> Dict[str, str]:
    """Return a digest of the state of each generator; one odd generator does not hide the others."""
    found = {}
    for name, generator in generators.items():
        with suppress(Exception):
            # A RandomState of NumPy 1.17 and later may have a second normal in store, which its source does not know.
            keeps_normal = issubclass(type(generator), rng.KEEPS_NORMAL)
            normal = generator.get_state(legacy=False)["gauss"] if keeps_normal else None
            state = repr((rng.source_state(rng.source_of(generator)), normal))
            found[name] = sha256(state.encode()).hexdigest()
    return found


def is_just_seeded(generator: Any) -> bool:
    """Whether nothing was drawn since it was seeded, as far as its state shows it.

    A Mersenne Twister makes 624 words at a time and counts those that it has given.
    """
    state, source = get(generator), rng.source_of(generator)
    if isinstance(state, torch.Tensor):
        return int(state[8]) == 1  # the words left, and one: in the state that rng.TORCH_WORDS_START describes
    if hasattr(source, "_seed_seq") and not isinstance(state, tuple):
        return repr(type(source)(source._seed_seq).state) == repr(source.state)
    return not (isinstance(state, tuple) and len(state) > 2) or 624 in (state[1][-1], state[2])


def digest(batch: Any) -> Optional[str]:
    """Return a digest of a batch, or None if it cannot be pickled."""
    for is_fast in (True, False):  # without a memo, equal objects and identical ones count the same; cycles need one
        file = io.BytesIO()
        pickler: Any = pickle.Pickler(file, 4)
        pickler.fast = is_fast
        pickler.persistent_id = contents  # a pickled tensor has addresses
        with suppress(Exception):
            pickler.dump(batch)
            return sha256(file.getvalue()).hexdigest()
    return None


def contents(part: Any) -> Any:
    """Return what a tensor contains, and None for anything else."""
    if not isinstance(part, torch.Tensor):
        return None
    part = (part.to_dense() if part.is_sparse else part).detach()
    part = part.to(torch.float32 if "bfloat16" in str(part.dtype) else part.dtype)  # NumPy has no bfloat16
    return str(part.dtype), tuple(part.shape), part.numpy().tobytes()
