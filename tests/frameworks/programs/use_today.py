"""Loads by frameworks of today on the newest torch, from a dataset that stores a generator."""

import logging
import random
import sys
import tempfile
import warnings

import torch
from items import write
from torch.utils.data import DataLoader, Dataset

import workerseed

(framework,) = sys.argv[2:]
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


class Stored(Dataset):
    """Each item is its index and a draw from the generator that the dataset stores."""

    def __init__(self):
        self.generator = random.Random(1)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.tensor([index, self.generator.getrandbits(31)])


def epochs(loader):
    torch.manual_seed(0)
    return [[item for batch in loader for item in batch.tolist()] for _ in range(2)]


def torchdata():
    from torchdata.stateful_dataloader import StatefulDataLoader

    loader = StatefulDataLoader(Stored(), num_workers=2)
    drawn = epochs(loader)
    iterator = iter(loader)
    first = [next(iterator)[0, 0].item() for _ in range(3)]
    resumed = StatefulDataLoader(Stored(), num_workers=2)
    resumed.load_state_dict(loader.state_dict())
    return [*drawn, [*first, *(batch[0, 0].item() for batch in resumed)]]


def accelerate(mark=None):
    from accelerate import Accelerator

    loader = Accelerator(cpu=True).prepare(DataLoader(Stored(), num_workers=2))
    if mark is not None:
        mark(loader)
    return epochs(loader)


def accelerate_kept():
    return accelerate(workerseed.keep)


def lightning():
    from lightning import LightningModule, Trainer

    class Module(LightningModule):
        def training_step(self, batch, number):
            drawn[self.current_epoch] += batch.tolist()

        def configure_optimizers(self):
            """Nothing is learnt."""

    drawn = [[], []]
    quiet = dict.fromkeys(["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"], False)
    torch.manual_seed(0)
    Trainer(max_epochs=2, accelerator="cpu", **quiet).fit(Module(), DataLoader(Stored(), num_workers=2))
    return drawn


def transformers():
    from transformers import Trainer, TrainingArguments

    class Model(torch.nn.Linear):
        def forward(self, x):
            drawn.extend(x.tolist())
            return {"loss": super().forward(x[:, :1].float()).sum()}

    drawn, model = [], Model(1, 1)
    with tempfile.TemporaryDirectory() as folder:
        options = {"per_device_train_batch_size": 1, "dataloader_num_workers": 2, "num_train_epochs": 2}
        options.update(use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True)
        arguments = TrainingArguments(folder, remove_unused_columns=False, **options)
        Trainer(model, arguments, train_dataset=Stored(), data_collator=lambda items: {"x": torch.stack(items)}).train()
    return [drawn[:8], drawn[8:]]


def datasets():
    from datasets import Dataset as Table

    table = Table.from_dict({"number": list(range(16))})
    stream = table.to_iterable_dataset(num_shards=4).shuffle(seed=1, buffer_size=8)
    loader = DataLoader(stream.with_format("torch"), batch_size=None, num_workers=2)
    return [[[int(row["number"]), 0] for row in loader]]


def monai():
    from monai.data import Dataset as OfMonai
    from monai.transforms import Compose, RandGaussianNoise

    transform = Compose([RandGaussianNoise(1.0)]).set_random_state(seed=5)
    loader = DataLoader(OfMonai([torch.zeros(1, 2, 2) for _ in range(8)], transform), num_workers=2)
    torch.manual_seed(0)
    return [[[number, int(batch.flatten()[0] * 2**20)] for number, batch in enumerate(loader)] for _ in range(2)]


def monai_threads():
    from monai.data import ThreadDataLoader

    loader = ThreadDataLoader(Stored(), num_workers=2, use_thread_workers=True)
    drawn = [item[1] for batch in loader for item in batch.tolist()]
    same = random.Random(1)
    return [sorted(drawn), sorted(same.getrandbits(31) for _ in range(8))]


if __name__ == "__main__":
    drawn = {}
    for options in ("", "generators"):
        workerseed.install([options] if options else [])
        drawn[options] = globals()[framework]()
        workerseed.uninstall()
    write(drawn)
