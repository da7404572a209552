"""Trains with pytorch-lightning, which rebuilds loaders; by itself it is one of two processes (DDP).

The latter have the variables of torchelastic, and a further argument: how to seed.
"""

import inspect
import sys

import items
import torch
from items import epochs, loader_of, name_of, own_worker_init_fn, seed_parent
from torch.utils.data import SequentialSampler

if __name__ == "__main__":
    items.activated()

import pytorch_lightning as pl

IS_NEW = pl.__version__ >= "1.5"
QUIET = {"logger": False, "num_sanity_val_steps": 0, "weights_summary": None}
QUIET.update({"enable_progress_bar": False} if IS_NEW else {"progress_bar_refresh_rate": 0})
QUIET.update({"enable_checkpointing": False} if IS_NEW else {"checkpoint_callback": False})
# Where torchelastic has started the processes, Lightning 1.0 and 1.3 run without GPUs as they do with them. By
# themselves they spawn the processes there, whose workers are spawned then, too.
DDP = {"strategy": "ddp", "accelerator": "cpu", "devices": 2} if IS_NEW else {"accelerator": "ddp_cpu"}
DDP.update({} if IS_NEW else {"num_processes": 2})
SEEDINGS = {
    "unseeded": seed_parent,
    "seed_everything": lambda: pl.seed_everything(42),
    "seed_everything with workers": lambda: pl.seed_everything(42, workers=True),
}


class Model(pl.LightningModule):
    """Notes what it is trained and validated with, and at the end what the loaders are."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.found = {"training": {"rows": []}, "validation": {"rows": []}}

    def training_step(self, batch, batch_idx):
        self.found["training"]["rows"] += batch.tolist()
        return self.layer(batch[:, :1].float()).sum()

    def validation_step(self, batch, batch_idx):
        self.found["validation"]["rows"] += batch.tolist()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def on_train_end(self):
        loader = getattr(self.trainer.train_dataloader, "loaders", self.trainer.train_dataloader)  # since 1.1
        for part, used in (("training", loader), ("validation", self.trainer.val_dataloaders[0])):
            self.found[part].update(worker_init_fn=name_of(used.worker_init_fn), sampler=type(used.sampler).__name__)


def trained(seeding, **options):
    SEEDINGS[seeding]()
    model = Model()
    trainer = pl.Trainer(max_epochs=3, **options, **QUIET)
    trainer.fit(model, loader_of(), loader_of(worker_init_fn=own_worker_init_fn))
    return model.found


def rebuilt(worker_init_fn):
    trainer = pl.Trainer(**QUIET)
    loader = loader_of(worker_init_fn=worker_init_fn)
    for _ in range(4):
        if hasattr(trainer, "replace_sampler"):
            loader = trainer.replace_sampler(loader, SequentialSampler(loader.dataset))
        else:
            from pytorch_lightning.utilities.data import _update_dataloader

            loader = _update_dataloader(loader, SequentialSampler(loader.dataset))
    return {"rows": epochs(loader, 2), "worker_init_fn": name_of(loader.worker_init_fn)}


def cases():
    """In one process: by case the rows, and what the loader shows of itself."""
    found = {"rebuilt four times": rebuilt(None), "rebuilt four times, with a function": rebuilt(own_worker_init_fn)}
    has_workers = "workers" in inspect.signature(pl.seed_everything).parameters
    for seeding in SEEDINGS if has_workers else list(SEEDINGS)[:2]:
        found.update((f"{seeding}, {part}", of_part) for part, of_part in trained(seeding).items())
    return found


if __name__ == "__main__":
    items.write(trained(sys.argv[4], **DDP))
