"""The command ``workerseed``, also ``python -m workerseed``."""

import argparse
import errno
import multiprocessing
import os
import shutil
import signal
import sys
from typing import Dict, List, Optional, Sequence

from . import __version__, _config

SITECUSTOMIZE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_sitecustomize")


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run the command line; exit codes are those of a shell."""
    parser = argparse.ArgumentParser(
        prog="workerseed",
        description="Gives older torch the DataLoader worker seeding of torch 1.9.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"workerseed {__version__}")
    subcommands = parser.add_subparsers(metavar="{run,check}", dest="subcommand")
    subcommands.required = True
    run = subcommands.add_parser(
        "run",
        allow_abbrev=False,
        usage="workerseed run [-h] [--ranks] [--generators] [--verbose] COMMAND [ARG ...]",
        help="run a command with workerseed turned on",
        description="Run COMMAND with workerseed turned on in every Python that it starts. This sets WORKERSEED and "
        "puts a sitecustomize first on PYTHONPATH. The options below add to those in WORKERSEED.",
    )
    run.add_argument("--ranks", action="store_true", help="give each rank of a distributed job its own random numbers")
    run.add_argument(
        "--generators", action="store_true", help="also reseed generators stored on datasets and transforms"
    )
    run.add_argument("--verbose", action="store_true", help="log every state change on stderr")
    run.add_argument("command", metavar="COMMAND [ARG ...]", nargs=argparse.REMAINDER)
    check = subcommands.add_parser(
        "check",
        allow_abbrev=False,
        usage="workerseed check [-h] [--start-method METHOD] [--timeout SECONDS] [--json]\n"
        "                        [MODULE:LOADER | -- COMMAND [ARG ...]]",
        help="show which random numbers DataLoader workers repeat",
        description="Load the same items in every worker of a DataLoader, unchanged and with workerseed, and compare "
        "the random numbers. Name a loader, or give a command after --: the command runs unmodified, and each of its "
        "loaders is checked when it first starts workers. With neither, check this installation. The exit code is 0 if "
        "nothing repeats with workerseed, 1 if something repeats or a rerun varies, 2 if it cannot tell.",
    )
    check.add_argument(
        "loader",
        nargs="?",
        metavar="MODULE:LOADER",
        help="a DataLoader, or a function without arguments that returns one; path/to/file.py:LOADER works too",
    )
    check.add_argument(
        "--start-method",
        action="append",
        choices=multiprocessing.get_all_start_methods(),
        default=[],
        help="for checking the installation; repeat the option to check several (default: Python's own)",
    )
    check.add_argument(
        "--timeout",
        type=float,
        default=600,
        metavar="SECONDS",
        help="limit for checking each loader, not for the program (default: 600)",
    )
    check.add_argument("--json", action="store_true", help="print a JSON list of loaders")
    argv = list(sys.argv[1:] if argv is None else argv)
    program: Optional[List[str]] = None
    if argv[:1] == ["check"] and "--" in argv:
        argv, program = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:  # argparse would print the usage of the whole command
        subcommands.choices[arguments.subcommand].error(
            f"unknown argument {unknown[0]!r}; see workerseed {arguments.subcommand} --help"
        )
    if arguments.subcommand == "check":
        from ._check.command import check as check_workers

        if program == []:
            check.error("no command after --; name one, such as: workerseed check -- python train.py")
        if arguments.timeout <= 0:
            check.error(f"--timeout must be above 0, got {arguments.timeout:g}")
        if arguments.start_method and (arguments.loader or program):
            check.error("--start-method only applies to checking the installation; leave it out")
        if arguments.loader and program:
            check.error("both a loader and a command; name only one of them")
        sys.exit(
            check_workers(arguments.loader, program or [], arguments.start_method, arguments.timeout, arguments.json)
        )
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        run.error("no command; name one, such as: workerseed run python train.py")
    if os.name == "nt":
        run.error(f"Windows cannot replace a process; set {_config.VARIABLE} and PYTHONPATH={SITECUSTOMIZE} instead")
    replace_process(command, environment([option for option in _config.OPTIONS if getattr(arguments, option)]))


def environment(options: Sequence[str]) -> Dict[str, str]:
    """Return this process's environment, changed to turn workerseed on in every Python that inherits it."""
    changed = dict(os.environ)
    try:
        before = _config.from_variable(changed.get(_config.VARIABLE, "")) or ()
    except ValueError:  # a user of this command wants workerseed, whatever the variable says
        before = ()
    changed[_config.VARIABLE] = ",".join(_config.checked_options([*before, *options])) or "1"
    path = changed.get("PYTHONPATH", "")
    if path.split(os.pathsep)[0] != SITECUSTOMIZE:
        changed["PYTHONPATH"] = SITECUSTOMIZE + (os.pathsep + path if path else "")
    return changed


def replace_process(command: List[str], variables: Dict[str, str]) -> None:
    """Become ``command``; if that fails, exit as a shell does: 127 not found, 126 not executable."""
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and the command would inherit that
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    path = shutil.which(command[0])
    problem, code = "command not found", 127
    try:
        if path is not None:
            os.execve(path, command, variables)
        elif os.path.exists(command[0]):
            problem, code = "Permission denied" if os.path.isfile(command[0]) else "Is a directory", 126
    except FileNotFoundError:  # the script exists, but not the interpreter that its first line names
        problem, code = "its interpreter was not found", 126
    except OSError as error:
        problem, code = str(error.strerror), 126
        if error.errno == errno.ENOEXEC:  # its first line names no interpreter: sh runs it
            os.execve("/bin/sh", ["sh", str(path), *command[1:]], variables)
    sys.stderr.write(f"workerseed: {command[0]}: {problem}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
