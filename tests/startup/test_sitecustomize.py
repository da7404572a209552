"""The example sitecustomize: both ways to use it, what it shadows, and that it is never in the way."""

import filecmp
import functools
import glob
import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest
from support import ROOT, USE, needs_numpy, run_command, run_python

import workerseed
from workerseed import _config

FOLDER = os.path.join(ROOT, "sitecustomize_example")
FILE = os.path.join(FOLDER, "sitecustomize.py")
SITE_PACKAGES = os.path.dirname(workerseed.__path__[0])
SHOW = "import sys; print('workerseed' in sys.modules and sys.modules['workerseed'].status().state)"
RUNS = "print('runs')"
# Debian's and Ubuntu's Python has one in the folder of its standard library, which comes before site-packages.
no_sitecustomize_of_python = pytest.mark.skipif(
    os.path.exists(os.path.join(os.path.dirname(os.__file__), "sitecustomize.py")),
    reason="this Python has a sitecustomize of its own",
)


def test_the_packaged_file_is_the_example():
    packaged = os.path.join(workerseed.__path__[0], "_sitecustomize", "sitecustomize.py")
    assert filecmp.cmp(packaged, FILE, shallow=False)


def on_path(*arguments, before=FOLDER, behind="", value="1"):
    """Runs python with the example's folder on PYTHONPATH, perhaps another behind it."""
    return run_python(*arguments, PYTHONPATH=os.pathsep.join(filter(None, [before, behind])), WORKERSEED=value)


