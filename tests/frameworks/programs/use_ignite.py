"""Iterates with Ignite's engines, and has it rebuild loaders."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import ignite.engine

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
from ignite.engine.deterministic import DeterministicEngine, ReproducibleBatchSampler, update_dataloader
from items import Draws, name_of, own_worker_init_fn, seed_parent, write
from torch.utils.data import DataLoader


def ran(engine_class, rebuilt=0, worker_init_fn=None):
    seed_parent()
    rows = []
    engine = engine_class(lambda engine, batch: rows.extend(batch.tolist()))
    loader = DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=worker_init_fn)
    for _ in range(rebuilt):
        loader = update_dataloader(loader, ReproducibleBatchSampler(loader.batch_sampler))
    engine.run(loader, max_epochs=3)
    used = engine.state.dataloader
    return {
        "rows": rows,
        "sampler": type(used.batch_sampler).__name__,
        "worker_init_fn": name_of(used.worker_init_fn),
    }


write(
    {
        "plain": ran(ignite.engine.Engine),
        "deterministic": ran(DeterministicEngine),
        "deterministic, with a function": ran(DeterministicEngine, worker_init_fn=own_worker_init_fn),
        "rebuilt four times": ran(DeterministicEngine, 4),
        "rebuilt four times, with a function": ran(DeterministicEngine, 4, own_worker_init_fn),
    }
)
