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
        prog="workerseed", description="torch 1.9's DataLoader worker seeding for older torch", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"workerseed {__version__}")
    subcommands = parser.add_subparsers(metavar="{run,check}", dest="subcommand")
    subcommands.required = True
    run = subcommands.add_parser(
        "run",
        allow_abbrev=False,
        usage="workerseed run [-h] [--ranks] [--generators] [--verbose] COMMAND [ARG ...]",
        help="run a command with workerseed in every Python that it starts",
        description="Set WORKERSEED, put a sitecustomize first on PYTHONPATH, and become COMMAND: every Python that it "
        "starts installs workerseed. Options add to what WORKERSEED names already.",
    )
    run.add_argument("--ranks", action="store_true", help="also give each rank of a distributed job its own streams")
    run.add_argument("--generators", action="store_true", help="also reseed the generators that datasets store")
    run.add_argument("--verbose", action="store_true", help="log on stderr what workerseed does")
    run.add_argument("command", metavar="COMMAND [ARG ...]", nargs=argparse.REMAINDER)
    check = subcommands.add_parser(
        "check",
        allow_abbrev=False,
        usage="workerseed check [-h] [--start-method METHOD] [--timeout SECONDS] [--json]\n"
        "                        [MODULE:LOADER | -- COMMAND [ARG ...]]",
        help="see whether DataLoader workers repeat each other",
        description="Let all workers of a DataLoader load the same items, unchanged and with workerseed, and compare "
        "what they draw. Name a loader, or give a command after --: it runs unmodified, and each of its loaders is "
        "checked when it first starts workers. With neither, check this installation. Exits with 0 if nothing is "
        "repeated with workerseed, 1 if something is or if another run differs, 2 if it cannot tell.",
    )
    check.add_argument(
        "loader",
        nargs="?",
        metavar="MODULE:LOADER",
        help="a DataLoader, or a function that returns one; path/to/file.py:LOADER works too",
    )
    check.add_argument(
        "--start-method",
        action="append",
        choices=multiprocessing.get_all_start_methods(),
        default=[],
        help="how the installation's workers start; repeat the option to check several (default: Python's own)",
    )
    check.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="for each loader (default: 600)")
    check.add_argument("--json", action="store_true", help="print a JSON list of loaders")
    argv = list(sys.argv[1:] if argv is None else argv)
    program: Optional[List[str]] = None
    if argv[:1] == ["check"] and "--" in argv:
        argv, program = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:  # argparse would print the usage of the whole command
        subcommands.choices[arguments.subcommand].error(f"unknown argument {unknown[0]!r}; --help lists what there is")
    if arguments.subcommand == "check":
        from ._check.command import check as check_workers

        if program == []:
            check.error("no command after --")
        if arguments.timeout <= 0:
            check.error(f"--timeout must be above 0, got {arguments.timeout:g}")
        if arguments.start_method and (arguments.loader or program):
            check.error("--start-method is for the installation; your own loader starts its workers itself")
        if arguments.loader and program:
            check.error("give MODULE:LOADER or a command, not both")
        sys.exit(
            check_workers(arguments.loader, program or [], arguments.start_method, arguments.timeout, arguments.json)
        )
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        run.error("no command to run")
    if os.name == "nt":
        run.error(f"Windows cannot replace a process; set {_config.VARIABLE} and PYTHONPATH={SITECUSTOMIZE} instead")
    replace_process(command, environment([option for option in _config.OPTIONS if getattr(arguments, option)]))


def environment(options: Sequence[str]) -> Dict[str, str]:
    """Return this process's environment, with workerseed turned on in every Python that gets it."""
    changed = dict(os.environ)
    try:
        before = _config.from_variable(changed.get(_config.VARIABLE, "")) or ()
    except ValueError:  # whoever runs this command wants workerseed, whatever the variable says
        before = ()
    changed[_config.VARIABLE] = ",".join(_config.in_order([*before, *options])) or "1"
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
    except FileNotFoundError:  # it is there, but not what its first line names
        problem, code = "its interpreter was not found", 126
    except OSError as error:
        problem, code = str(error.strerror), 126
        if error.errno == errno.ENOEXEC:  # a script without a first line that names an interpreter: sh runs it
            os.execve("/bin/sh", ["sh", str(path), *command[1:]], variables)
    sys.stderr.write(f"workerseed: {command[0]}: {problem}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
