"""Others that are activated from the environment, where they are installed: autowrapt, opentelemetry-instrument."""

import importlib.util
import os
import sys

import pytest
from support import STATE, USE, needs_torch, run_command

from workerseed.__main__ import SITECUSTOMIZE


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"there is no {package} here")


# autowrapt: AUTOWRAPT_BOOTSTRAP=workerseed


@needs("autowrapt")
@pytest.mark.parametrize(
    "start, variables",
    [
        ("import sys", {}),
        ("import sys", {"WORKERSEED": "1", "PYTHONPATH": SITECUSTOMIZE}),
        ("import sys, torch, workerseed", {}),
    ],
)
def test_autowrapt_seeds_a_program_that_knows_nothing_of_it(prints, start, variables):
    code = start + USE + "print(first_draw(), sys.modules['workerseed'].status().state)"
    assert prints(code, AUTOWRAPT_BOOTSTRAP="workerseed", **variables) == f"[522, 297, 434] {STATE}\n"


@needs("autowrapt")
@pytest.mark.parametrize("value, said", [("0", 0), ("maybe", 1)])
def test_the_variable_switches_it_off_and_an_invalid_value_is_one_line(python, value, said):
    code = "import torch.utils.data, sys; print(sys.modules['workerseed'].status().state)"
    done = python(code, AUTOWRAPT_BOOTSTRAP="workerseed", WORKERSEED=value)
    assert (done.returncode, done.stdout) == (0, "off\n")
    assert done.stderr.count("off: WORKERSEED='maybe': unknown value 'maybe'") == said


# opentelemetry-instrument puts a sitecustomize first that hides ours

INSTRUMENT = [os.path.join(os.path.dirname(sys.executable), "opentelemetry-instrument")]
RUN = [sys.executable, "-m", "workerseed", "run"]
BY_SHELL = [*INSTRUMENT, "sh", "-c", f'PYTHONPATH={SITECUSTOMIZE}:$PYTHONPATH exec "$0" "$@"']
ACTIVE = """
import sys, torch.utils.data
print("workerseed" in sys.modules, "opentelemetry.instrumentation.auto_instrumentation" in sys.modules)
"""
NO_EXPORTERS = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


@needs("opentelemetry")
@needs_torch
@pytest.mark.parametrize(
    "command, code, active",
    [
        ([*RUN, *INSTRUMENT], ACTIVE, "False True"),
        ([*INSTRUMENT, *RUN], ACTIVE, "True False"),
        (BY_SHELL, ACTIVE, "True True"),
        (INSTRUMENT, "import workerseed" + ACTIVE, "True True"),
    ],
    ids=["run first", "run second", "the folder first", "import"],
)
def test_what_is_active_beside_opentelemetry(command, code, active, tmp_path):
    (tmp_path / "program.py").write_text(code)
    done = run_command(*command, sys.executable, str(tmp_path / "program.py"), WORKERSEED="1", **NO_EXPORTERS)
    assert (done.stdout, done.returncode) == (active + "\n", 0), done.stderr
