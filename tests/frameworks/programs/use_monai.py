"""Iterates over MONAI's DataLoader, with a randomizable transform of MONAI's kind."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
import monai.data

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
from items import Draws, name_of, own_worker_init_fn, seed_parent, write
from monai.transforms import Randomizable, Transform

draws = Draws()


class RandomTransform(Randomizable, Transform):
    """Adds a draw of the generator that MONAI gives each transform."""

    def randomize(self, data=None):
        self.draw = self.R.randint(0, 2**31 - 1)

    def __call__(self, index):
        self.randomize()
        return [*draws[index].tolist(), self.draw]


def iterated(**options):
    seed_parent()
    dataset = monai.data.Dataset(list(range(8)), RandomTransform().set_random_state(seed=5))
    loader = monai.data.DataLoader(dataset, num_workers=2, batch_size=2, collate_fn=list, **options)
    rows = [row for _ in range(3) for batch in loader for row in batch]
    return {"rows": rows, "worker_init_fn": name_of(loader.worker_init_fn)}


write({"as it is": iterated(), "with a function": iterated(worker_init_fn=own_worker_init_fn)})
