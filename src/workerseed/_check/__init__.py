"""The command ``workerseed check``: iterates a loader in fresh processes, and prints what its workers repeat."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Dict, List, Optional, Sequence

from .. import __version__, _config, status
from . import probe, report, verdict

EPOCHS = 2
INTERRUPTED = 130  # exit code, as in a shell


def check(loader: Optional[str], start_methods: Sequence[str], timeout: float, as_json: bool) -> int:
    """Check the user's ``loader`` (``MODULE:LOADER``), or this installation on the article's dataset.

    Args:
        loader: or None.
        start_methods: for the installation; if there are none, Python's default.
        timeout: in seconds, for each process.
        as_json: print an object instead of a table.

    Returns:
        The exit code: 0 if nothing is repeated with workerseed, 1 if something is, 2 if it cannot be told.
    """
    try:
        results = run(loader, start_methods, timeout)
    except KeyboardInterrupt:
        return INTERRUPTED
    except probe.CheckError as error:
        if as_json:
            print(json.dumps({"verdict": "cannot tell", "error": str(error), "details": error.details}, indent=2))
        else:
            sys.stderr.write((error.details or "").rstrip() + "\n" if error.details else "")
            sys.stderr.write(f"workerseed: cannot tell: {error}\n")
        return verdict.EXIT_CODES["cannot tell"]
    print(json.dumps(results, indent=2) if as_json else report.table(results))
    return verdict.EXIT_CODES[results["verdict"]]


def run(loader: Optional[str], start_methods: Sequence[str], timeout: float) -> verdict.Results:
    """Probe the loader as it is and with workerseed, each in two processes, and judge."""
    name = loader or "the article's dataset"
    judged = {}
    for method in start_methods or [None]:
        options = {"loader": loader, "start_method": method}
        doing = name + (f" by {method}" if method else "")
        as_it_is = pair(f"{doing}, as it is", dict(options, workerseed=False), None if loader else "0", timeout)
        extras = ",".join(status().extras) or "1"
        workerseed = pair(f"{doing}, with workerseed", dict(options, workerseed=True), extras, timeout)
        judged[method] = verdict.judge(as_it_is, workerseed)
        versions = {key: workerseed.first[key] for key in ("python", "torch", "numpy", "wrapt")}
    results = merged(judged)
    results["loader"]["name"] = name
    return dict(results, versions=dict({"workerseed": __version__}, **versions))


def merged(judged: "Dict[Optional[str], verdict.Results]") -> verdict.Results:
    """Return the results of several start methods as one: the worst verdict, and all sources."""
    if len(judged) == 1:
        return next(iter(judged.values()))
    worst = max(judged.values(), key=lambda results: list(verdict.EXIT_CODES).index(results["verdict"]))
    sources = {f"{name} ({method})": results["sources"][name] for method, results in judged.items() for name in results["sources"]}
    loader = dict(worst["loader"], start_method=", ".join(map(str, judged)))
    return dict(worst, sources=sources, loader=loader)


def pair(doing: str, options: verdict.Results, variable: Optional[str], timeout: float) -> verdict.Pair:
    """Probe in two processes that do the same.

    Args:
        doing: for the user, what this is.
        options: for ``probe``.
        variable: the value of WORKERSEED, or None for the user's.
        timeout: in seconds, for each.
    """
    first = start_probe(doing, dict(options, epochs=EPOCHS), variable, timeout)
    return verdict.Pair(first, start_probe(doing + ", again", dict(options, epochs=1), variable, timeout))


def start_probe(doing: str, options: verdict.Results, variable: Optional[str], timeout: float) -> verdict.Results:
    """Run ``probe`` in a fresh process.

    Raises:
        CheckError: with what it says, or because it ended or took too long before it could say anything.
    """
    sys.stderr.write(f"workerseed: loading from {doing}\n")
    environment = dict(os.environ)
    if variable is not None:
        environment[_config.VARIABLE] = variable
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        path = os.path.join(folder, "results")
        process = subprocess.Popen(
            [sys.executable, probe.__file__, path, json.dumps(options)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # to end its workers, too
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            if not os.path.exists(path):
                raise probe.CheckError(
                    f"{doing}: no batch of each worker after {timeout:g} seconds; --timeout SECONDS sets another limit"
                ) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not os.path.exists(path):
            output.seek(0)
            raise probe.CheckError(f"the process that loads ended with {process.returncode}: {doing}", output.read())
        with open(path) as file:
            results: verdict.Results = json.load(file)
    if "error" in results:
        raise probe.CheckError(results["error"], results["details"])
    return results
