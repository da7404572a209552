"""Frameworks of their time that make or rebuild loaders: workerseed seeds NumPy where they do not."""

import pytest
import variants
from support import NATIVE
from variants import ACTIVATIONS, NUMPY, SEEDINGS, STOCK, column, drawn, installed, repeats, result, version_of

if NATIVE:
    pytest.skip("this torch seeds NumPy itself", allow_module_level=True)

OF_A_TRANSFORM = -1  # a further column of MONAI's rows

# By module: the cases of programs/use_framework.py in which nobody seeds NumPy without us, and those in which somebody
# does: the framework, or the user's function.
CASES = {
    "accelerate": (["prepared", "prepared four times"], ["prepared four times, with a function"]),
    "catalyst": (["loader"], ["loader with a function", "loader of Catalyst"]),
    "fastai.basic_data": (["as it is"], ["with a function, renewed four times"]),
    "fastai.data.core": ([], ["as it is", "shuffled"]),
    "ignite": (["plain", "deterministic", "rebuilt four times"], ["rebuilt four times, with a function"]),
    "monai": (["as it is"], ["with a function"]),
    "pytorch_lightning": (
        ["unseeded, training", "seed_everything, training", "rebuilt four times"],
        ["unseeded, validation", "rebuilt four times, with a function"],
    ),
    "skorch": (["as it is"], ["with a function"]),
    "timm": (["as it is", "not persistent", "multi-epochs"], []),
}
if version_of("pytorch_lightning") >= "1.3":
    CASES["pytorch_lightning"][1].extend(f"seed_everything with workers, {part}" for part in ("training", "validation"))
if version_of("timm") >= "0.5":  # it seeds NumPy itself, unless an argument says otherwise
    CASES["timm"] = ([f"part, {kind}" for kind in CASES["timm"][0]], CASES["timm"][0])


NOBODY, SOMEBODY = (
    [(framework, case) for framework in CASES if installed(framework) for case in CASES[framework][who]]
    for who in (0, 1)
)


def rows(variant, framework, case):
    return result("use_framework.py", variant, framework)[case]["rows"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("framework, case", NOBODY)
def test_numpy_draws_as_on_torch_1_9_and_nothing_else_changes(framework, case, activation):
    variants.assert_seeded_as_by_torch_1_9(*(rows(variant, framework, case) for variant in (activation, STOCK)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("framework, case", SOMEBODY)
def test_what_the_framework_or_the_user_seeds_draws_as_on_stock(framework, case, activation):
    ours, stock = (rows(variant, framework, case) for variant in (activation, STOCK))
    assert drawn(ours) == drawn(stock)
    assert set(column(ours, SEEDINGS)) == {seedings + 1 for seedings in column(stock, SEEDINGS)}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("framework, case", NOBODY + SOMEBODY)
def test_the_loader_keeps_its_class_and_its_function(framework, case, activation):
    ours, stock = (result("use_framework.py", variant, framework)[case] for variant in (activation, STOCK))
    assert dict(ours, rows=None) == dict(stock, rows=None)


# How often stock torch repeats draws: in the other worker, or with Catalyst's loaders in each of three epochs.
REPEATS = {("catalyst", "loader"): 1 / 2, ("ignite", "deterministic"): 1 / 2, ("catalyst", "loader of Catalyst"): 2 / 3}


@pytest.mark.parametrize("framework, case", sorted(REPEATS.keys() & {*NOBODY, *SOMEBODY}))
def test_stock_repeats_draws(framework, case):
    of_stock = rows(STOCK, framework, case)
    assert repeats(of_stock) == len(of_stock) * REPEATS[framework, case]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", [case for framework, case in NOBODY + SOMEBODY if framework == "monai"])
def test_monais_transforms_draw_as_on_stock(case, activation):
    ours, stock = (column(rows(variant, "monai", case), OF_A_TRANSFORM) for variant in (activation, STOCK))
    assert ours == stock != column(rows(STOCK, "monai", case), NUMPY)
