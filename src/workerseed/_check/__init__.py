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
        return 130  # as a shell has it
    except probe.CheckError as error:
        results = {"verdict": "cannot tell", "error": str(error), "details": error.details}
    if as_json:
        print(json.dumps(results, indent=2))
    elif "sources" in results:
        print(report.table(results))
    else:
        sys.stderr.write("{details}\nworkerseed: cannot tell: {error}\n".format(**results).lstrip())
    return verdict.EXIT_CODES[results["verdict"]]


def run(loader: Optional[str], start_methods: Sequence[str], timeout: float) -> probe.Results:
    """Probe as it is and with workerseed, each in two processes, and judge."""
    try:
        options = _config.from_variable(os.environ.get(_config.VARIABLE, "")) or ()
    except ValueError as error:
        raise probe.CheckError(str(error)) from None
    name = loader or "the article's dataset"
    pairs = []
    for with_it, variable in ((False, None if loader else "off"), (True, ",".join(options) or "on")):
        doing = f"{name} with workerseed" if with_it else f"{name} as it is"
        options = {"loader": loader, "start_methods": start_methods, "workerseed": with_it, "seed": int(with_it)}
        two_epochs = run_probe(f"{doing}, two epochs", dict(options, epochs=2), variable, timeout)
        again = run_probe(f"{doing}, again", dict(options, epochs=1), variable, timeout)
        pairs.append((two_epochs, again))
    results = verdict.judge(*pairs)
    results["loader"]["name"] = name
    if start_methods:
        results["loader"]["start_method"] = ", ".join(start_methods)
    return dict(results, versions=dict(again["versions"], workerseed=__version__))


def run_probe(doing: str, options: probe.Results, variable: Optional[str], timeout: float) -> probe.Results:
    """Run ``probe`` in a fresh process.

    Args:
        doing: for the user, what this is.
        options: for ``probe``.
        variable: the value of WORKERSEED, or None for the user's.
        timeout: in seconds.

    Raises:
        CheckError: with what it says, or because it ended or took too long before it could say anything.
    """
    print(f"workerseed: waiting for the workers of {doing}", file=sys.stderr, flush=True)
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
            raise probe.CheckError(f"{doing}: not ready after {timeout:g} seconds; --timeout sets the limit") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # its workers, too
                process.wait()
        if not os.path.exists(path):
            output.seek(0)
            raise probe.CheckError(f"{doing}: the process ended with {process.returncode}", output.read())
        with open(path) as file:
            results: probe.Results = json.load(file)
    if "error" in results:
        raise probe.CheckError(results["error"], results["details"])
    return results
