"""Iterates over the DataLoaders of fastai 2."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import fastai.data.core

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
from fastai.data.load import DataLoader
from items import Draws, name_of, seed_parent, write


def iterated(**options):
    seed_parent()
    data = fastai.data.core.DataLoaders(DataLoader(Draws(), bs=2, num_workers=2, **options))
    return {
        "rows": [row for _ in range(3) for batch in data.train for row in batch.tolist()],
        "worker_init_fn": name_of(data.train.fake_l.worker_init_fn),
    }


write({"as it is": iterated(), "shuffled": iterated(shuffle=True)})
