"""Loads with one project's code, as its authors wrote it: the part of projects.py that runs on the project's torch.

    python loaders.py PROJECT CHECKOUT FOLDER

Each function below is a project. It makes small data in FOLDER, imports the project's code from CHECKOUT, and yields
rows of the table: what is loaded, a loader for each epoch, and which part of a batch shows what was drawn. All pictures
of a project are the same one (timm mixes two), so that items differ only in what was drawn for them.
"""

import hashlib
import itertools
import json
import os
import random
import runpy
import sys
import types
from unittest import mock

import numpy as np
import torch
from torch.utils.data import DataLoader

EPOCHS = 3
WORKERS = 4
BATCH = 2
ITEMS = 2 * BATCH * WORKERS  # two batches for each worker
OPTIONS = {"batch_size": BATCH, "num_workers": WORKERS}


def picture(height, width):
    """Return a picture whose parts are all different."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([y * 255 // height, x * 255 // width, (x + y) % 256], axis=-1).astype(np.uint8)


def save_picture(path, pixels):
    """Write the pixels to that file."""
    from PIL import Image

    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    Image.fromarray(pixels).save(path)


def tutorial(checkout):
    """Run the whole tutorial, which needs at least 66 faces, and load its dataset with workers."""
    import skimage.data

    save_picture("data/faces/cup.png", skimage.data.coffee()[90:260])
    landmarks = ["0,0"] * 68
    with open("data/faces/face_landmarks.csv", "w") as file:
        file.write(",".join(["image_name"] + [f"part_{number}_{axis}" for number in range(68) for axis in "xy"]) + "\n")
        file.writelines(",".join(["cup.png", *landmarks]) + "\n" for _ in range(66))
    os.environ["MPLBACKEND"] = "Agg"
    names = runpy.run_path(os.path.join(checkout, "beginner_source", "data_loading_tutorial.py"))
    # The tutorial's own loader also had four workers, until commit fdbe99c of August 2020.
    loader = DataLoader(names["transformed_dataset"], batch_size=4, shuffle=True, num_workers=WORKERS)
    epochs = (itertools.islice(loader, WORKERS) for _ in range(EPOCHS))
    yield "`FaceLandmarksDataset` with `RandomCrop`", epochs, lambda batch: batch["image"]


def ebm(checkout):
    """Load each dataset of data.py that draws random numbers, with the loader of train.py."""
    # Stands in for TensorFlow 1: these datasets only use its command-line flags.
    flags = types.SimpleNamespace(FLAGS=types.SimpleNamespace())
    for kind in ["string", "bool", "integer", "float"]:
        setattr(flags, "DEFINE_" + kind, lambda name, value, _: setattr(flags.FLAGS, name, value))
    for name in ["", ".python", ".python.platform", ".contrib.data.python.ops"]:
        sys.modules["tensorflow" + name] = mock.MagicMock(flags=flags)
    vars(flags.FLAGS).update(datasource="random", single=False)  # the defaults of train.py
    vars(flags.FLAGS).update(cond_size=False, cond_shape=False, cond_pos=False, cond_rot=False)

    # Stand in for what torchvision downloads.
    import torchvision

    for name in ["CIFAR10", "CIFAR100", "SVHN"]:
        setattr(torchvision.datasets, name, lambda *_, **options: Downloaded(picture(32, 32), **options))
    torchvision.datasets.MNIST = lambda *_, **options: Downloaded(picture(28, 28)[:, :, :1], **options)
    torchvision.datasets.ImageFolder = lambda _: [(picture(32, 32), 0)] * (ITEMS // 2)  # Textures takes each twice
    sys.path.insert(0, checkout)
    import data

    np.savez("dsprites.npz", imgs=np.zeros((ITEMS, 64, 64), np.uint8), latents_values=np.ones((ITEMS, 6)))
    data.FLAGS.dsprites_path = "dsprites.npz"
    data.FLAGS.imagenet_path = "."
    with open("val_data", "wb") as file:
        data.pickle.dump({"labels": [1] * ITEMS, "data": np.zeros((ITEMS, 3 * 32 * 32))}, file)
    save_picture("face.png", picture(32, 32))
    faces = data.CelebA.__new__(data.CelebA)  # its __init__ lists a folder under /root
    faces.ims = ["face.png"] * ITEMS

    options = {"num_workers": WORKERS, "shuffle": True, "drop_last": True}
    for dataset in [faces, data.Mnist(), data.DSprites(), data.Textures()]:
        loader = DataLoader(dataset, batch_size=BATCH, **options)
        yield f"`{type(dataset).__name__}`", [loader] * EPOCHS, lambda batch: batch[0]
    # These draw the noise of an item and then seed NumPy from the clock. Only the first item of each worker is loaded:
    # whether later ones repeat depends on the clock.
    for dataset in [data.Cifar10(), data.Cifar100(), data.Svhn(), data.Imagenet(train=False)]:
        loader = DataLoader(dataset, batch_size=1, **options)
        first = (itertools.islice(loader, WORKERS) for _ in range(EPOCHS))
        yield f"`{type(dataset).__name__}`, first items", first, lambda batch: batch[1]


class Downloaded:
    """What torchvision would download: ``ITEMS`` copies of one picture."""

    def __init__(self, pixels, transform, **_):
        self.pixels = pixels
        self.transform = transform

    def __len__(self):
        return ITEMS

    def __getitem__(self, index):
        return self.transform(self.pixels), 0


def dope(checkout):
    """Run the whole training script; its batches are seen where the script moves them to the GPU."""
    folder = os.path.abspath("objects") + "/"
    for number in range(ITEMS):
        save_picture(f"{folder}{number}.png", picture(400, 400))
        x, y = np.meshgrid([150, 250], [150, 250, 180, 220])
        scene = {
            "class": "cup",
            "bounding_box": {"top_left": [150, 150], "bottom_right": [250, 250]},
            "projected_cuboid": np.stack([x, y], axis=-1).reshape(8, 2).tolist(),
            "projected_cuboid_centroid": [200, 200],
            "location": [0, 0, 100],
            "quaternion_xyzw": [0, 0, 0, 1],
        }
        write_json(f"{folder}{number}.json", {"objects": [scene]})
    camera = {"fx": 400, "fy": 400, "cx": 200, "cy": 200}
    write_json(folder + "_camera_settings.json", {"camera_settings": [{"intrinsic_settings": camera}]})
    cuboid = {"class": "cup", "cuboid_dimensions": [1, 1, 1]}
    write_json(folder + "_object_settings.json", {"exported_objects": [cuboid]})

    import configparser

    sys.modules["ConfigParser"] = configparser  # its name in Python 2
    batches = []

    def stay(tensor):
        """Stand in for moving a tensor to the GPU."""
        if tensor.shape[1] == 9:  # belief maps, which show how the picture was moved and turned
            batches.append(tensor)
        return tensor

    torch.Tensor.cuda = stay
    torch.nn.Module.cuda = lambda module: module
    torch.nn.DataParallel = Network
    sys.argv = ["train.py", "--data", folder, "--object", "cup", "--workers", str(WORKERS), "--batchsize", str(BATCH)]
    sys.argv += ["--epochs", str(EPOCHS), "--manualseed", "1", "--pretrained", "False"]
    runpy.run_path(os.path.join(checkout, "scripts", "train.py"), run_name="__main__")
    size = len(batches) // EPOCHS
    yield "`MultipleVertexJson`", [batches[size * epoch :][:size] for epoch in range(EPOCHS)], lambda batch: batch


class Network(torch.nn.Module):
    """Stands in for the network, which takes minutes without a GPU."""

    def __init__(self, module, device_ids):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pictures):
        """Return belief maps and affinities, one stage of each."""
        return [[self.weight.expand(len(pictures), channels, 50, 50)] for channels in (9, 16)]


def write_json(path, value):
    """Write the value to that file."""
    with open(path, "w") as file:
        json.dump(value, file)


def yolov5(checkout):
    """Load the training set in the InfiniteDataLoader, as ``create_dataloader`` does, but always with four workers."""
    os.makedirs("data/labels")
    for number in range(ITEMS):
        save_picture(f"data/images/{number}.png", picture(64, 64))
        with open(f"data/labels/{number}.txt", "w") as file:
            file.write("0 0.5 0.5 0.5 0.5\n")
    sys.path.insert(0, checkout)
    import yaml
    from utils import datasets

    with open(os.path.join(checkout, "data", "hyp.scratch.yaml")) as file:
        options = yaml.safe_load(file)
    # Turn off what draws from `random`, which torch seeds. The rest, the colours, draws from NumPy.
    options.update(mosaic=0, translate=0, scale=0, fliplr=0)
    dataset = datasets.LoadImagesAndLabels("data/images", 64, BATCH, augment=True, hyp=options)
    loader = datasets.InfiniteDataLoader(dataset, collate_fn=dataset.collate_fn, **OPTIONS)
    yield "`LoadImagesAndLabels` in `InfiniteDataLoader`", [loader] * EPOCHS, lambda batch: batch[0]


def timm(checkout):
    """Load with mixup and cutmix, drawn while collating."""
    sys.path.insert(0, checkout)
    from timm.data import FastCollateMixup

    mixup = FastCollateMixup(mixup_alpha=0.8, cutmix_alpha=1.0, mode="elem", num_classes=2)
    pixels = picture(64, 64).transpose(2, 0, 1)
    loader = DataLoader([(pixels, 0), (255 - pixels, 1)] * (ITEMS // 2), collate_fn=mixup, **OPTIONS)
    yield "`FastCollateMixup`", [loader] * EPOCHS, lambda batch: batch[0]


def edsr(checkout):
    """Load with the loader, which has its own worker loop, from our own dataset: EDSR's draw from `random`."""
    sys.path.insert(0, os.path.join(checkout, "src"))
    from dataloader import MSDataLoader

    settings = types.SimpleNamespace(n_threads=WORKERS, scale=[2])
    yield "`MSDataLoader`", [MSDataLoader(settings, Noise(), batch_size=BATCH)] * EPOCHS, lambda batch: batch[0]


