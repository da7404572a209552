"""The example sitecustomize: both ways to use it, what it shadows, and that it is never in the way."""

import filecmp
import functools
import glob
import json
import os
import shutil
import subprocess
import sys

import pytest
from support import ROOT, USE, needs_numpy, needs_torch, run_command, run_python

import workerseed
from workerseed import _config

FOLDER = os.path.join(ROOT, "sitecustomize_example")
SITE_PACKAGES = os.path.dirname(workerseed.__path__[0])
SHOW = "import sys; print('workerseed' in sys.modules and sys.modules['workerseed'].status().state)"


def test_the_packaged_file_is_the_example():
    packaged = os.path.join(workerseed.__path__[0], "_sitecustomize", "sitecustomize.py")
    assert filecmp.cmp(packaged, os.path.join(FOLDER, "sitecustomize.py"), shallow=False)


@pytest.fixture
def on_path():
    """Runs python with the example's folder on PYTHONPATH."""

    def run(*arguments, **variables):
        before = variables.pop("PYTHONPATH", None)
        variables.setdefault("WORKERSEED", "1")
        return run_python(*arguments, PYTHONPATH=os.pathsep.join(filter(None, [FOLDER, before])), **variables)

    return run


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """A virtual environment with the example in its site-packages; it sees what is installed here."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    (site_packages,) = glob.glob(str(folder / "lib" / "python3*" / "site-packages"))
    shutil.copy(os.path.join(FOLDER, "sitecustomize.py"), site_packages)
    with open(os.path.join(site_packages, "here.pth"), "w") as file:
        file.write(SITE_PACKAGES)
    return functools.partial(run_command, str(folder / "bin" / "python"), WORKERSEED="1")


# Both ways


@needs_numpy
def test_the_folder_on_pythonpath_seeds_a_program_that_knows_nothing_of_it(prints):
    assert prints(USE + "print(first_draw())", PYTHONPATH=FOLDER, WORKERSEED="1") == "[522, 297, 434]\n"


@needs_numpy
def test_the_file_in_site_packages_seeds_a_program_that_knows_nothing_of_it(venv, tmp_path):
    (tmp_path / "program.py").write_text(USE + "print(first_draw())")
    assert venv(str(tmp_path / "program.py")).stdout == "[522, 297, 434]\n"


@pytest.mark.parametrize(
    "value, state",
    [
        ("", "False"),
        (" ", "False"),
        ("1", "waiting"),
        (" ON ", "waiting"),
        ("verbose", "waiting"),
        ("0", "False"),
        ("no", "False"),
    ],
)
def test_the_variable_decides(on_path, value, state):
    assert on_path("-c", SHOW, WORKERSEED=value).stdout == state + "\n"


@pytest.mark.parametrize("value", ["maybe", "1,ranks", "ranks,", "verbose,module"])
def test_an_invalid_value_is_one_line_and_off_as_for_the_import(on_path, value):
    by_variable = on_path("-c", SHOW, WORKERSEED=value)
    by_import = run_python("-c", "import workerseed; " + SHOW, WORKERSEED=value)
    assert by_variable.stdout == by_import.stdout == "off\n"
    ((_, line),) = [line.split("]: ") for line in by_variable.stderr.splitlines()]
    assert line.startswith(f"off: WORKERSEED={value!r}: unknown value ")
    assert by_import.stderr.endswith(line + "\n")
    assert by_variable.returncode == by_import.returncode == 0


def test_no_value_makes_it_import_a_module_of_that_name(on_path, tmp_path):
    (tmp_path / "module.py").write_text("print('imported')")
    assert on_path("-c", SHOW, WORKERSEED="module", PYTHONPATH=str(tmp_path), cwd=str(tmp_path)).stdout == "off\n"


# Debian's and Ubuntu's Python has one in the folder of its standard library, which comes before site-packages.
no_sitecustomize_of_python = pytest.mark.skipif(
    os.path.exists(os.path.join(os.path.dirname(os.__file__), "sitecustomize.py")),
    reason="this Python has a sitecustomize of its own",
)
FLAGS = [("-s", "waiting", "waiting"), ("-E", "False", "waiting"), ("-I", "False", "waiting"), ("-S", "False", None)]


@pytest.mark.parametrize("flag, state", [(flag, by_folder) for flag, by_folder, _ in FLAGS])
def test_interpreter_flags_and_the_folder(on_path, flag, state):
    found = f"import sys; sys.path.append({SITE_PACKAGES!r}); " if flag == "-S" else ""
    assert on_path(flag, "-c", found + SHOW).stdout == state + "\n"


@no_sitecustomize_of_python
@pytest.mark.parametrize("flag, state", [(flag, by_file) for flag, _, by_file in FLAGS if by_file])
def test_interpreter_flags_and_the_file(venv, flag, state):
    assert venv(flag, "-c", SHOW).stdout == state + "\n"


# What it shadows


@pytest.fixture
def shadowed(tmp_path):
    """Makes a folder with a sitecustomize to be shadowed."""

    def make(text):
        (tmp_path / "sitecustomize.py").write_text(text)
        return str(tmp_path)

    return make


WHICH = "import sys; module = sys.modules.get('sitecustomize'); print(module and module.__file__, sys.path[1:3])"


@no_sitecustomize_of_python
def test_without_another_sitecustomize_it_stands(on_path):
    stdlib_zip = [entry for entry in sys.path if entry.endswith(".zip")][:1]
    expected = "{} {}\n".format(os.path.join(FOLDER, "sitecustomize.py"), [FOLDER, *stdlib_zip])
    assert on_path("-c", WHICH).stdout == expected


def test_the_shadowed_one_runs_and_takes_its_place(on_path, shadowed):
    folder = shadowed("print('shadowed')")
    done = on_path("-c", WHICH, PYTHONPATH=folder)
    assert done.stdout == "shadowed\n{} {}\n".format(os.path.join(folder, "sitecustomize.py"), [FOLDER, folder])
    assert done.stderr == ""


def test_what_the_shadowed_one_does_to_the_path_stays(on_path, shadowed):
    folder = shadowed("import sys; sys.path.insert(0, '/first'); sys.path.append('/last')")
    code = "import sys; print(sys.path[1:4], sys.path[-1])"
    assert on_path("-c", code, PYTHONPATH=folder).stdout == f"{['/first', FOLDER, folder]} /last\n"


def test_the_shadowed_one_runs_where_the_variable_is_not_set(on_path, shadowed):
    assert on_path("-c", "pass", PYTHONPATH=shadowed("print('shadowed')"), WORKERSEED="").stdout == "shadowed\n"


def test_a_shadowed_package_runs(on_path, tmp_path):
    (tmp_path / "sitecustomize").mkdir()
    (tmp_path / "sitecustomize" / "__init__.py").write_text("print('shadowed')")
    assert on_path("-c", "pass", PYTHONPATH=str(tmp_path)).stdout == "shadowed\n"


def test_a_shadowed_one_in_a_zip_file_runs(on_path, tmp_path, shadowed):
    archive = shutil.make_archive(str(tmp_path / "archive"), "zip", shadowed("print('shadowed')"))
    assert on_path("-c", "pass", PYTHONPATH=archive).stdout == "shadowed\n"


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError('no')",
        "raise ImportError('no')",
        "import no_such_package",
        "1 +",
        "import sys; sys.exit(3)",
        "raise KeyboardInterrupt",
    ],
)
def test_errors_of_the_shadowed_one_show_as_they_do_without_ours(on_path, shadowed, text):
    folder = shadowed(text)
    native = run_python("-c", "print('runs')", PYTHONPATH=folder)
    ours = on_path("-c", "print('runs')", PYTHONPATH=folder)
    assert (ours.returncode, ours.stdout) == (native.returncode, native.stdout)
    last = [done.stderr.splitlines()[-1] if done.stderr else "" for done in (ours, native)]
    assert last[0] == last[1]


@pytest.mark.parametrize("entry", ["None", "b'bytes'", "3", "pathlib.Path('/there')", r"'/with\0nul'", "'/no/such'"])
def test_it_runs_whatever_stands_in_sys_path(tmp_path, shadowed, entry):
    shadowed("print('shadowed')")
    (tmp_path / "ours").mkdir()
    with open(os.path.join(FOLDER, "sitecustomize.py")) as file:
        odd = f"import pathlib, sys; sys.path.append({entry})\n" + file.read()
    (tmp_path / "ours" / "sitecustomize.py").write_text(odd)
    path = os.pathsep.join([str(tmp_path / "ours"), str(tmp_path)])
    done = run_python("-c", "print('runs')", PYTHONPATH=path, WORKERSEED="1")
    assert (done.stdout, done.stderr) == ("shadowed\nruns\n", "")


def test_two_folders_with_the_example_do_not_go_round_in_circles(on_path, tmp_path, shadowed):
    shutil.copy(os.path.join(FOLDER, "sitecustomize.py"), str(tmp_path))
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "sitecustomize.py").write_text("print('shadowed')")
    path = os.pathsep.join([str(tmp_path), str(tmp_path / "last")])
    assert on_path("-c", SHOW, PYTHONPATH=path).stdout == "shadowed\nwaiting\n"


@pytest.fixture
def debian():
    """Debian's own Python and what shows which sitecustomize it runs; the one that it has without ours."""
    which = ["/usr/bin/python3", "-c", "import sys; print(sys.modules['sitecustomize'].__file__)"]
    try:
        return which, subprocess.check_output(which, env={}, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no Debian Python with a sitecustomize here")


def test_debians_own_sitecustomize_runs(debian):
    which, native = debian
    path = os.pathsep.join([FOLDER, SITE_PACKAGES])
    assert subprocess.check_output(which, env={"WORKERSEED": "1", "PYTHONPATH": path}) == native


@pytest.mark.parametrize("on_pythonpath", [False, True])
def test_debians_own_sitecustomize_hides_a_file_in_site_packages_but_not_a_folder(debian, tmp_path, on_pythonpath):
    (python, *_), _ = debian
    subprocess.check_call([python, "-m", "venv", "--without-pip", str(tmp_path)])
    (site_packages,) = glob.glob(str(tmp_path / "lib" / "python3*" / "site-packages"))
    shutil.copy(os.path.join(FOLDER, "sitecustomize.py"), site_packages)
    variables = {"PYTHONPATH": FOLDER} if on_pythonpath else {}
    # workerseed is not installed there, which `verbose` says.
    done = run_command(str(tmp_path / "bin" / "python"), "-c", "pass", WORKERSEED="verbose", **variables)
    assert ("workerseed: not installed in" in done.stderr) == on_pythonpath


# Never in the way


BROKEN = {
    "missing": "import no_such_module_of_ours",
    "raises": "raise RuntimeError('half written')",
    "not Python": "def",
}


@needs_torch
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_workerseed_is_one_line_and_torch_goes_on(on_path, tmp_path, kind):
    (tmp_path / "workerseed").mkdir()
    (tmp_path / "workerseed" / "__init__.py").write_text(BROKEN[kind])
    done = on_path("-W", "ignore", "-c", "import torch.utils.data; print('runs')", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "runs\n")
    assert [line for line in done.stderr.splitlines() if "workerseed: not installed in" in line]


def test_without_workerseed_it_is_silent(on_path):
    done = run_python("-S", "-c", "import sitecustomize", PYTHONPATH=FOLDER, WORKERSEED="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_workerseed_it_says_so_only_if_asked():
    done = run_python("-S", "-c", "import sitecustomize", PYTHONPATH=FOLDER, WORKERSEED="verbose")
    assert done.returncode == 0
    assert done.stderr == f"workerseed: not installed in {sys.executable}: No module named 'workerseed'\n"


@pytest.mark.parametrize("value", ["verbose", "maybe"])  # what writes
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_no_harm(value, closed):
    environment = dict(os.environ, PYTHONPATH=FOLDER, WORKERSEED=value)
    command = f'"{sys.executable}" -c pass {closed}'
    assert subprocess.call(["sh", "-c", command], env=environment, stderr=subprocess.DEVNULL) == 0


@pytest.mark.parametrize("value", ["1", "verbose", "maybe"])
def test_an_interpreter_with_warnings_as_errors_starts(on_path, value):
    done = on_path("-W", "error", "-c", "print('runs')", WORKERSEED=value)
    assert (done.returncode, done.stdout) == (0, "runs\n")
    assert "Error" not in done.stderr


def test_modules_run_by_name_do(on_path):
    done = on_path("-m", "json.tool", "--help")
    assert done.returncode == 0
    assert "json.tool" in done.stdout


def test_a_folder_that_takes_no_bytecode_does_no_harm(tmp_path):
    shutil.copy(os.path.join(FOLDER, "sitecustomize.py"), str(tmp_path))
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    done = run_python("-c", SHOW, PYTHONPATH=str(tmp_path), WORKERSEED="1")
    assert (done.returncode, done.stdout) == (0, "waiting\n")


@pytest.fixture(scope="module")
def python2():
    """The interpreter itself: python2.7 may be a script of pyenv, which takes longer than all the rest."""
    found = shutil.which("python2.7")
    asked = found and run_command(found, "-c", "import sys; print(sys.executable)")
    if not asked or asked.returncode != 0:
        pytest.skip("there is no Python 2.7 here")
    return asked.stdout.strip()


@pytest.mark.parametrize("shadow", ["", "print('shadowed')", "raise ValueError('no')", "import no_such_package"])
def test_python_2_starts_as_without_it(python2, shadow, tmp_path):
    if shadow:
        (tmp_path / "sitecustomize.py").write_text(shadow)
    code = "import sys; print(sys.version_info[0]); print('workerseed' in sys.modules)"
    native = run_command(python2, "-c", code, PYTHONPATH=str(tmp_path))
    ours = run_command(python2, "-c", code, PYTHONPATH=os.pathsep.join([FOLDER, str(tmp_path)]), WORKERSEED="1")
    assert native.stdout.endswith("2\nFalse\n")
    assert (ours.returncode, ours.stdout, ours.stderr) == (native.returncode, native.stdout, native.stderr)


# Cheap


MODULES = "import sys, json; print(json.dumps(sorted(sys.modules)))"


def test_an_interpreter_loads_only_what_waits_for_torch(on_path, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("")
    bare = json.loads(run_python("-c", MODULES, PYTHONPATH=str(tmp_path)).stdout)
    new = {value: set(json.loads(on_path("-c", MODULES, WORKERSEED=value).stdout)) - set(bare) for value in ("0", "1")}
    assert new == {"0": set(), "1": {"workerseed", "workerseed._import_hook"}}


@no_sitecustomize_of_python
def test_the_values_that_switch_off_are_those_of_the_package():
    code = "import sitecustomize; print(sitecustomize.OFF)"
    assert run_python("-S", "-c", code, PYTHONPATH=FOLDER).stdout == f"{('', *_config.OFF)}\n"
