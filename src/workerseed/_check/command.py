"""The command itself: runs a program under the sitecustomize of the check, and prints what comes of its loaders."""

import contextlib
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence

from .. import __version__, _config
from . import report, verdict

HERE = os.path.dirname(os.path.abspath(__file__))


def check(target: Optional[str], command: Sequence[str], methods: Sequence[str], timeout: float, as_json: bool) -> int:
    """Check a loader (``MODULE:LOADER``), each loader of a command, or this installation, on the article's dataset.

    Args:
        target: the loader, or None.
        command: a program and its arguments, if any.
        methods: how the installation's workers start; if empty, Python's default.
        timeout: in seconds, for each loader.
        as_json: print a list of loaders instead of tables.

    Returns:
        The exit code: 0 if nothing is repeated with workerseed, 1 if something is, 2 if that cannot be told.
    """
    try:
        options = _config.from_variable(os.environ.get(_config.VARIABLE, "")) or ()
    except ValueError as error:
        return cannot_tell(str(error))
    if target is not None and not all(target.rpartition(":")):
        return cannot_tell(f"{target!r} does not name a loader; expected MODULE:LOADER or path/to/file.py:LOADER")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as printed:
        settings = {"folder": folder, "timeout": timeout, "options": [name for name in options if name != "verbose"]}
        path = filter(None, [os.path.join(HERE, "sitecustomize"), os.environ.get("PYTHONPATH")])
        variables = dict(os.environ, WORKERSEED_CHECK=json.dumps(settings), PYTHONPATH=os.pathsep.join(path))
        streams: Dict[str, Any] = {"stdout": sys.stderr} if as_json else {}
        if not command:
            variables[_config.VARIABLE] = "on"  # the loader's own `import workerseed` does what it does elsewhere
            streams = {"stdin": subprocess.DEVNULL, "stdout": printed, "stderr": printed}
        reports = Reports(folder, as_json, bool(command))
        program = command or [sys.executable, os.path.join(HERE, "target.py"), target or "", *methods]
        try:
            process = subprocess.Popen(program, env=variables, start_new_session=True, **streams)
        except OSError as error:
            return cannot_tell(f"{program[0]}: {error.strerror}")
        with ended(process):
            is_late = follow(process, reports, None if command else time.monotonic() + 2 * timeout + 5)
        printed.seek(0)
        reason = f"{program[0]} started no workers through torch's DataLoader, and ended with {process.returncode}"
        reason = "it took too long; --timeout sets the limit" if is_late else reason
        return reports.sum_up(reason, printed.read())


def cannot_tell(reason: str, details: str = "") -> int:
    sys.stderr.write(f"{details}\nworkerseed: cannot tell: {reason}\n".lstrip())
    return 2


def follow(process: Any, reports: "Reports", deadline: Optional[float]) -> bool:
    """Read the reports of a program until it ends; return whether it was ended at its deadline."""
    while process.poll() is None:
        reports.read()
        if deadline is not None and time.monotonic() > deadline:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    reports.read()
    return False


@contextlib.contextmanager
def ended(process: Any) -> Iterator[None]:
    """Pass on the signals that would end this process, and leave none of the program's processes."""

    def send(number: int, frame: Any = None) -> None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()

    handlers = {number: signal.signal(number, send) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        send(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


class Reports:
    """The reports that a program's processes write to a folder; prints each loader's first when it comes."""

    def __init__(self, folder: str, as_json: bool, has_summary: bool) -> None:
        self.folder, self.as_json, self.has_summary = folder, as_json, has_summary
        self.by_loader: Dict[str, List[Dict[str, Any]]] = {}  # several where several processes start it
        self.problems: List[Dict[str, str]] = []

    def read(self) -> None:
        for path in sorted(glob.glob(os.path.join(self.folder, "*.json"))):
            with open(path) as file:
                found = json.load(file)
            os.remove(path)
            if "problem" in found:
                self.problems.append(found)
                continue
            reports = self.by_loader.setdefault(found["key"], [])
            reports.append(found)
            if len(reports) == 1 and not self.as_json:
                heading = f"workerseed {__version__}\n\n" * (len(self.by_loader) == 1)
                print(f"{heading}{report.table(verdict.judge(found))}\n", flush=True)

    def sum_up(self, why_nothing: str, printed: str) -> int:
        """Print what is known at the end, and return the exit code."""
        found = [verdict.judge(*reports) for reports in self.by_loader.values()]
        if self.as_json:
            print(json.dumps(found, indent=2))
        if not self.problems and not found:
            self.problems = [{"problem": why_nothing, "details": printed}]
        elif any("details" in judged for judged in found):
            sys.stderr.write(printed)
        for each in self.problems:
            cannot_tell(each["problem"], each.get("details", ""))
        if found and self.has_summary and not self.as_json:
            several = [judged for judged, reports in zip(found, self.by_loader.values()) if len(reports) > 1]
            for judged in several:  # more is known than when it was printed
                print(f"\n{report.table(judged)}")
            print(
                "\nworkerseed: " + "\n            ".join(f"{judged['name']}: {judged['verdict']}" for judged in found)
            )
        codes = [verdict.EXIT_CODES[judged["verdict"]] for judged in found] + [2] * bool(self.problems)
        return max(codes, key=(0, 2, 1).index) if codes else 2
