"""Runs a task in a fork of the program, and ends all processes of that fork with it."""

import gc
import json
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from typing import Any, Callable, Dict

from .._options import rng
from .._seeding import release_lock
from . import program, worker

Result = Dict[str, Any]


def in_fork(task: Callable[[], Result], deadline: float) -> Result:
    """Return what ``task`` returns in a fork of this process. Whatever it draws, changes or breaks stays there."""
    for stream in (sys.stdout, sys.stderr):  # or the fork's workers would flush what waits here a second time
        with suppress(Exception):
            stream.flush()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 3.12 and later: other threads run
        output, results = os.path.join(folder, "output"), os.path.join(folder, "results")
        open(output, "w").close()
        pid = os.fork()
        if pid == 0:
            run_fork(task, output, results, deadline)
        try:
            with suppress(ChildProcessError):  # the program ignores SIGCHLD
                os.waitpid(pid, 0)
        finally:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)  # its workers
        if os.path.exists(results):
            with open(results) as file:
                found: Result = json.load(file)
        else:
            is_late = time.monotonic() > deadline
            found = {"error": "it took too long; --timeout sets the limit" if is_late else "its process died"}
        if "error" in found:
            with open(output, errors="replace") as file:
                raise worker.UnknownError(found["error"], file.read() + found.get("details", ""))
    return found


def run_fork(task: Callable[[], Result], output: str, results: str, deadline: float) -> None:
    """Run the task, write down what it returned or raised, and exit."""
    try:
        parent = os.getppid()
        os.setpgid(0, 0)

        def guard() -> None:
            while os.getppid() == parent and time.monotonic() < deadline:
                time.sleep(0.05)
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=guard, daemon=True).start()
        gc.disable()  # what the program dropped is not ours to shut down
        sys.stdout = sys.stderr = open(output, "w", 1)  # noqa: SIM115
        for number in (1, 2):
            os.dup2(sys.stdout.fileno(), number)
        if rng.numpy_random:
            release_lock(rng.global_generators()["np.random"])  # a thread of the program may have held it
        server: Any = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
        if server is not None:  # the program's is not our child
            server._forkserver_pid = server._forkserver_address = server._forkserver_alive_fd = None
        sys.modules["torch"].set_num_threads(1)  # OpenMP's threads do not survive a fork
        try:
            found = task()
        except worker.UnknownError as error:
            found = {"error": error.args[0]}
        except BaseException as error:
            line, details = program.texts_of(error)
            found = {"error": f"it raised {line}", "details": details}
        with open(results + ".part", "w") as file:
            json.dump(found, file)
        os.rename(results + ".part", results)
    finally:
        os._exit(0)
