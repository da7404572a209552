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
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence

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
    if not as_json:
        print(f"workerseed {__version__}\n", flush=True)
    settings = {"timeout": timeout, "options": [option for option in options if option != "verbose"]}
    if command:
        groups = grouped(reports_of(command, settings, sys.stderr if as_json else None), as_json)
    else:
        own = [sys.executable, os.path.join(HERE, "target.py"), target or ""]
        methods = methods or [multiprocessing.get_start_method()]
        groups = [*filter(None, (list(reports_of([*own, method], settings, sys.stderr)) for method in methods))]
    judged = [verdict.judge(*reports) for reports in groups]
    if as_json:
        print(json.dumps(judged, indent=2))
    if not judged:
        return cannot_tell(f"it saw no workers start through torch's DataLoader in {target or [*command, 'it'][0]}")
    if not as_json:
        tables = [report.table(each) for each, reports in zip(judged, groups) if len(reports) > 1 or not command]
        if command:
            tables.append("workerseed: " + "\n            ".join("{name}: {verdict}".format(**each) for each in judged))
        print("\n" * bool(command) + "\n\n".join(tables))
    return max((verdict.EXIT_CODES[each["verdict"]] for each in judged), key=(0, 2, 1).index)


def grouped(reports: Iterable[Dict[str, Any]], as_json: bool) -> List[List[Dict[str, Any]]]:
    """Print the table of each loader of a program as it comes; return the reports by loader, then by rank."""
    groups: List[List[Dict[str, Any]]] = []
    shown: List[Dict[str, Any]] = []
    for found in reports:
        of_other_ranks = [group for group in groups if is_another_rank(found, group)]
        if of_other_ranks:
            of_other_ranks[0].append(found)
            continue
        judged = verdict.judge(found)
        if judged not in shown:
            shown.append(judged)
            groups.append([found])
            if not as_json:
                print(f"{report.table(judged)}\n", flush=True)
    return groups


def is_another_rank(found: Dict[str, Any], group: List[Dict[str, Any]]) -> bool:
    """Whether a report is of the loader of a group, but of another rank than all of these."""
    return all(each["name"] == found["name"] and each["rank"] != found["rank"] for each in group)


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
