"""Activation by autowrapt, where that is installed: AUTOWRAPT_BOOTSTRAP=workerseed."""

import pytest
from support import NATIVE, USE

from workerseed.__main__ import SITECUSTOMIZE

pytest.importorskip("autowrapt")

STATE = "native" if NATIVE else "active"


@pytest.mark.parametrize(
    "start, variables",
    [
        ("import sys", {}),
        ("import sys", {"WORKERSEED": "1", "PYTHONPATH": SITECUSTOMIZE}),
        ("import sys, torch, workerseed", {}),
    ],
)
def test_it_seeds_a_program_that_knows_nothing_of_it(prints, start, variables):
    code = start + USE + "print(first_draw(), sys.modules['workerseed'].status().state)"
    assert prints(code, AUTOWRAPT_BOOTSTRAP="workerseed", **variables) == f"[522, 297, 434] {STATE}\n"


@pytest.mark.parametrize("value, said", [("0", 0), ("maybe", 1)])
def test_the_variable_switches_it_off_and_an_invalid_value_is_one_line(python, value, said):
    code = "import torch.utils.data, sys; print(sys.modules['workerseed'].status().state)"
    done = python(code, AUTOWRAPT_BOOTSTRAP="workerseed", WORKERSEED=value)
    assert (done.returncode, done.stdout) == (0, "off\n")
    assert done.stderr.count("off: WORKERSEED='maybe': unknown value 'maybe'") == said
