"""Beside opentelemetry-instrument, where that is installed: it puts a sitecustomize first that hides ours."""

import os
import sys

import pytest
from support import needs_torch, run_command

from workerseed.__main__ import SITECUSTOMIZE

pytest.importorskip("opentelemetry.instrumentation")

INSTRUMENT = [os.path.join(os.path.dirname(sys.executable), "opentelemetry-instrument")]
RUN = [sys.executable, "-m", "workerseed", "run"]
BY_SHELL = [*INSTRUMENT, "sh", "-c", f'PYTHONPATH={SITECUSTOMIZE}:$PYTHONPATH exec "$0" "$@"']
ACTIVE = """
import sys, torch.utils.data
print("workerseed" in sys.modules, "opentelemetry.instrumentation.auto_instrumentation" in sys.modules)
"""
NO_EXPORTERS = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


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
