"""Frameworks of their time that make or rebuild loaders: workerseed seeds NumPy where they do not."""

import pytest
import variants
from support import NATIVE
from variants import ACTIVATIONS, NUMPY, SEEDINGS, STOCK, column, drawn, installed, repeats, result, version_of

if NATIVE:
    pytest.skip("this torch seeds NumPy itself", allow_module_level=True)

NOBODY, SOMEBODY = "nobody", "somebody"
OF_TORCH, OF_ACCELERATE = {"loader": "DataLoader"}, {"loader": "DataLoaderShard"}
OWN = {"worker_init_fn": "own_worker_init_fn"}
NONE = {"worker_init_fn": None}
SEQUENTIAL = {"sampler": "SequentialSampler"}
REPRODUCIBLE = {"sampler": "ReproducibleBatchSampler"}
OF_A_TRANSFORM = -1  # a further column of MONAI's rows

# A module, a case of programs/use_framework.py, who seeds NumPy there without us, and what the loader shows.
TABLE = [
    ("accelerate", "prepared", NOBODY, {**NONE, **OF_ACCELERATE}),
    ("accelerate", "prepared four times", NOBODY, {**NONE, **OF_ACCELERATE}),
    ("accelerate", "prepared four times, with a function", SOMEBODY, {**OWN, **OF_ACCELERATE}),
    ("catalyst", "loader", NOBODY, {}),
    ("catalyst", "loader with a function", SOMEBODY, {}),
    ("catalyst", "loader of Catalyst", SOMEBODY, {}),
    ("fastai.basic_data", "as it is", NOBODY, {**NONE, **OF_TORCH}),
    ("fastai.basic_data", "with a function, renewed four times", SOMEBODY, {**OWN, **OF_TORCH}),
    ("fastai.data.core", "as it is", SOMEBODY, {"worker_init_fn": "_wif", "loader": "_FakeLoader"}),
    ("fastai.data.core", "shuffled", SOMEBODY, {"worker_init_fn": "_wif", "loader": "_FakeLoader"}),
    ("ignite", "plain", NOBODY, {**NONE, "sampler": "BatchSampler"}),
    ("ignite", "deterministic", NOBODY, {**NONE, **REPRODUCIBLE}),
    ("ignite", "rebuilt four times", NOBODY, {**NONE, **REPRODUCIBLE}),
    ("ignite", "rebuilt four times, with a function", SOMEBODY, {**OWN, **REPRODUCIBLE}),
    ("monai", "as it is", NOBODY, {"worker_init_fn": "worker_init_fn", **OF_TORCH}),  # it seeds MONAI's transforms
    ("monai", "with a function", SOMEBODY, {**OWN, **OF_TORCH}),
    ("pytorch_lightning", "unseeded, training", NOBODY, {**NONE, **SEQUENTIAL}),
    ("pytorch_lightning", "unseeded, validation", SOMEBODY, {**OWN, **SEQUENTIAL}),
    ("pytorch_lightning", "seed_everything, training", NOBODY, {**NONE, **SEQUENTIAL}),
    ("pytorch_lightning", "rebuilt four times", NOBODY, NONE),
    ("pytorch_lightning", "rebuilt four times, with a function", SOMEBODY, OWN),
    ("skorch", "as it is", NOBODY, {}),
    ("skorch", "with a function", SOMEBODY, {}),
]
if version_of("pytorch_lightning") >= "1.3":
    LIGHTNING = {"worker_init_fn": ["partial of", "pl_worker_init_function", {"rank": 0}], **SEQUENTIAL}
    TABLE.append(("pytorch_lightning", "seed_everything with workers, training", SOMEBODY, LIGHTNING))
    TABLE.append(("pytorch_lightning", "seed_everything with workers, validation", SOMEBODY, {**OWN, **SEQUENTIAL}))
for kind in ("as it is", "not persistent", "multi-epochs"):
    loader = {"loader": "MultiEpochsDataLoader"} if kind == "multi-epochs" else OF_TORCH
    if version_of("timm") < "0.5":
        TABLE.append(("timm", kind, NOBODY, {**NONE, **loader}))
    else:  # it seeds NumPy itself, unless an argument says otherwise
        seeding = {by: ["partial of", "_worker_init", {"worker_seeding": by}] for by in ("all", "part")}
        TABLE.append(("timm", kind, SOMEBODY, {"worker_init_fn": seeding["all"], **loader}))
        TABLE.append(("timm", f"part, {kind}", NOBODY, {"worker_init_fn": seeding["part"], **loader}))
HERE = [row for row in TABLE if installed(row[0])]
CASES = {(framework, case) for framework, case, *_ in HERE}


def rows(variant, framework, case):
    return result("use_framework.py", variant, framework)[case]["rows"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("framework, case", [row[:2] for row in HERE if row[2] == NOBODY])
def test_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(framework, case, activation):
    variants.assert_seeded_as_by_torch_1_9(*(rows(variant, framework, case) for variant in (activation, STOCK)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("framework, case", [row[:2] for row in HERE if row[2] == SOMEBODY])
def test_what_the_framework_or_the_user_seeds_draws_as_on_stock(framework, case, activation):
    ours, stock = (rows(variant, framework, case) for variant in (activation, STOCK))
    assert drawn(ours) == drawn(stock)
    assert set(column(ours, SEEDINGS)) == {seedings + 1 for seedings in column(stock, SEEDINGS)}


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("framework, case, shown", [(*row[:2], row[3]) for row in HERE if row[3]])
def test_the_loader_keeps_its_class_and_its_function(framework, case, shown, variant):
    of_case = result("use_framework.py", variant, framework)[case]
    assert {name: of_case[name] for name in of_case if name != "rows"} == shown


# How often stock torch repeats draws: in the other worker, or with Catalyst's loaders in each of three epochs.
REPEATS = {("catalyst", "loader"): 1 / 2, ("ignite", "deterministic"): 1 / 2, ("catalyst", "loader of Catalyst"): 2 / 3}


@pytest.mark.parametrize("framework, case", sorted(REPEATS.keys() & CASES))
def test_stock_repeats_draws(framework, case):
    of_stock = rows(STOCK, framework, case)
    assert repeats(of_stock) == len(of_stock) * REPEATS[framework, case]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", [case for framework, case in sorted(CASES) if framework == "monai"])
def test_monais_transforms_draw_as_on_stock(case, activation):
    ours, stock = (column(rows(variant, "monai", case), OF_A_TRANSFORM) for variant in (activation, STOCK))
    assert ours == stock != column(rows(STOCK, "monai", case), NUMPY)
