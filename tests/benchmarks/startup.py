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

NO_EXPORT = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


def start(*command, **variables):
    """Make a function that runs a command, with these variables and few others, and waits for its end."""
    environment = {"PATH": os.path.dirname(command[0]) + ":" + os.environ["PATH"], "HOME": os.environ["HOME"]}
    environment.update(variables)
    return lambda: subprocess.check_call(command, env=environment, stdin=subprocess.DEVNULL)


def python(code="pass", **variables):
    return start(sys.executable, "-c", code, **variables)


def python_with(folder, *packages):
    """Make a virtual environment with these packages and return its interpreter."""
    venv.create(folder, with_pip=bool(packages))
    path = os.path.join(folder, "bin", "python")
    if packages:
        subprocess.check_call([path, "-m", "pip", "install", "-qqq", "--disable-pip-version-check", *packages])
    return path


def report(name, first, second, pairs=300):
    for function in (first, second):
        function()  # writes the bytecode
    print(f"{name:42} {ratio(first, second, pairs)}", flush=True)


def ours(work):
    open(os.path.join(work, "sitecustomize.py"), "w").close()
    with_empty = python(PYTHONPATH=work)
    activated = python(PYTHONPATH=SITECUSTOMIZE, WORKERSEED="1")
    print("an interpreter with an empty sitecustomize = 1")
    report("  twice the same", with_empty, with_empty)
    report("  our sitecustomize, variable unset", with_empty, python(PYTHONPATH=SITECUSTOMIZE))
    report("  our sitecustomize, WORKERSEED=1", with_empty, activated)
    print("an interpreter = 1")
    report("  WORKERSEED=1", python(), activated)
    report("  import workerseed", python(), python("import workerseed"))
    run = start(sys.executable, "-m", "workerseed", "run", sys.executable, "-c", "pass")
    report("  workerseed run python", python(), run)


def peers(work):
    bare = start(python_with(os.path.join(work, "bare")), "-c", "pass")
    for name, package, variables in [
        ("opentelemetry-instrument", "opentelemetry-distro", NO_EXPORT),
        ("ddtrace-run", "ddtrace", {}),
        ("autowrapt", "autowrapt", {"AUTOWRAPT_BOOTSTRAP": "a_group_without_hooks"}),
        ("pip-system-certs", "pip-system-certs", {}),
    ]:
        path = python_with(os.path.join(work, name), package)
        command = os.path.join(os.path.dirname(path), name)
        in_front = [command] if os.path.exists(command) else []  # the others work by a .pth file
        report("  " + name, bare, start(*in_front, path, "-c", "pass", **variables), 30)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        print("Python", sys.version.split()[0])
        ours(work)
        if "--peers" in sys.argv:
            peers(work)