def copy_into_site_packages(venv):
    (site_packages,) = glob.glob(str(venv / "lib" / "python3*" / "site-packages"))
    shutil.copy(FILE, site_packages)
    return site_packages


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """A virtual environment with the example in its site-packages; it sees what is installed here."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", str(folder)], timeout=120)
    with open(os.path.join(copy_into_site_packages(folder), "here.pth"), "w") as file:
        file.write("\n".join({SITE_PACKAGES, sysconfig.get_path("purelib")}))
    return functools.partial(run_command, str(folder / "bin" / "python"), WORKERSEED="1")


@needs_numpy
def test_the_file_in_site_packages_seeds_a_program_that_knows_nothing_of_it(venv, tmp_path):
    (tmp_path / "program.py").write_text(USE + "print(first_draw())")
    assert venv(str(tmp_path / "program.py")).stdout == "[522, 297, 434]\n"


@pytest.mark.parametrize(
    "value, state", [*((off, "False") for off in ("", " ", *_config.OFF)), (" ON ", "waiting"), ("verbose", "waiting")]
)
def test_the_variable_decides_whether_the_folder_on_pythonpath_turns_it_on(value, state):
    done = on_path("-W", "error", "-c", SHOW, value=value)
    assert (done.stdout, "Error" in done.stderr) == (state + "\n", False)


def test_an_invalid_value_is_one_line_and_off_and_imports_no_module_of_that_name(tmp_path):
    (tmp_path / "module.py").write_text("print('imported')")
    done = on_path("-c", SHOW, behind=str(tmp_path), value="module")
    assert (done.returncode, done.stdout) == (0, "off\n")
    (line,) = done.stderr.splitlines()
    assert "off: WORKERSEED='module': unknown value " in line


FOUND = f"import sys; sys.path.append({SITE_PACKAGES!r}); "


@pytest.mark.parametrize("flag, code, state", [("-s", "", "waiting"), ("-I", "", "False"), ("-S", FOUND, "False")])
def test_interpreter_flags_and_the_folder(flag, code, state):
    assert on_path(flag, "-c", code + SHOW).stdout == state + "\n"


@no_sitecustomize_of_python
@pytest.mark.parametrize("flag", ["-s", "-I"])
def test_interpreter_flags_and_the_file(venv, flag):
    assert venv(flag, "-c", SHOW).stdout == "waiting\n"


# What it shadows

WHICH = "import sys; module = sys.modules.get('sitecustomize'); print(module and module.__file__, sys.path[1:3])"


@pytest.fixture
def shadowed(tmp_path):
    """Makes a folder with a sitecustomize to be shadowed."""

    def make(text="print('shadowed')"):
        (tmp_path / "sitecustomize.py").write_text(text)
        return str(tmp_path)

    return make


@no_sitecustomize_of_python
def test_without_another_sitecustomize_it_stands():
    stdlib_zip = [entry for entry in sys.path if entry.endswith(".zip")][:1]
    assert on_path("-c", WHICH).stdout == f"{FILE} {[FOLDER, *stdlib_zip]}\n"


@pytest.mark.parametrize("value", ["", "1"])
def test_the_shadowed_one_runs_and_takes_its_place(shadowed, value):
    folder = shadowed()
    done = on_path("-c", WHICH, behind=folder, value=value)
    place = "{} {}".format(os.path.join(folder, "sitecustomize.py"), [FOLDER, folder])
    assert (done.stdout, done.stderr) == (f"shadowed\n{place}\n", "")


def test_what_the_shadowed_one_does_to_the_path_stays(shadowed):
    folder = shadowed("import sys; sys.path.insert(0, '/first'); sys.path.append('/last')")
    done = on_path("-c", "import sys; print(sys.path[1:4], sys.path[-1])", behind=folder)
    assert done.stdout == f"{['/first', FOLDER, folder]} /last\n"


def as_package(folder):
    (folder / "sitecustomize").mkdir()
    (folder / "sitecustomize.py").rename(folder / "sitecustomize" / "__init__.py")
    return str(folder)


def in_zip_file(folder):
    return shutil.make_archive(str(folder / "archive"), "zip", str(folder), "sitecustomize.py")


def behind_another_example(folder):
    (folder / "another").mkdir()
    shutil.copy(FILE, str(folder / "another"))
    return os.pathsep.join([str(folder / "another"), str(folder)])


@pytest.mark.parametrize("move", [as_package, in_zip_file, behind_another_example])
def test_the_shadowed_one_runs_wherever_it_is(tmp_path, shadowed, move):
    shadowed()
    assert on_path("-c", RUNS, behind=move(tmp_path)).stdout == "shadowed\nruns\n"


@pytest.mark.parametrize(
    "text", ["raise ImportError('no')", "import no_such_package", "1 +", "import sys; sys.exit(3)"]
)
def test_errors_of_the_shadowed_one_show_as_they_do_without_ours(shadowed, text):
    native, ours = (on_path("-c", RUNS, before=before, behind=shadowed(text)) for before in ("", FOLDER))
    assert (ours.returncode, ours.stdout) == (native.returncode, native.stdout)
    assert ours.stderr.splitlines()[-1:] == native.stderr.splitlines()[-1:]


@pytest.mark.parametrize("entry", ["None", "b'bytes'", "3", "pathlib.Path('/there')", r"'/with\0nul'", "'/no/such'"])
def test_it_runs_whatever_stands_in_sys_path(shadowed, entry):
    code = f"import pathlib, sys; sys.path.append({entry}); import sitecustomize; print('runs')"
    done = on_path("-S", "-c", code, behind=shadowed(), value="")  # -S: Python has not imported it yet
    assert (done.stdout, done.stderr) == ("shadowed\nruns\n", "")


@pytest.mark.parametrize("variables, runs", [({}, False), ({"PYTHONPATH": FOLDER}, True)], ids=["file", "folder"])
def test_debians_own_sitecustomize_runs_and_hides_a_file_in_site_packages_but_not_a_folder(tmp_path, variables, runs):
    which = ["-c", "import sys; print(sys.modules['sitecustomize'].__file__)"]
    native = run_command("sh", "-c", '/usr/bin/python3 "$@"', "sh", *which)
    if native.returncode != 0:
        pytest.skip("there is no Debian Python with a sitecustomize here")
    subprocess.check_call(["/usr/bin/python3", "-m", "venv", "--without-pip", str(tmp_path)], timeout=120)
    copy_into_site_packages(tmp_path)
    # workerseed is not installed there, which `verbose` says.
    done = run_command(str(tmp_path / "bin" / "python"), *which, WORKERSEED="verbose", **variables)
    assert done.stdout == native.stdout
    assert ("workerseed: not imported in" in done.stderr) == runs


@pytest.mark.parametrize("text", ["import no_such_module_of_ours", "raise RuntimeError('half written')", "def"])
def test_a_broken_workerseed_is_one_line_and_the_program_goes_on(tmp_path, text):
    (tmp_path / "workerseed.py").write_text(text)
    done = on_path("-c", RUNS, behind=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "runs\n")
    (line,) = done.stderr.splitlines()
    assert "workerseed: not imported in" in line


NOT_INSTALLED = f"workerseed: not imported in {sys.executable}: No module named 'workerseed'\n"


@pytest.mark.parametrize("value, said", [("1", ""), ("verbose", NOT_INSTALLED)])
def test_without_workerseed_it_says_so_only_if_asked(value, said):
    done = on_path("-S", "-c", "import sitecustomize", value=value)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)


@pytest.fixture(scope="module")
def python2():
    """The interpreter itself: python2.7 may be a script of pyenv, which takes longer than all the rest."""
    found = shutil.which("python2.7")
    asked = found and run_command(found, "-c", "import sys; print(sys.executable)")
    if not asked or asked.returncode != 0:
        pytest.skip("there is no Python 2.7 here")
    return asked.stdout.strip()


@pytest.mark.parametrize("text", ["", "print('shadowed')", "import no_such_package"])
def test_python_2_starts_as_without_it(python2, shadowed, text):
    folder = shadowed(text)
    code = "import sys; print(sys.version_info[0]); print('workerseed' in sys.modules)"
    native = run_command(python2, "-c", code, PYTHONPATH=folder)
    ours = run_command(python2, "-c", code, PYTHONPATH=os.pathsep.join([FOLDER, folder]), WORKERSEED="1")
    assert native.stdout.endswith("2\nFalse\n")
    assert (ours.returncode, ours.stdout, ours.stderr) == (native.returncode, native.stdout, native.stderr)


@pytest.mark.parametrize("value, new", [("0", set()), ("1", {"workerseed", "workerseed._import_hook"})])
def test_an_interpreter_loads_only_what_waits_for_torch(shadowed, value, new):
    code = "import sys, json; print(json.dumps(sorted(sys.modules)))"
    bare, ours = (on_path("-c", code, before=before, value=value).stdout for before in (shadowed(""), FOLDER))
    assert set(json.loads(ours)) - set(json.loads(bare)) == new
