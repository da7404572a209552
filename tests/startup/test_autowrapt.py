"""Activation by autowrapt, where that is installed: AUTOWRAPT_BOOTSTRAP=workerseed."""

import pytest
from support import NATIVE, USE

from workerseed.__main__ import SITECUSTOMIZE

pytest.importorskip("autowrapt")

SHOW = "print(first_draw(), sys.modules['workerseed'].status().state)"
STATE = "native" if NATIVE else "active"


@pytest.mark.parametrize("variables", [{}, {"WORKERSEED": "1"}, {"WORKERSEED": "1", "PYTHONPATH": SITECUSTOMIZE}])
def test_it_seeds_a_program_that_knows_nothing_of_it(prints, variables):
    code = "import sys" + USE + SHOW
    assert prints(code, AUTOWRAPT_BOOTSTRAP="workerseed", **variables) == f"[522, 297, 434] {STATE}\n"


def test_the_program_may_import_workerseed_as_well(prints):
    code = "import sys, torch, workerseed" + USE + SHOW
    assert prints(code, AUTOWRAPT_BOOTSTRAP="workerseed") == f"[522, 297, 434] {STATE}\n"


def test_workerseed_0_switches_it_off(prints):
    code = "import torch.utils.data, sys; print(sys.modules['workerseed'].status().state)"
    assert prints(code, AUTOWRAPT_BOOTSTRAP="workerseed", WORKERSEED="0") == "off\n"


def test_a_value_that_is_not_valid_is_one_line_and_torch_goes_on(python):
    code = "import torch.utils.data, sys; print(sys.modules['workerseed'].status().state)"
    done = python(code, AUTOWRAPT_BOOTSTRAP="workerseed", WORKERSEED="maybe")
    assert (done.returncode, done.stdout) == (0, "off\n")
    assert done.stderr.count("off: WORKERSEED='maybe': unknown value 'maybe'") == 1
