"""Iterates over the DataBunch of fastai 1."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import fastai.basic_data

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
from items import Draws, name_of, own_worker_init_fn, seed_parent, write


def iterated(**options):
    seed_parent()
    data = fastai.basic_data.DataBunch.create(Draws(), Draws(), bs=2, num_workers=2, **options)
    return {
        "rows": [row for _ in range(3) for batch in data.train_dl for row in batch.tolist()],
        "worker_init_fn": name_of(data.train_dl.dl.worker_init_fn),
    }


def renewed():
    """As fastai changes the options of a loader: DeviceDataLoader.new builds another from what it was built with."""
    seed_parent()
    data = fastai.basic_data.DataBunch.create(Draws(), Draws(), bs=2, num_workers=2, worker_init_fn=own_worker_init_fn)
    loader = data.train_dl
    for _ in range(4):
        loader = loader.new(shuffle=False)
    return {
        "rows": [row for _ in range(3) for batch in loader for row in batch.tolist()],
        "worker_init_fn": name_of(loader.dl.worker_init_fn),
    }


write({"as it is": iterated(), "with a function": iterated(worker_init_fn=own_worker_init_fn), "renewed": renewed()})
