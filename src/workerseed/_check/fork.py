"""Runs a task in a fork of the program, and ends all processes of that fork with it."""

import fcntl
import gc
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from multiprocessing import forkserver, util
from typing import Any, Callable, Dict

from .._options import rng
from .._seeding import release_lock
from .program import UnknownError, reason_of


def in_fork(task: Callable[[Any], Any], timeout: float) -> Any:
    """Return what ``task`` returns in a fork of this process. Whatever it draws, changes or breaks stays there.

    The task takes a function that ends the fork with what another task returns, for use in any thread.
    """
    ours, theirs = multiprocessing.Pipe()
    state, places = random.getstate(), places_in_files()
    with tempfile.TemporaryFile("w+", 1) as output:
        pid = os.fork()
        if pid == 0:
            random.setstate(state)  # Python 3.7 and later seed it in each fork, but a sampler draws from it
            ours.close()
            run_fork(task, theirs, output)
        theirs.close()
        try:
            found = ours.recv() if ours.poll(timeout) else {"error": "it took too long; --timeout sets the limit"}
        except EOFError:
            found = {"error": "its process died"}
        finally:
            ours.close()
            with suppress(OSError):  # it is gone, or the program ignores SIGCHLD
                os.killpg(pid, signal.SIGKILL)  # with its workers
                os.waitpid(pid, 0)
            for file, place in places.items():
                with suppress(OSError):  # another thread has closed it
                    os.lseek(file, place, os.SEEK_SET)
        if "error" in found:
            output.seek(0)
            raise UnknownError(found["error"], output.read() + found.get("details", ""))
    return found


def places_in_files() -> Dict[int, int]:
    """Return where this process is in the files that it reads, by descriptor: when a fork reads, it moves as well."""
    found = {}
    for file in map(int, os.listdir("/dev/fd")):
        with suppress(OSError):  # a pipe, or the folder itself
            if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                found[file] = os.lseek(file, 0, os.SEEK_CUR)
    return found


def run_fork(task: Callable[[Any], Any], connection: Any, output: Any) -> None:
    """Run the task, and send what it returned or raised."""

    def guard() -> None:
        connection.poll(None)  # until the program closes its end, or dies
        os.killpg(0, signal.SIGKILL)

    def deliver(last: Callable[[], Any]) -> None:
        try:
            found = last()
        except BaseException as error:
            found = reason_of(error)
        vars(util)["_run_finalizers"](0)  # or the program's tracker says that spawned workers leaked semaphores
        connection.send(found)
        guarding.join()

    try:
        os.setpgid(0, 0)
        guarding = threading.Thread(target=guard, daemon=True)
        guarding.start()
        sys.stdout = sys.stderr = output
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        gc.disable()  # what the program dropped is not ours to shut down
        release_lock(rng.global_generators().get("np.random"))  # a thread of the program may have held it
        # The program's server is not our child.
        vars(forkserver._forkserver).update(_forkserver_address=None, _forkserver_alive_fd=None, _forkserver_pid=None)
        sys.modules["torch"].set_num_threads(1)  # OpenMP's threads do not survive a fork
        deliver(lambda: task(deliver))
    finally:
        os._exit(0)
