"""The command itself: runs a program under the sitecustomize of the check, and prints what comes of its loaders."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any, Dict, Iterator, List, Optional, Sequence

from .. import __version__, _config
from . import report, verdict

HERE = os.path.dirname(os.path.abspath(__file__))
REAPER = 'read _; kill -9 -"$0" 2> /dev/null'  # when its input ends


def check(target: Optional[str], command: Sequence[str], methods: Sequence[str], timeout: float, as_json: bool) -> int:
    """Check a loader (``MODULE:LOADER``), each loader of a command, or this installation, on the article's dataset.

    Args:
        target: the loader, or None.
        command: a program and its arguments, if any.
        methods: how the installation's workers start; if empty, Python's default.
        timeout: in seconds, for each loader.
        as_json: print a list of loaders instead of tables.

    Returns:
        The exit code: 0 if nothing repeats with workerseed, 1 if something repeats or varies, 2 if it cannot tell.
    """
    try:
        options = _config.from_variable(os.environ.get(_config.VARIABLE, "")) or ()
    except ValueError as error:
        return cannot_tell(str(error))
    if target and not all(target.rpartition(":")):
        return cannot_tell(f"{target!r} does not name a loader; expected MODULE:LOADER or path/to/file.py:LOADER")
    if command and not shutil.which(command[0]):
        return cannot_tell(f"{command[0]}: command not found")
    if not hasattr(os, "fork"):
        return cannot_tell("it needs os.fork, which Windows does not have")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it without a traceback
    settings = {"timeout": timeout, "options": [option for option in options if option != "verbose"]}
    stdout = None if command and not as_json else sys.stderr
    own = [sys.executable, os.path.join(HERE, "target.py"), target or ""]
    programs = [command] if command else [[*own, method] for method in methods or [multiprocessing.get_start_method()]]
    groups: List[List[Dict[str, Any]]] = []  # the reports of each loader: several where several ranks start it
    for program in programs:
        for found in reports_of(program, settings, stdout):
            key = found["key"] = [program[-1], found["key"]]
            alike = [reports for reports in groups if reports[0]["key"] == key]
            of_ranks = [reports for reports in alike if is_another_rank(found, reports)]
            if of_ranks:
                of_ranks[0].append(found)
                continue
            if any(says_the_same(found, reports[0]) for reports in alike):
                continue
            if alike:
                found["name"] += f" ({len(alike) + 1})"
            groups.append([found])
            if not as_json:
                heading = f"workerseed {__version__}\n\n" * (len(groups) == 1)
                print(f"{heading}{report.table(verdict.judge(found))}\n", flush=True)
    judged = [verdict.judge(*reports) for reports in groups]
    if as_json:
        print(json.dumps(judged, indent=2))
    if not judged:
        return cannot_tell(f"it saw no workers start through torch's DataLoader in {target or programs[0][0]}")
    if command and not as_json:
        for each, reports in zip(judged, groups):
            print(f"\n{report.table(each)}\n" * (len(reports) > 1), end="")  # more is known than when it was printed
        print("\nworkerseed: " + "\n            ".join("{name}: {verdict}".format(**each) for each in judged))
    return max((verdict.EXIT_CODES[each["verdict"]] for each in judged), key=(0, 2, 1).index)


def is_another_rank(found: Dict[str, Any], reports: List[Dict[str, Any]]) -> bool:
    """Whether a report can be compared with these, which are of other ranks."""
    return "error" not in found and all("error" not in each and each["rank"] != found["rank"] for each in reports)


def says_the_same(found: Dict[str, Any], other: Dict[str, Any]) -> bool:
    """Whether two reports lead to the same verdict and the same table."""
    return verdict.judge(dict(found, name=other["name"])) == verdict.judge(other)


def cannot_tell(reason: str) -> int:
    sys.stderr.write(f"workerseed: cannot tell: {reason}\n")
    return 2


def reports_of(program: Sequence[str], settings: Dict[str, Any], stdout: Any) -> Iterator[Dict[str, Any]]:
    """Run a program, yield the reports of its processes as they come, and then end all of these.

    The signals that would end this process go to the program. If this process is killed, the reaper notices.
    """
    with tempfile.NamedTemporaryFile("r") as file:
        path = filter(None, [os.path.join(HERE, "sitecustomize"), os.environ.get("PYTHONPATH")])
        variables = dict(os.environ, PYTHONPATH=os.pathsep.join(path))
        variables["WORKERSEED_CHECK"] = json.dumps(dict(settings, path=file.name))
        try:
            process = subprocess.Popen(program, env=variables, start_new_session=True, stdout=stdout)
        except OSError as error:  # it has no first line that names an interpreter, or one that does not exist
            sys.exit(cannot_tell(f"{program[0]}: {error.strerror}"))

        def send(number: int, frame: Any) -> None:
            with suppress(OSError):
                os.killpg(process.pid, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, send)
        with subprocess.Popen(["sh", "-c", REAPER, str(process.pid)], stdin=subprocess.PIPE, start_new_session=True):
            text, is_over = "", False
            while not is_over:
                is_over = process.poll() is not None
                *lines, text = (text + file.read()).split("\n")  # the last is not complete
                yield from map(json.loads, lines)
                time.sleep(0 if is_over else 0.1)
