"""What the documentation says of tests and environments, against what is there; its picture, against its script."""

import glob
import os
import re
import runpy

import tomllib
from support import ROOT, contents_of, rows_of

TESTS = re.compile(r"\btest_\w+")


def test_the_tests_that_are_named_exist():
    pages = [os.path.join(ROOT, "README.md"), *glob.glob(os.path.join(ROOT, "docs", "*.md"))]
    files = glob.glob(os.path.join(ROOT, "tests", "**", "test_*.py"), recursive=True)
    exist = {name for file in files for name in TESTS.findall(file + contents_of(file))}
    named = {name for page in pages for name in TESTS.findall(contents_of(page))}
    assert named  # the pattern finds some; the pages are to name ever fewer
    assert named - exist == set()


def test_the_picture_is_what_its_script_draws():
    drawn = runpy.run_path(os.path.join(ROOT, "docs", "flow", "draw.py"))["svg"]()
    assert contents_of("docs", "flow", "flow.svg") == drawn


def test_the_table_has_all_environments():
    settings = tomllib.loads(contents_of("pyproject.toml"))
    environments = [name for name in settings["tool"]["tox"]["env"] if name.startswith("py")]
    assert [name for name in rows_of("compatibility.md") if name.startswith("py")] == environments
    page = contents_of("docs", "compatibility.md")
    assert f"Python `{settings['project']['requires-python']}`" in page
    assert [f"`{requirement}`" in page for requirement in settings["project"]["dependencies"]] == [True]


def test_each_environment_that_tests_is_in_a_label():
    settings = tomllib.loads(contents_of("pyproject.toml"))["tool"]["tox"]
    labelled = {name for names in settings["labels"].values() for name in names if isinstance(name, str)}
    assert {name for name in settings["env"] if name.startswith("py")} <= labelled | set(settings["env_list"])
