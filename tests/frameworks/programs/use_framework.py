"""Trains with a framework, or iterates over a loader that it makes.

Each function below is for a module, and returns by case the rows of three epochs and what the loader shows of itself.
"""

import inspect

import torch
from items import Draws, activated, epochs, loader_of, name_of, own_worker_init_fn, seed_parent, write

OWN = {"worker_init_fn": own_worker_init_fn}


def iterated(loader, of_torch=None):
    """The rows of three epochs, and what the loader of torch in it shows."""
    of_torch = of_torch or loader
    shown = {"loader": type(of_torch).__name__, "worker_init_fn": name_of(of_torch.worker_init_fn)}
    return {"rows": epochs(loader), **shown}


def accelerate():
    from accelerate import Accelerator

    def prepared(times, **options):
        loader = loader_of(**options)
        for _ in range(times):
            loader = Accelerator(cpu=True).prepare(loader)
        return iterated(loader)

    return {
        "prepared": prepared(1),
        "prepared four times": prepared(4),
        "prepared four times, with a function": prepared(4, **OWN),
    }


def catalyst():
    from catalyst import dl
    from catalyst.utils import get_loaders_from_params

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

    seen = []
    options = {"batch_size": 2, "num_workers": 2, "initial_seed": 42}
    own = get_loaders_from_params(get_datasets_fn=lambda **_: {"train": Draws()}, **options)["train"]
    return {
        "loader": trained(loader_of()),
        "loader with a function": trained(loader_of(**OWN)),
        "loader of Catalyst": trained(own),
    }


def fastai_basic_data():
    from fastai.basic_data import DataBunch

    def of_bunch(renewals=0, **options):
        loader = DataBunch.create(Draws(), Draws(), bs=2, num_workers=2, **options).train_dl
        for _ in range(renewals):  # as fastai changes the options of a loader: it builds another
            loader = loader.new(shuffle=False)
        return iterated(loader, loader.dl)

    return {"as it is": of_bunch(), "with a function, renewed four times": of_bunch(4, **OWN)}


def fastai_data_core():
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader as OfFastai

    def of_fastai(**options):
        seed_parent()  # fastai draws a seed as it makes a loader
        loader = DataLoaders(OfFastai(Draws(), bs=2, num_workers=2, **options)).train
        return iterated(loader, loader.fake_l)

    return {"as it is": of_fastai(), "shuffled": of_fastai(shuffle=True)}


def ignite():
    from ignite.engine import Engine
    from ignite.engine.deterministic import DeterministicEngine, ReproducibleBatchSampler, update_dataloader

    def ran(engine_class, rebuilt=0, **options):
        seed_parent()
        seen = []
        engine = engine_class(lambda engine, batch: seen.extend(batch.tolist()))
        loader = loader_of(**options)
        for _ in range(rebuilt):
            loader = update_dataloader(loader, ReproducibleBatchSampler(loader.batch_sampler))
        engine.run(loader, max_epochs=3)
        used = engine.state.dataloader
        shown = {"sampler": type(used.batch_sampler).__name__, "worker_init_fn": name_of(used.worker_init_fn)}
        return {"rows": seen, **shown}

    return {
        "plain": ran(Engine),
        "deterministic": ran(DeterministicEngine),
        "rebuilt four times": ran(DeterministicEngine, 4),
        "rebuilt four times, with a function": ran(DeterministicEngine, 4, **OWN),
    }


def monai():
    from monai.data import DataLoader as OfMonai
    from monai.data import Dataset
    from monai.transforms import Randomizable, Transform

    draws = Draws()

    class RandomTransform(Randomizable, Transform):
        """Adds a draw of the generator that MONAI gives each transform."""

        def randomize(self):
            return self.R.randint(0, 2**31 - 1)

        def __call__(self, index):
            return torch.tensor([*draws[index].tolist(), self.randomize()])

    def of_monai(**options):
        seed_parent()
        dataset = Dataset(list(range(8)), RandomTransform().set_random_state(seed=5))
        return iterated(OfMonai(dataset, num_workers=2, batch_size=2, **options))

    return {"as it is": of_monai(), "with a function": of_monai(**OWN)}


def pytorch_lightning():
    import use_lightning

    return use_lightning.cases()


def skorch():
    from skorch import NeuralNet

    class DrawsAndTargets(Draws):
        def __getitem__(self, index):
            return super().__getitem__(index), torch.zeros(1)

    class Model(torch.nn.Linear):
        def forward(self, batch):
            seen.extend(batch.tolist())
            return super().forward(batch[:, :1].float())

    def trained(**options):
        seed_parent()
        seen.clear()
        options.update(module__in_features=1, module__out_features=1, iterator_train__num_workers=2)
        options.update(max_epochs=3, batch_size=2, train_split=None, verbose=0)
        NeuralNet(Model, torch.nn.MSELoss, **options).fit(DrawsAndTargets(), y=None)
        return {"rows": list(seen)}

    seen = []
    return {"as it is": trained(), "with a function": trained(iterator_train__worker_init_fn=own_worker_init_fn)}


def timm():
    from timm.data import create_loader

    def of_timm(**options):
        seed_parent()  # a loader for many epochs starts its workers here
        options.update(input_size=(3, 8, 8), batch_size=2, is_training=True, use_prefetcher=False, num_workers=2)
        return iterated(create_loader(Draws(), **options))

    kinds = {"as it is": {}, "not persistent": {"persistent_workers": False}}
    kinds["multi-epochs"] = {"use_multi_epochs_loader": True}
    result = {kind: of_timm(**options) for kind, options in kinds.items()}
    if "worker_seeding" in inspect.signature(create_loader).parameters:
        result.update({f"part, {kind}": of_timm(worker_seeding="part", **kinds[kind]) for kind in kinds})
    return result


write(globals()[activated().replace(".", "_")]())
