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
    assert printed_by(tmp_path, sys.executable, "bug.py") == (seeded if NATIVE else stock)
    assert printed_by(tmp_path, sys.executable, "-m", "workerseed", "run", sys.executable, "bug.py") == seeded


def printed_by(folder, *command):
    process = run_command(*command, cwd=str(folder))
    assert process.returncode == 0, process.stderr
    return process.stdout
