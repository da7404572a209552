"""What ``python -m build`` makes: what is in it, and that it installs anywhere and moves nothing."""

import email
import filecmp
import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import trove_classifiers
from matrix import ENVIRONMENTS
from support import run_command

import workerseed

ROOT = Path(__file__).resolve().parents[2]


def succeed(*command, **options):
    """Runs a command that has to succeed; what it printed on stdout comes back."""
    done = run_command(*map(str, command), **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_of_checkout(folder):
    """A copy without what work leaves behind, but with some of it where people work."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info"))
    for left in ("tests/__pycache__/left.pyc", "sitecustomize_example/sitecustomize.pyc"):  # the latter by Python 2
        (folder / left).parent.mkdir(exist_ok=True)
        (folder / left).write_bytes(b"")
    return folder


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy_of_checkout(tmp_path_factory.mktemp("checkout") / "workerseed")


def build(source, out):
    succeed(sys.executable, "-m", "build", "--installer=uv", "--outdir", out, source, SOURCE_DATE_EPOCH="1600000000")
    sdist, wheel = sorted(out.iterdir(), key=lambda path: path.suffix)
    assert (sdist.suffixes[-2:], wheel.suffix) == ([".tar", ".gz"], ".whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def dists(checkout, tmp_path_factory):
    """The sdist and the wheel that the build makes of the checkout, the wheel by way of the sdist."""
    return build(checkout, tmp_path_factory.mktemp("dists"))


@pytest.fixture(scope="module")
def metadata(dists):
    with zipfile.ZipFile(dists[1]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_it_is_the_installed_wheel_that_is_tested():
    assert Path(sys.prefix) in Path(workerseed.__file__).parents


def test_twine_accepts_both(dists):
    assert succeed("twine", "--no-color", "check", "--strict", *dists).count("PASSED") == 2


def test_another_build_of_another_copy_makes_the_same_files(dists, tmp_path):
    copy = copy_of_checkout(tmp_path / "copy")
    for path in files_in(copy):
        (copy / path).chmod(0o600)
        os.utime(copy / path)
    again = build(copy, tmp_path / "dists")
    assert [filecmp.cmp(*pair, shallow=False) for pair in zip(dists, again)] == [True, True]


def test_the_metadata_says_what_it_is(metadata):
    assert (metadata["Name"], metadata["License-Expression"]) == ("workerseed", "MIT")
    assert metadata["Requires-Python"] == ">=3.6"
    assert metadata.get_payload().startswith("# workerseed\n")
    assert f"\n## {metadata['Version']} - " in (ROOT / "CHANGELOG.md").read_text()


def test_wrapt_is_all_that_it_requires(metadata):
    required = metadata.get_all("Requires-Dist")
    assert [requirement for requirement in required if "extra ==" not in requirement] == ["wrapt >=1.11,<3"]


def test_classifiers_are_known_to_package_indexes_and_name_each_python_of_the_matrix(metadata):
    classifiers = set(metadata.get_all("Classifier"))
    assert classifiers <= trove_classifiers.classifiers
    matrix = {f"{major}.{minor}" for major, minor in re.findall(r"\bpy(\d)(\d+)\b", " ".join(ENVIRONMENTS))}
    assert set(re.findall(r"Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE)) == matrix


def test_the_sdist_has_all_of_the_checkout(checkout, dists):
    with tarfile.open(dists[0]) as archive:
        files = {os.path.relpath(member.name, dists[0].name[: -len(".tar.gz")]) for member in archive}
    assert files == files_in(checkout) | {"PKG-INFO"}
    assert {"tests/conftest.py", "docs/activation.md", "sitecustomize_example/sitecustomize.py"} < files


def test_the_wheel_has_the_package_alone(checkout, dists):
    with zipfile.ZipFile(dists[1]) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == files_in(checkout / "src")
    assert {"workerseed/py.typed", "workerseed/_sitecustomize/sitecustomize.py"} < files


# Where they install


def make_environment(folder, version, pip=None):
    """An environment of that Python, with the pip that comes with it or another one."""
    shim = shutil.which("python" + version)
    code = "import ensurepip, sys; print(sys.executable, ensurepip.version())"
    asked = shim and run_command(shim, "-c", code, cwd=str(ROOT))  # pyenv answers by .python-version
    if not asked or asked.returncode != 0:
        pytest.skip(f"there is no Python {version} here")
    python, own_pip = asked.stdout.split()
    succeed(python, "-m", "venv", "--without-pip", folder / "venv")
    install_by_uv(folder / "venv", "pip==" + (pip or own_pip))
    return folder / "venv"


def install_by_uv(venv, *packages):
    """Installs what a test finds there before it begins: from uv's cache, which takes no time."""
    succeed("uv", "pip", "install", "--python", venv / "bin" / "python", *packages)


def run_pip(venv, *arguments):
    # A cache of its own: pip 19 would install again what it has built before from a file of that name.
    return succeed(venv / "bin" / "python", "-m", "pip", *arguments, PIP_CACHE_DIR=str(venv / "cache"))


def where_it_runs_from(venv):
    """The folder of the package in a program that its command starts, and that does not import it itself."""
    command, python = (str(venv / "bin" / name) for name in ("workerseed", "python"))
    code = "import sys; print(sys.modules['workerseed'].__path__[0])"
    return Path(succeed(command, "run", python, "-c", code, cwd=str(venv)).strip())


@pytest.mark.parametrize("version, pip", [("3.6", "19.0"), ("3.7", None), ("3.13", None)])
def test_it_installs_from_source(tmp_path, dists, checkout, version, pip):
    venv = make_environment(tmp_path, version, pip)
    for source in (dists[0], checkout):
        run_pip(venv, "install", source)
        assert venv in where_it_runs_from(venv).parents
        run_pip(venv, "uninstall", "--yes", "workerseed")


@pytest.mark.parametrize("version, pip", [("3.6", "21.3.1"), ("3.11", None)])
def test_it_installs_editable(tmp_path, checkout, version, pip):
    venv = make_environment(tmp_path, version, pip)
    run_pip(venv, "install", "--editable", checkout)
    assert where_it_runs_from(venv) == checkout / "src" / "workerseed"


@pytest.mark.parametrize(
    "version, torch, numpy, options, extra",
    [
        ("3.6", "torch==1.6.0", "numpy<1.20", [], ""),  # by pip 18.1
        ("3.8", "torch==1.8.1", "numpy<1.24", [], ""),
        ("3.8", "torch==1.8.1", "numpy<1.24", ["--upgrade"], "[torch]"),
    ],
)
def test_nothing_that_is_pinned_moves(tmp_path, dists, version, torch, numpy, options, extra):
    venv = make_environment(tmp_path, version)
    install_by_uv(venv, torch, numpy, "wrapt==1.11.*")
    before = run_pip(venv, "freeze")
    run_pip(venv, "install", *options, f"{dists[1]}{extra}")
    after = [line for line in run_pip(venv, "freeze").splitlines(keepends=True) if not line.startswith("workerseed")]
    assert "".join(after) == before
