"""Iterates over the loaders that timm makes."""

import sys

if "imported before the framework" in sys.argv:
    import workerseed
from timm.data import create_loader

if "imported after the framework" in sys.argv:
    import workerseed  # noqa: F401
import inspect

from items import Draws, name_of, rows, seed_parent, write


def iterated(**options):
    seed_parent()
    loader = create_loader(
        Draws(), input_size=(3, 8, 8), batch_size=2, is_training=True, use_prefetcher=False, num_workers=2, **options
    )
    return {
        "rows": [row for _ in range(3) for row in rows(loader)],
        "loader": type(loader).__name__,
        "worker_init_fn": name_of(loader.worker_init_fn),
    }


result = {
    "as it is": iterated(),
    "not persistent": iterated(persistent_workers=False),
    "multi-epochs": iterated(use_multi_epochs_loader=True),
}
if "worker_seeding" in inspect.signature(create_loader).parameters:
    result["part"] = iterated(worker_seeding="part")
    result["part, not persistent"] = iterated(worker_seeding="part", persistent_workers=False)
    result["part, multi-epochs"] = iterated(worker_seeding="part", use_multi_epochs_loader=True)
write(result)
