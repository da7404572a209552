"""Is one of two processes that train with pytorch-lightning, each with the variables of torchelastic."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import pytorch_lightning as pl

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
from items import Draws, name_of, own_worker_init_fn, seed_parent, write
from torch.utils.data import DataLoader
from use_lightning import QUIET, Model, loader_for_training


class RankModel(Model):
    def on_train_end(self):
        loaders = loader_for_training(self.trainer), self.trainer.val_dataloaders[0]
        result = {
            "training": self.trained_with,
            "validation": self.validated_with,
            "worker_init_fn": [name_of(loader.worker_init_fn) for loader in loaders],
            "sampler": [type(loader.sampler).__name__ for loader in loaders],
        }
        write(result)


if __name__ == "__main__":
    # Where torchelastic has started the processes, Lightning 1.0 and 1.3 run without GPUs as they do with them. By
    # themselves they spawn the processes there, whose workers are spawned then, too.
    if pl.__version__ >= "1.5":
        distributed = {"strategy": "ddp", "accelerator": "cpu", "devices": 2}
    else:
        distributed = {"accelerator": "ddp_cpu", "num_processes": 2}
    trainer = pl.Trainer(max_epochs=3, **distributed, **QUIET)
    if "seed_everything" in sys.argv:
        pl.seed_everything(42)
    elif "seed_everything with workers" in sys.argv:
        pl.seed_everything(42, workers=True)
    else:
        seed_parent(42)
    trainer.fit(
        RankModel(),
        DataLoader(Draws(), batch_size=2, num_workers=2),
        DataLoader(Draws(), batch_size=2, num_workers=2, worker_init_fn=own_worker_init_fn),
    )
