"""README's program, run as README runs it: it prints what README shows."""

import re
import sys

from support import NATIVE, contents_of, needs_numpy, run_command

README = contents_of("README.md")


@needs_numpy
def test_the_program_prints_what_is_shown(tmp_path):
    program, session = (re.search(f"```{kind}\n(.*?)```", README, re.DOTALL).group(1) for kind in ("python", "console"))
    (tmp_path / "bug.py").write_text(program)
    _, stock, seeded = re.split(r"^\$ .*\n", session, flags=re.MULTILINE)
    run = [sys.executable, "-m", "workerseed", "run"]
    assert run_command(sys.executable, "bug.py", cwd=str(tmp_path)).stdout == (seeded if NATIVE else stock)
    assert run_command(*run, sys.executable, "bug.py", cwd=str(tmp_path)).stdout == seeded
