"""What activation costs an interpreter that never sees torch, in units of what starting it takes without.

    python tests/benchmarks/startup.py [--peers]

``--peers`` adds others that are activated from the environment, each in a virtual environment of its own.
"""

import os
import subprocess
import sys
import tempfile
import venv

from paired import ratio

from workerseed.__main__ import SITECUSTOMIZE

PAIRS = 300
NO_EXPORT = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


def start(*command, **variables):
    """Make a function that runs a command, with these variables and few others, and waits for its end."""
    environment = {"PATH": os.path.dirname(command[0]) + ":" + os.environ["PATH"], "HOME": os.environ["HOME"]}
    environment.update(variables)
    return lambda: subprocess.check_call(command, env=environment, stdin=subprocess.DEVNULL)


def python_with(folder, *packages):
    """Make a virtual environment with these packages and return its interpreter."""
    venv.create(folder, with_pip=bool(packages))
    python = os.path.join(folder, "bin", "python")
    if packages:
        subprocess.check_call([python, "-m", "pip", "install", "-qqq", "--disable-pip-version-check", *packages])
    return python


def report(name, first, second, pairs=PAIRS):
    for function in (first, second):
        function()  # writes the bytecode
    print(f"{name:42} {ratio(first, second, pairs)}", flush=True)


def ours(work):
    empty = os.path.join(work, "empty")
    os.mkdir(empty)
    open(os.path.join(empty, "sitecustomize.py"), "w").close()
    bare = start(sys.executable, "-c", "pass")
    with_empty = start(sys.executable, "-c", "pass", PYTHONPATH=empty)
    print("an interpreter with an empty sitecustomize = 1")
    report("  twice the same", with_empty, with_empty)
    report(
        "  our sitecustomize, variable unset", with_empty, start(sys.executable, "-c", "pass", PYTHONPATH=SITECUSTOMIZE)
    )
    activated = start(sys.executable, "-c", "pass", PYTHONPATH=SITECUSTOMIZE, WORKERSEED="1")
    report("  our sitecustomize, WORKERSEED=1", with_empty, activated)
    print("an interpreter = 1")
    report("  WORKERSEED=1", bare, activated)
    report("  import workerseed", bare, start(sys.executable, "-c", "import workerseed"))
    report(
        "  workerseed run python", bare, start(sys.executable, "-m", "workerseed", "run", sys.executable, "-c", "pass")
    )


def peers(work):
    bare = start(python_with(os.path.join(work, "bare")), "-c", "pass")
    for name, package, variables in [
        ("opentelemetry-instrument", "opentelemetry-distro", NO_EXPORT),
        ("ddtrace-run", "ddtrace", {}),
        ("autowrapt", "autowrapt", {"AUTOWRAPT_BOOTSTRAP": "a_group_without_hooks"}),
        ("pip-system-certs", "pip-system-certs", {}),
    ]:
        python = python_with(os.path.join(work, name), package)
        command = os.path.join(os.path.dirname(python), name)
        in_front = [command] if os.path.exists(command) else []  # the others work by a .pth file
        report("  " + name, bare, start(*in_front, python, "-c", "pass", **variables), 30)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        print("Python", sys.version.split()[0])
        ours(work)
        if "--peers" in sys.argv:
            peers(work)
