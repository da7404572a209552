"""Trains with Ray Train in two worker processes, all with one seed; only Ray's ``runtime_env`` may activate workerseed.

Its arguments are FILE WORKERSEED PYTHONPATH. The driver itself does not have these variables: so it is where the
processes are on other machines.
"""

import os
import sys

import ray
from items import write
from ray.train import Trainer


def train_function(config):
    """What a process draws: with its plain loader, and with one that Ray seeds."""
    from items import loader_of, name_of, own_worker_init_fn, seed_parent
    from ray import train

    def rows_of_epochs(**options):
        loader = train.torch.prepare_data_loader(loader_of(**options))
        names.append(name_of(loader.worker_init_fn))
        return [row.tolist() for _ in range(3) for batch in loader for row in batch]  # Ray makes tuples

    names = []
    seed_parent()
    found = {"plain": rows_of_epochs(), "own function": rows_of_epochs(worker_init_fn=own_worker_init_fn)}
    train.torch.enable_reproducibility(7)
    found.update(reproducible=rows_of_epochs(worker_init_fn=nothing), worker_init_fn=names[1:])
    variables = {name: os.environ.get(name) for name in ("WORKERSEED", "RANK")}
    return dict(found, rank=train.world_rank(), variables=variables)


def nothing(worker_id):
    """Ray 1.13 calls the function of the user without looking whether there is one."""


if __name__ == "__main__":
    variables = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    if sys.argv[2]:
        variables.update(WORKERSEED=sys.argv[2], PYTHONPATH=sys.argv[3])
    ray.init(num_cpus=3, include_dashboard=False, runtime_env={"env_vars": variables})
    trainer = Trainer(backend="torch", num_workers=2, logdir=os.path.dirname(sys.argv[1]))
    trainer.start()
    results = trainer.run(train_function)
    trainer.shutdown()
    ray.shutdown()
    write(results)
