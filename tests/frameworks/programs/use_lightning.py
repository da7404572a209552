"""Trains with pytorch-lightning in one process, and has it rebuild loaders."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import pytorch_lightning as pl

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import inspect

import torch
from items import Draws, name_of, own_worker_init_fn, rows, seed_parent, write
from torch.utils.data import DataLoader, SequentialSampler

QUIET = {"logger": False, "num_sanity_val_steps": 0, "weights_summary": None}
QUIET.update({"enable_progress_bar": False} if pl.__version__ >= "1.5" else {"progress_bar_refresh_rate": 0})
QUIET.update({"enable_checkpointing": False} if pl.__version__ >= "1.5" else {"checkpoint_callback": False})
HAS_WORKERS = "workers" in inspect.signature(pl.seed_everything).parameters


class Model(pl.LightningModule):
    """Notes what it is trained and validated with."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.trained_with, self.validated_with = [], []

    def training_step(self, batch, batch_idx):
        self.trained_with += batch.tolist()
        return self.layer(batch[:, :1].float()).sum()

    def validation_step(self, batch, batch_idx):
        self.validated_with += batch.tolist()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


def loader_for_training(trainer):
    """The one that Lightning iterates over; since 1.1 it is in a CombinedLoader."""
    return getattr(trainer.train_dataloader, "loaders", trainer.train_dataloader)


def trained(seed, *arguments, **options):
    seed(*arguments, **options)
    model = Model()
    trainer = pl.Trainer(max_epochs=3, **QUIET)
    trainer.fit(
        model,
        DataLoader(Draws(), batch_size=2, num_workers=2),
        DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=own_worker_init_fn),
    )
    loaders = loader_for_training(trainer), trainer.val_dataloaders[0]
    return {
        "training": model.trained_with,
        "validation": model.validated_with,
        "worker_init_fn": [name_of(loader.worker_init_fn) for loader in loaders],
    }


def rebuilt(worker_init_fn, times=4):
    trainer = pl.Trainer(**QUIET)
    loader = DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=worker_init_fn)
    for _ in range(times):
        if hasattr(trainer, "replace_sampler"):
            loader = trainer.replace_sampler(loader, SequentialSampler(loader.dataset))
        else:
            from pytorch_lightning.utilities.data import _update_dataloader

            loader = _update_dataloader(loader, SequentialSampler(loader.dataset))
    seed_parent()
    return {"rows": rows(loader) + rows(loader), "worker_init_fn": name_of(loader.worker_init_fn)}


if __name__ == "__main__":
    result = {
        "unseeded": trained(seed_parent),
        "seed_everything": trained(pl.seed_everything, 42),
        "rebuilt": rebuilt(None),
        "rebuilt with a function": rebuilt(own_worker_init_fn),
    }
    if HAS_WORKERS:
        result["seed_everything with workers"] = trained(pl.seed_everything, 42, workers=True)
    write(result)
