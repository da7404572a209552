"""Shows the bug and the fix on photographs: ``tox run -e demo``.

Two workers load an ordinary dataset with NumPy augmentation for three epochs, first with unchanged torch, then after
``import workerseed``. The script prints the random numbers side by side. ``contact-sheet.png``, next to this file,
shows the crops, and crosses out those that repeat an earlier one.
"""

import itertools
import os

import numpy as np
import skimage.data
import sklearn.datasets
import torch
from PIL import Image, ImageDraw, ImageFont
from torch.utils.data import DataLoader, Dataset

EPOCHS = 3
WORKERS = 2
SIDE = 72  # of a crop on the sheet, in pixels
GREY = "#757e89"
SHEET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "contact-sheet.png")


class Photographs(Dataset):
    """Four photographs, each taken ``WORKERS`` times an epoch, with random crop, flip and colour jitter."""

    def __init__(self):
        self.photographs = [
            skimage.data.astronaut(),
            skimage.data.coffee(),
            skimage.data.chelsea(),
            sklearn.datasets.load_sample_image("flower.jpg"),
        ]

    def __len__(self):
        return WORKERS * len(self.photographs)

    def __getitem__(self, index):
        photograph = self.photographs[index % len(self.photographs)]
        height, width, _ = photograph.shape
        side = np.random.randint(height // 2, height * 4 // 5)
        top = np.random.randint(0, height - side)
        left = np.random.randint(0, width - side)
        flip = np.random.random() < 0.5
        brightness, red, green, blue = np.random.uniform(0.8, 1.2, 4)

        crop = photograph[top : top + side, left : left + side]
        crop = crop[:, ::-1] if flip else crop
        crop = np.clip(crop * (brightness * np.array([red, green, blue])), 0, 255).astype(np.uint8)
        drawn = "{:3d} px at {:3d},{:3d} {:4} x{:.3f}".format(side, top, left, "flip" if flip else "", brightness)
        return drawn, np.asarray(Image.fromarray(crop).resize((SIDE, SIDE), Image.LANCZOS))


def epochs(photographs):
    """Load all epochs; return the random numbers and the crop of each item, in order."""
    np.random.seed(0)
    torch.manual_seed(0)
    loader = DataLoader(photographs, batch_size=len(photographs.photographs), num_workers=WORKERS, collate_fn=list)
    return [item for _ in range(EPOCHS) for batch in loader for item in batch]


def repeats(items):
    """Return for each item whether an earlier one has exactly the same pixels."""
    pixels = [crop.tobytes() for _, crop in items]
    return [crop in pixels[:index] for index, crop in enumerate(pixels)]


def share(items):
    """Return how many of the crops repeat an earlier one, as text."""
    repeated = sum(repeats(items))
    return f"{repeated} of {len(items)} crops are repeats ({repeated / len(items):.0%})"


def print_draws(runs):
    """Print the random numbers for the first photograph in every worker and epoch, a column for each run."""
    print("\nThe first photograph in each worker: size and position of the crop, flip, brightness\n")
    print(" " * 18 + "".join(f"{title:38}" for title in runs).rstrip())
    columns = [list(zip(items, repeats(items)))[:: len(items) // EPOCHS // WORKERS] for items in runs.values()]
    for (epoch, worker), row in zip(itertools.product(range(EPOCHS), range(WORKERS)), zip(*columns)):
        cells = ["{:30} {:7}".format(drawn, "again" if repeated else "") for (drawn, _), repeated in row]
        print("epoch {} worker {}  {}".format(epoch, worker, "".join(cells)).rstrip())


def draw_sheet(runs):
    """Write the crops of all runs to ``SHEET``: a row for each epoch, a block for each worker."""
    font, small = ImageFont.load_default(24), ImageFont.load_default(19)
    gap, left, head, cell = 14, 84, 66, SIDE + 2
    per_worker = len(next(iter(runs.values()))) // EPOCHS // WORKERS
    block = per_worker * cell + gap
    panel = head + EPOCHS * cell + 2 * gap
    # Transparent, with grey text: it can be read on a white page and on a black one.
    sheet = Image.new("RGBA", (left + WORKERS * block - gap, len(runs) * panel - gap), (0, 0, 0, 0))
    pen = ImageDraw.Draw(sheet)
    for number, (title, items) in enumerate(runs.items()):
        top = number * panel
        pen.text((0, top), f"{title}: {share(items)}", GREY, font)
        for worker in range(WORKERS):
            pen.text((left + worker * block, top + 36), f"worker {worker}", GREY, small)
        for epoch in range(EPOCHS):
            pen.text((0, top + head + epoch * cell + 25), f"epoch {epoch}", GREY, small)
        for index, ((_, crop), repeated) in enumerate(zip(items, repeats(items))):
            batch, place = divmod(index, per_worker)
            epoch, worker = divmod(batch, WORKERS)
            x, y = left + worker * block + place * cell, top + head + epoch * cell
            image = Image.fromarray(crop)
            if repeated:
                image = Image.blend(image, Image.new("RGB", image.size, GREY), 0.55)
            sheet.paste(image, (x, y))
            if repeated:
                pen.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), outline="crimson", width=3)
                pen.line((x, y + SIDE - 1, x + SIDE - 1, y), "crimson", 3)
    sheet.save(SHEET, optimize=True)


def main():
    """Run both, print, draw."""
    photographs = Photographs()
    stock = epochs(photographs)
    import workerseed

    fixed = epochs(photographs)

    runs = {"torch {}".format(torch.__version__.split("+")[0]): stock, "with workerseed": fixed}
    print_draws(runs)
    print()
    for title, items in runs.items():
        print("{:24} {}".format(title + ":", share(items)))
    print("{:24} {}\n".format("workerseed:", workerseed.status().reason))
    draw_sheet(runs)
    print(f"The crops: {SHEET}")
    if any(repeats(fixed)):
        raise SystemExit("workerseed has failed: some crops still repeat")


if __name__ == "__main__":
    main()
