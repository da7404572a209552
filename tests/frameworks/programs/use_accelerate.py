"""Trains on loaders that Accelerate has prepared."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
from accelerate import Accelerator

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import torch
from items import Draws, name_of, own_worker_init_fn, seed_parent, write
from torch.utils.data import DataLoader

accelerator = Accelerator(cpu=True)


def trained(times, worker_init_fn=None):
    seed_parent()
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=worker_init_fn)
    for _ in range(times):
        loader = accelerator.prepare(loader)
    model, optimizer = accelerator.prepare(model, optimizer)
    rows = []
    for _ in range(3):
        for batch in loader:
            rows += batch.tolist()
            accelerator.backward(model(batch[:, :1].float()).sum())
            optimizer.step()
    return {"rows": rows, "loader": type(loader).__name__, "worker_init_fn": name_of(loader.worker_init_fn)}


write(
    {
        "prepared": trained(1),
        "prepared four times": trained(4),
        "prepared four times, with a function": trained(4, own_worker_init_fn),
    }
)