class Noise:
    """Each item is a list of one array, drawn from NumPy."""

    def __len__(self):
        return ITEMS

    def __getitem__(self, index):
        return [np.random.uniform(size=8)]


def spin(checkout):
    """Load the mix of six datasets, with a loader for each epoch, as the trainer does."""
    sys.path.insert(0, checkout)
    import config
    from datasets import MixedDataset
    from utils import CheckpointDataLoader, TrainOptions

    save_picture("person.png", picture(224, 224))
    os.makedirs(config.DATASET_NPZ_PATH)
    people = {
        "imgname": ["person.png"] * ITEMS,
        "scale": np.ones(ITEMS),
        "center": np.full((ITEMS, 2), 112.0),
    }
    for path in config.DATASET_FILES[True].values():
        np.savez(path, **people)
    options = TrainOptions().parser.parse_args(["--name", "projects"])
    dataset = MixedDataset(options, ignore_3d=options.ignore_3d, is_train=True)
    loaders = (CheckpointDataLoader(dataset, shuffle=True, **OPTIONS) for _ in range(EPOCHS))
    yield "`MixedDataset` in `CheckpointDataLoader`", loaders, lambda batch: batch["img"]


def main(project, checkout, folder):
    """Write what was drawn for each item to result.json, as [epoch, worker, hash] in the order of the items."""
    os.chdir(folder)
    rows = {}
    np.random.seed(0)
    for row, loaders, drawn in globals()[project](checkout):
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        rows[row] = [
            (epoch, number % WORKERS, hashlib.sha256(np.ascontiguousarray(item).tobytes()).hexdigest())
            for epoch, loader in enumerate(loaders)
            for number, batch in enumerate(loader)
            for item in drawn(batch)
        ]
    write_json("result.json", {"torch": torch.__version__.split("+")[0], "rows": rows})


if __name__ == "__main__":
    main(*sys.argv[1:])
