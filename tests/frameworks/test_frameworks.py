"""Frameworks of their time that make or rebuild loaders: workerseed seeds NumPy where they do not."""

import pytest
import variants
from support import NATIVE
from variants import ACTIVATIONS, SEEDINGS, STOCK, column, drawn, installed, repeats, result, version_of

if NATIVE:
    pytest.skip("this torch seeds NumPy itself", allow_module_level=True)

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


@pytest.mark.skipif(not installed("catalyst"), reason="there is no Catalyst here")
def test_stock_repeats_draws_of_catalysts_own_loaders_in_each_of_three_epochs():
    of_stock = rows(STOCK, "catalyst", "loader of Catalyst")
    assert repeats(of_stock) == len(of_stock) * 2 / 3
