"""The command ``workerseed``, also ``python -m workerseed``."""

import argparse
import os
import signal
import sys

from . import __version__, _options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, NoReturn, Optional, Sequence

SITECUSTOMIZE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_sitecustomize")


def main(arguments: "Optional[Sequence[str]]" = None) -> "NoReturn":
    """Do what the command line says; exit codes are those of a shell."""
    parser = argparse.ArgumentParser(
        prog="workerseed", description="torch 1.9's DataLoader worker seeding for older torch"
    )
    parser.add_argument("--version", action="version", version=f"workerseed {__version__}")
    subcommands = parser.add_subparsers(metavar="SUBCOMMAND", dest="subcommand")
    run = subcommands.add_parser(
        "run",
        usage="workerseed run [-h] [--ranks] [--generators] [--verbose] COMMAND [ARG ...]",
        help="run a command with workerseed in every Python that it starts",
        description="Set WORKERSEED, put a sitecustomize first on PYTHONPATH, and become COMMAND: "
        "workerseed is installed in every Python that it starts.",
    )
    run.add_argument("--ranks", action="store_true", help="streams that differ between distributed ranks, too")
    run.add_argument("--generators", action="store_true", help="reseed the generators that objects hold, too")
    run.add_argument("--verbose", action="store_true", help="tell on stderr what is decided")
    run.add_argument("command", metavar="COMMAND [ARG ...]", nargs=argparse.REMAINDER)
    check = subcommands.add_parser(
        "check",
        help="see whether workers repeat each other, here or in a loader of yours",
        description="Load from it in fresh processes, as it is and with workerseed, and compare what its workers draw. "
        "Without a loader, check this installation. Exits with 0 if nothing is repeated with workerseed and another run "
        "is the same, with 1 if not, with 2 if that cannot be told.",
    )
    check.add_argument(
        "loader",
        nargs="?",
        metavar="MODULE:LOADER",
        help="a DataLoader, or a function that returns one; path/to/file.py:LOADER will do, too",
    )
    check.add_argument(
        "--start-method",
        action="append",
        choices=["fork", "spawn", "forkserver"],
        default=[],
        help="how the installation's workers start; for several, give it several times (default: Python's own)",
    )
    check.add_argument(
        "--timeout",
        type=float,
        default=600,
        metavar="SECONDS",
        help="for each of the four processes that load (default: 600)",
    )
    check.add_argument("--json", action="store_true", help="the same facts for machines, one object")
    options = parser.parse_args(arguments)
    if options.subcommand is None:
        parser.error("no subcommand; there are: run, check")
    if options.subcommand == "check":
        from ._check import check as check_workers

        if options.loader and options.start_method:
            check.error("--start-method is for the installation; a loader of yours starts its workers itself")
        sys.exit(check_workers(options.loader, options.start_method, options.timeout, options.json))
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        run.error("no command to run")
    replace_process(command, environment([extra for extra in _options.EXTRAS if getattr(options, extra)]))


def environment(extras: "Sequence[str]") -> "Dict[str, str]":
    """Return this process's environment, with workerseed switched on in every Python that gets it."""
    changed = dict(os.environ)
    changed[_options.VARIABLE] = ",".join(extras) or "1"
    before = changed.get("PYTHONPATH", "")
    if before.split(os.pathsep)[0] != SITECUSTOMIZE:
        changed["PYTHONPATH"] = SITECUSTOMIZE + (os.pathsep + before if before else "")
    return changed


def replace_process(command: "List[str]", variables: "Dict[str, str]") -> "NoReturn":
    """Become ``command``; where that cannot be, exit as a shell does: 127 not found, 126 not executable."""
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and the command would inherit that
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, variables)
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        sys.stderr.write("workerseed: {}: {}\n".format(command[0], "command not found" if missing else error.strerror))
        sys.exit(127 if missing else 126)


if __name__ == "__main__":
    main()
