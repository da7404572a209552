"""The command itself: runs a program that is watched, and prints what comes of its loaders."""

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
        return problem(str(error))
    if target is not None and not all(target.rpartition(":")):
        return problem(f"{target!r} does not name a loader; expected MODULE:LOADER or path/to/file.py:LOADER")
    arguments = ["installation", *methods] if target is None else ["loader", target]
    watched = Watched(list(command), arguments, [name for name in options if name != "verbose"], timeout, as_json)
    found = watched.run()
    if as_json:
        print(json.dumps(found, indent=2))
    codes = [verdict.EXIT_CODES[judged["verdict"]] for judged in found] + [2] * bool(watched.problems)
    return max(codes, key=(0, 2, 1).index) if codes else 2


def problem(text: str, details: str = "") -> int:
    sys.stderr.write(f"{details}\nworkerseed: cannot tell: {text}\n".lstrip())
    return 2


class Watched:
    """A program that runs under the sitecustomize of ``check``, and the reports that it writes to a folder."""

    def __init__(self, command: List[str], arguments: List[str], options: List[str], timeout: float, as_json: bool):
        self.command, self.timeout, self.as_json = command, timeout, as_json
        self.own = [sys.executable, os.path.join(HERE, "target.py"), *arguments]
        self.options = options
        self.reports: Dict[str, List[Dict[str, Any]]] = {}  # by loader, in the order in which they came
        self.problems: List[Dict[str, str]] = []
        self.read: List[str] = []

    def run(self) -> List[Dict[str, Any]]:
        """Run the program, print each report as it comes, and sum up."""
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
            settings = json.dumps({"folder": folder, "options": self.options, "timeout": self.timeout})
            path = [os.path.join(HERE, "sitecustomize"), os.environ.get("PYTHONPATH", "")]
            variables = dict(os.environ, WORKERSEED_CHECK=settings, PYTHONPATH=os.pathsep.join(filter(None, path)))
            if not self.command:
                variables[_config.VARIABLE] = "on"  # the program's own `import workerseed` works as it is
            into: Any = {} if self.command else {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            if self.command and self.as_json:
                into = {"stdout": sys.stderr}
            try:
                process = subprocess.Popen(self.command or self.own, env=variables, start_new_session=True, **into)
            except OSError as error:
                problem(f"{self.command[0]}: {error.strerror}")
                return []
            with ended(process):
                self.follow(process, folder)
            output.seek(0)
            printed = output.read()
        found = [self.judged(key) for key in self.reports]
        if not self.problems and not found:
            self.problems.append({"problem": self.why_nothing(process), "details": printed})
        elif not self.command and found:
            self.problems = []  # the loader cannot be iterated: the report says so
            sys.stderr.write(printed if any("details" in judged for judged in found) else "")
        for each in self.problems:
            problem(each["problem"], each.get("details", ""))
        if self.command and found and not self.as_json:
            grown = [
                self.judged(key)
                for key, reports in self.reports.items()
                if len(reports) > 1 or "restarts" in reports[0]
            ]
            for judged in grown:  # more was seen than when it was printed
                print(f"\n{report.table(judged)}")
            print(
                "\nworkerseed: " + "\n            ".join(f"{judged['name']}: {judged['verdict']}" for judged in found)
            )
        return found

    def why_nothing(self, process: Any) -> str:
        if self.command:
            return (
                f"{self.command[0]} started no workers through torch's DataLoader, and ended with {process.returncode}"
            )
        if process.returncode == -signal.SIGTERM:
            return f"it was not ready after {self.timeout:g} seconds; --timeout sets the limit"
        return f"the process ended with {process.returncode}"

    def follow(self, process: Any, folder: str) -> None:
        deadline = time.monotonic() + self.timeout + 5
        while True:
            code = process.poll()
            self.take(folder)
            if code is not None:
                return
            if not self.command and time.monotonic() > deadline:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)

    def take(self, folder: str) -> None:
        """Read the reports that have come, and print those of loaders that are new."""
        for path in sorted(set(glob.glob(os.path.join(folder, "*.json"))) - set(self.read)):
            self.read.append(path)
            with open(path) as file:
                found = json.load(file)
            if "problem" in found:
                self.problems.append(found)
            elif "restarts" in found:
                self.reports.get(found["key"], [{}])[0]["restarts"] = True
            else:
                reports = self.reports.setdefault(found["key"], [])
                reports.append(found)
                if len(reports) == 1 and not self.as_json:
                    print(f"{self.heading()}{report.table(self.judged(found['key']))}\n", flush=True)

    def judged(self, key: str) -> Dict[str, Any]:
        return verdict.judge(*self.reports[key])

    def heading(self) -> str:
        return "" if len(self.reports) > 1 else f"workerseed {__version__}\n\n"


@contextlib.contextmanager
def ended(process: Any) -> Iterator[None]:
    """End the program with this block, and pass on the signals that would end us."""

    def pass_on(number: int, frame: Any) -> None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()

    handlers = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
