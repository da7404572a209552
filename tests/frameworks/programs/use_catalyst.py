"""Trains with Catalyst."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
from catalyst import dl

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import torch
from catalyst.utils import get_loaders_from_params
from items import Draws, own_worker_init_fn, seed_parent, write
from torch.utils.data import DataLoader

seen = []


class Runner(dl.Runner):
    def _handle_batch(self, batch):
        seen.extend(batch.tolist())
        self.batch_metrics.update(loss=self.model(batch[:, :1].float()).sum())


def trained(loader):
    seed_parent()
    seen.clear()
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    Runner().train(model=model, optimizer=optimizer, loaders={"train": loader}, num_epochs=3)
    return {"rows": list(seen)}


write(
    {
        "loader": trained(DataLoader(Draws(), batch_size=2, num_workers=2)),
        "loader with a function": trained(
            DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=own_worker_init_fn)
        ),
        "loader of Catalyst": trained(
            get_loaders_from_params(
                batch_size=2,
                num_workers=2,
                initial_seed=42,
                get_datasets_fn=lambda **_: {"train": Draws()},
            )["train"]
        ),
    }
)
