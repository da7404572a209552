"""The command ``workerseed check``: iterates a loader in fresh processes, and prints what its workers repeat."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Optional, Sequence

from .. import __version__, _config
from . import probe, report, verdict

INTERRUPTED = 130  # the exit code of a shell


def check(loader: Optional[str], start_methods: Sequence[str], timeout: float, as_json: bool) -> int:
    """Check the user's ``loader`` (``MODULE:LOADER``), or this installation, on the article's dataset.

    Args:
        loader: or None.
        start_methods: of the installation's workers; if there are none, Python's default.
        timeout: in seconds, for each process.
        as_json: print an object instead of a table.

    Returns:
        The exit code: 0 if nothing is repeated with workerseed, 1 if something is, 2 if that cannot be told.
    """
    try:
        results = run(loader, start_methods, timeout)
    except KeyboardInterrupt:
        return INTERRUPTED
    except probe.CheckError as error:
        if as_json:
            print(json.dumps({"verdict": "cannot tell", "error": str(error), "details": error.details}, indent=2))
        else:
            details = error.details.rstrip() + "\n" if error.details else ""
            sys.stderr.write(f"{details}workerseed: cannot tell: {error}\n")
        return verdict.EXIT_CODES["cannot tell"]
    print(json.dumps(results, indent=2) if as_json else report.table(results))
    return verdict.EXIT_CODES[results["verdict"]]


def run(loader: Optional[str], start_methods: Sequence[str], timeout: float) -> verdict.Results:
    """Probe as it is and with workerseed, each in two processes, and judge; several start methods in one table."""
    name = loader or "the article's dataset"
    try:
        extras = _config.from_variable(os.environ.get(_config.VARIABLE, "")) or ()
    except ValueError as error:
        raise probe.CheckError(str(error)) from None
    judged = {}
    for method in start_methods or [""]:
        pairs = []
        for with_it, variable in ((False, None if loader else "off"), (True, ",".join(extras) or "on")):
            doing = " ".join(filter(None, [name, method, "with workerseed" if with_it else "as it is"]))
            options = {"loader": loader, "start_method": method, "workerseed": with_it}
            records = [
                run_probe(f"{doing}, {when}", dict(options, epochs=epochs), variable, timeout)
                for when, epochs in (("two epochs", 2), ("again", 1))
            ]
            pairs.append(verdict.Pair(*records))
        judged[method] = verdict.judge(*pairs)
    results: verdict.Results = max(judged.values(), key=lambda found: list(verdict.EXIT_CODES).index(found["verdict"]))
    if len(judged) > 1:
        sources = [
            (f"{name} {method}", of) for method, found in judged.items() for name, of in found["sources"].items()
        ]
        results = dict(results, sources=dict(sources))
        results["loader"]["start_method"] = ", ".join(judged)
    versions = {key: records[0][key] for key in ("python", "torch", "numpy", "wrapt")}
    results["loader"]["name"] = name
    return dict(results, versions=dict({"workerseed": __version__}, **versions))


def run_probe(doing: str, options: verdict.Results, variable: Optional[str], timeout: float) -> verdict.Results:
    """Run ``probe`` in a fresh process.

    Args:
        doing: for the user, what this is.
        options: for ``probe``.
        variable: the value of WORKERSEED, or None for the user's.
        timeout: in seconds.

    Raises:
        CheckError: with what it says, or because it ended or took too long before it could say anything.
    """
    sys.stderr.write(f"workerseed: waiting for the workers of {doing}\n")
    sys.stderr.flush()
    environment = dict(os.environ, **({} if variable is None else {_config.VARIABLE: variable}))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        path = os.path.join(folder, "results")
        command = [sys.executable, probe.__file__, path, json.dumps(options)]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            message = f"{doing}: not ready after {timeout:g} seconds; --timeout SECONDS sets another limit"
            raise probe.CheckError(message) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # its workers, too
                process.wait()
        if not os.path.exists(path):
            output.seek(0)
            raise probe.CheckError(f"{doing}: the process ended with {process.returncode}", output.read())
        with open(path) as file:
            results: verdict.Results = json.load(file)
    if "error" in results:
        raise probe.CheckError(results["error"], results["details"])
    return results
