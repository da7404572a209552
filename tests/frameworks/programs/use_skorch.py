"""Trains with skorch's NeuralNet."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
from skorch import NeuralNet

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import torch
from items import Draws, own_worker_init_fn, seed_parent, write


class DrawsAndTargets(Draws):
    def __getitem__(self, index):
        return super().__getitem__(index), torch.zeros(1)


seen = []


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, batch):
        seen.extend(batch.tolist())
        return self.layer(batch[:, :1].float())


def trained(**options):
    seed_parent()
    seen.clear()
    net = NeuralNet(
        Model,
        torch.nn.MSELoss,
        max_epochs=3,
        batch_size=2,
        train_split=None,
        verbose=0,
        iterator_train__num_workers=2,
        **options,
    )
    net.fit(DrawsAndTargets(), y=None)
    return {"rows": list(seen)}


write({"as it is": trained(), "with a function": trained(iterator_train__worker_init_fn=own_worker_init_fn)})
