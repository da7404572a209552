"""Frameworks of their time that make or rebuild loaders: workerseed seeds NumPy where they do not."""

import pytest
from support import NATIVE
from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes,
    column,
    installed,
    repeats,
    result,
    version_of,
)

if NATIVE:
    pytest.skip("this torch seeds NumPy itself", allow_module_level=True)

NOBODY, SOMEBODY = "nobody", "somebody"
OWN = {"worker_init_fn": "own_worker_init_fn"}
NONE = {"worker_init_fn": None}
REPRODUCIBLE = {"sampler": "ReproducibleBatchSampler"}
OF_A_TRANSFORM = -1  # a further column of MONAI's rows

# A module, a case of programs/use_framework.py, who seeds NumPy there without us, and what the loader shows.
TABLE = [
    ("accelerate", "prepared", NOBODY, {**NONE, "loader": "DataLoaderShard"}),
    ("accelerate", "prepared four times", NOBODY, {**NONE, "loader": "DataLoaderShard"}),
    ("accelerate", "prepared four times, with a function", SOMEBODY, {**OWN, "loader": "DataLoaderShard"}),
    ("catalyst", "loader", NOBODY, {}),
    ("catalyst", "loader with a function", SOMEBODY, {}),
    ("catalyst", "loader of Catalyst", SOMEBODY, {}),
    ("fastai.basic_data", "as it is", NOBODY, NONE),
    ("fastai.basic_data", "with a function", SOMEBODY, OWN),
    ("fastai.basic_data", "with a function, renewed four times", SOMEBODY, OWN),
    ("fastai.data.core", "as it is", SOMEBODY, {"worker_init_fn": "_wif"}),
    ("fastai.data.core", "shuffled", SOMEBODY, {"worker_init_fn": "_wif"}),
    ("ignite", "plain", NOBODY, {**NONE, "sampler": "BatchSampler"}),
    ("ignite", "deterministic", NOBODY, {**NONE, **REPRODUCIBLE}),
    ("ignite", "deterministic, with a function", SOMEBODY, {**OWN, **REPRODUCIBLE}),
    ("ignite", "rebuilt four times", NOBODY, {**NONE, **REPRODUCIBLE}),
    ("ignite", "rebuilt four times, with a function", SOMEBODY, {**OWN, **REPRODUCIBLE}),
    ("monai", "as it is", NOBODY, {"worker_init_fn": "worker_init_fn"}),  # it seeds MONAI's transforms
    ("monai", "with a function", SOMEBODY, OWN),
    ("skorch", "as it is", NOBODY, {}),
    ("skorch", "with a function", SOMEBODY, {}),
]
for kind in ("as it is", "not persistent", "multi-epochs"):
    loader = {"loader": "MultiEpochsDataLoader" if kind == "multi-epochs" else "DataLoader"}
    if version_of("timm") < "0.5":
        TABLE.append(("timm", kind, NOBODY, {**NONE, **loader}))
    else:  # it seeds NumPy itself, unless an argument says otherwise
        seeding = {by: ["partial of", "_worker_init", {"worker_seeding": by}] for by in ("all", "part")}
        TABLE.append(("timm", kind, SOMEBODY, {"worker_init_fn": seeding["all"], **loader}))
        TABLE.append(("timm", f"part, {kind}", NOBODY, {"worker_init_fn": seeding["part"], **loader}))


def is_here(row):
    return installed(row[0])


HERE = list(filter(is_here, TABLE))
activations = pytest.mark.parametrize("activation", ACTIVATIONS)


def cases(seeded_by=None, framework=None):
    rows = [row for row in HERE if seeded_by in (None, row[2]) and framework in (None, row[0])]
    return pytest.mark.parametrize("framework, case", [row[:2] for row in rows])


def drawn(variant, framework, case):
    return result("use_framework.py", variant, framework)[case]["rows"]


@activations
@cases(seeded_by=NOBODY)
def test_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(framework, case, activation):
    ours, stock = (drawn(variant, framework, case) for variant in (activation, STOCK))
    check_that_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(ours, stock)


@activations
@cases(seeded_by=SOMEBODY)
def test_what_the_framework_or_the_user_seeds_draws_as_on_stock(framework, case, activation):
    check_that_nothing_changes(drawn(activation, framework, case), drawn(STOCK, framework, case))


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("framework, case, shown", [(*row[:2], row[3]) for row in HERE if row[3]])
def test_the_loader_keeps_its_class_and_its_function(framework, case, shown, variant):
    of_case = result("use_framework.py", variant, framework)[case]
    assert {name: of_case[name] for name in of_case if name != "rows"} == shown


@pytest.mark.parametrize("framework, case", filter(is_here, [("catalyst", "loader"), ("ignite", "deterministic")]))
def test_stock_repeats_draws_in_the_other_worker_only(framework, case):
    rows = drawn(STOCK, framework, case)
    assert repeats(rows) == len(rows) / 2


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.skipif(not installed("catalyst"), reason="there is no Catalyst here")
def test_loaders_of_catalyst_repeat_their_draws_in_each_epoch_as_on_stock(variant):
    rows = drawn(variant, "catalyst", "loader of Catalyst")
    assert repeats(rows) == len(rows) * 2 / 3


@activations
@cases(framework="monai")
def test_monais_transforms_draw_as_on_stock(framework, case, activation):
    ours, stock = (column(drawn(variant, framework, case), OF_A_TRANSFORM) for variant in (activation, STOCK))
    assert ours == stock
