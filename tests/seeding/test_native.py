"""On a torch that seeds NumPy itself nothing is wrapped; on one without NumPy nothing of ours asks for it."""

from support import only_legacy, only_native


@only_native
def test_nothing_is_wrapped(shows):
    code = """
import torch.utils.data.dataloader as dataloader
before = [(cls, dict(vars(cls))) for cls in (dataloader.DataLoader, dataloader._MultiProcessingDataLoaderIter)]
import workerseed
print([dict(vars(cls)) == attributes for cls, attributes in before])
print(workerseed.status().reason)
loader = dataloader.DataLoader(range(4), num_workers=1)
print([name for name in vars(loader) if "workerseed" in name], iter(loader)._worker_init_fn)
"""
    assert shows(code) == "[True, True]\nthis torch seeds NumPy in its workers itself\n[] None\n"


# The wheels of torch 1.x need NumPy when they are imported, builds without it exist: it is taken away after that.
WITHOUT_NUMPY = """
import sys, random
import torch
from torch.utils.data import DataLoader
import workerseed
for name in list(sys.modules):
    if name.split(".")[0] == "numpy":
        del sys.modules[name]
sys.modules["numpy"] = None

class RandomDataset:
    def __getitem__(self, index):
        return random.random()

    def __len__(self):
        return 4

torch.manual_seed(0)
seed = torch.initial_seed()
drawn = list(DataLoader(RandomDataset(), num_workers=2, collate_fn=list))
torch.manual_seed(0)
base_seed = torch.empty((), dtype=torch.int64).random_().item()
workers = [random.Random(base_seed), random.Random(base_seed + 1)]
print(drawn == [[workers[item % 2].random()] for item in range(4)])
"""


@only_legacy
def test_without_numpy_random_is_seeded(forked):
    done = forked("import warnings; warnings.simplefilter('error', RuntimeWarning)" + WITHOUT_NUMPY)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_nothing_of_ours_imports_numpy(prints):
    code = """
import sys
sys.modules["numpy"] = None
import workerseed
import workerseed._patch, workerseed._seeding
print(workerseed.numpy_seed(0, 0))
"""
    assert prints(code) == "[2968811710, 3677149159, 745650761, 2884920346]\n"
