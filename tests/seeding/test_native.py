"""On a torch that seeds NumPy itself nothing is wrapped; on one without NumPy nothing of ours asks for it."""

from support import only_legacy, only_native


@only_native
def test_nothing_is_wrapped(shows):
    code = """
from torch.utils.data import DataLoader, dataloader
classes = DataLoader, dataloader._BaseDataLoaderIter
before = [dict(vars(cls)) for cls in classes]
import workerseed
print([dict(vars(cls)) for cls in classes] == before, workerseed.status().reason)
print([name for name in vars(DataLoader(range(4), num_workers=1)) if "workerseed" in name])
"""
    assert shows(code) == "True this torch seeds NumPy in its workers itself\n[]\n"


@only_legacy
def test_without_numpy_random_is_seeded(forked):
    # The wheels of torch 1.x need NumPy when they are imported, builds without it exist: it is taken away after that.
    code = """
import random, sys, warnings
from torch.utils.data import DataLoader
import torch
warnings.simplefilter("error", RuntimeWarning)
for name in list(sys.modules):
    if name.split(".")[0] == "numpy":
        del sys.modules[name]
sys.modules["numpy"] = None
import workerseed

class Draws:
    def __getitem__(self, index):
        return torch.initial_seed(), random.random()

    def __len__(self):
        return 2

drawn = [item for batch in DataLoader(Draws(), num_workers=2, collate_fn=list) for item in batch]
print([number == random.Random(seed).random() for seed, number in drawn], workerseed.numpy_seed(0, 0)[0])
"""
    done = forked(code)
    assert (done.stdout, done.stderr) == ("[True, True] 2968811710\n", "")
