"""``workerseed run`` and ``python -m workerseed run``, in the command and in all that it starts."""

import os
import signal
import subprocess
import sys

import pytest
from support import USE, needs_numpy, only_legacy, run_command, run_python

import workerseed

SCRIPT = os.path.join(os.path.dirname(sys.executable), "workerseed")
MODULE = [sys.executable, "-m", "workerseed"]
FOLDER = os.path.join(workerseed.__path__[0], "_sitecustomize")
SHOW = [sys.executable, "-c", "import os; print(os.environ['WORKERSEED'], os.environ['PYTHONPATH'])"]


def workerseed_run(*arguments, **variables):
    return run_command(*MODULE, "run", *arguments, **variables)


@needs_numpy
@pytest.mark.parametrize("parent", [[], ["sh", "-c", '"$@"; exit $?', "sh"]], ids=["command", "child of the command"])
def test_the_command_seeds_a_program_that_knows_nothing_of_it(parent, tmp_path):
    (tmp_path / "program.py").write_text(USE + "print(first_draw())")
    done = run_command(SCRIPT, "run", *parent, sys.executable, str(tmp_path / "program.py"))
    assert (done.stdout, done.returncode) == ("[522, 297, 434]\n", 0)


@pytest.mark.parametrize(
    "options, before, value",
    [
        ([], None, "1"),
        (["--generators", "--ranks"], None, "ranks,generators"),
        (["--verbose"], "ranks", "ranks,verbose"),
        (["--verbose"], "0", "verbose"),
        (["--verbose"], "maybe", "verbose"),
        (["--generators", *MODULE, "run", "--ranks"], None, "ranks,generators"),  # a run in a run
    ],
)
def test_options_become_the_variable_or_add_to_it(options, before, value):
    variables = {} if before is None else {"WORKERSEED": before}
    assert workerseed_run(*options, *SHOW, **variables).stdout == f"{value} {FOLDER}\n"


@pytest.mark.parametrize(
    "before, after", [("/one:/two", ":/one:/two"), (f"/one:{FOLDER}", f":/one:{FOLDER}"), (f"{FOLDER}:/one", ":/one")]
)
def test_its_folder_comes_first_on_pythonpath_and_what_was_there_stays(before, after):
    assert workerseed_run(*SHOW, PYTHONPATH=before).stdout == f"1 {FOLDER}{after}\n"


def test_the_version_is_shown_whatever_the_variable():
    done = run_command(*MODULE, "--version", WORKERSEED="maybe")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"workerseed {workerseed.__version__}\n", "")


def test_options_of_the_command_are_left_to_it():
    arguments = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "--verbose", "--", "-h"]
    assert workerseed_run(*arguments).stdout == workerseed_run("--", *arguments).stdout == "['--verbose', '--', '-h']\n"


@pytest.mark.parametrize("code", [0, 77])
def test_the_exit_code_is_that_of_the_command(code):
    assert workerseed_run("sh", "-c", f"exit {code}").returncode == code


def test_a_signal_ends_the_command_itself():
    process = subprocess.Popen([*MODULE, "run", "sh", "-c", "echo started; exec sleep 60"], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()


def test_standard_streams_are_those_of_the_command_and_a_closed_pipe_ends_it_as_in_a_shell():
    done = run_command("sh", "-c", f'echo in | "{sys.executable}" -m workerseed run cat')
    assert done.stdout == "in\n"
    done = run_command("sh", "-c", f'("{sys.executable}" -m workerseed run yes; echo $? >&2) | head -n 1')
    assert (done.stdout, done.stderr) == ("y\n", f"{128 + signal.SIGPIPE}\n")


def test_a_script_without_an_interpreter_runs_as_in_a_shell(tmp_path):
    script = tmp_path / "script"
    script.write_text("echo $WORKERSEED $0 $1; exit 5")
    script.chmod(0o755)
    done = workerseed_run(str(script), "argument")
    assert (done.returncode, done.stdout, done.stderr) == (5, f"1 {script} argument\n", "")


@pytest.mark.parametrize(
    "command, code, problem",
    [
        ("", 127, "command not found"),
        ("no-such-command", 127, "command not found"),
        ("/", 126, "Is a directory"),
        ("./interpreter", 126, "its interpreter was not found"),
        ("./text", 126, "Permission denied"),
    ],
)
def test_a_command_that_cannot_be_run_is_one_line(command, code, problem, tmp_path):
    for name, text, mode in (("interpreter", "#!/no/such/interpreter\n", 0o755), ("text", "not a program", 0o644)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    done = workerseed_run(command, cwd=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"workerseed: {command}: {problem}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *("", "no-such-subcommand", "run", "run --", "run --verbose", "run --bogus", "run --rank echo runs"),
        *("check --bogus", "check --", "check --timeout=0"),
    ],
)
def test_wrong_arguments_show_the_usage_and_exit_2(arguments):
    done = run_command(*MODULE, *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    subcommand = " " + arguments.split()[0] if arguments[:3] in ("run", "che") else ""
    assert done.stderr.startswith(f"usage: workerseed{subcommand} ")
    assert done.stderr.splitlines()[-1].startswith(f"workerseed{subcommand}: error: ")
    assert arguments or done.stderr.endswith("required: {run,check}\n")


def test_on_windows_it_is_an_error_that_names_the_variables():
    code = "import os, workerseed.__main__ as command; os.name = 'nt'; command.main(['run', 'python', 'train.py'])"
    done = run_python("-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    message = f"Windows cannot replace a process; set WORKERSEED and PYTHONPATH={FOLDER} instead"
    assert done.stderr.splitlines()[-1] == f"workerseed run: error: {message}"


SPAWNED = (
    USE
    + """
import torch.multiprocessing

def report(rank):
    print(first_draw() == [522, 297, 434], flush=True)

if __name__ == "__main__":
    {}
    torch.multiprocessing.spawn(report, nprocs=1)
"""
)


@only_legacy
@needs_numpy
@pytest.mark.parametrize(
    "command, code, seeded",
    [
        ([], SPAWNED.format("import workerseed"), False),
        ([], "import workerseed" + SPAWNED.format(""), True),
        ([*MODULE, "run"], SPAWNED.format(""), True),
    ],
    ids=["imported by the parent alone", "imported at the top", "run"],
)
def test_spawned_ranks_need_it_themselves(command, code, seeded, tmp_path):
    (tmp_path / "program.py").write_text(code)
    done = run_command(*command, sys.executable, str(tmp_path / "program.py"))
    assert (done.stdout, done.returncode) == (f"{seeded}\n", 0), done.stderr
