"""The DataLoaders of fastai 2, which skip DataLoader.__init__ and seed NumPy themselves."""

import pytest

pytest.importorskip("fastai.data.core")

from variants import (
    ACTIVATIONS,
    STOCK,
    check_that_nothing_changes,
    result,
)

UNCHANGED = ["as it is", "shuffled"]


def fastai(variant):
    return result("use_fastai2.py", variant)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", UNCHANGED)
def test_loaders_draw_as_on_stock(case, activation):
    check_that_nothing_changes(fastai(activation)[case]["rows"], fastai(STOCK)[case]["rows"])


@pytest.mark.parametrize("variant", [STOCK, *ACTIVATIONS])
@pytest.mark.parametrize("case", UNCHANGED)
def test_worker_init_fn_is_that_of_fastai(case, variant):
    assert fastai(variant)[case]["worker_init_fn"] == "_wif"
