"""Keeps the script that runs public code alive, without that code and without a network."""

import importlib
import os
import shutil
import subprocess
import sys

import pytest
from support import ROOT

DOCS = os.path.join(ROOT, "docs")
SCRIPT = os.path.join(DOCS, "projects", "projects.py")

sys.path.insert(0, os.path.dirname(SCRIPT))
projects = importlib.import_module("projects")

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="the script calls git")


def run_script(*arguments):
    process = subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        env=dict(os.environ, GIT_ALLOW_PROTOCOL="none"),  # as without a network
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout == ""
    return process.stderr


@needs_git
def test_without_checkouts_and_a_network_each_commit_is_named(tmp_path):
    printed = run_script(tmp_path)
    for project in projects.PROJECTS:
        assert f"check out commit {project.commit} of https://github.com/{project.repository} in {tmp_path}" in printed
    assert list(tmp_path.iterdir()) == []


@needs_git
def test_a_folder_that_is_not_the_commit_is_not_run_and_not_touched(tmp_path):
    spin = next(project for project in projects.PROJECTS if project.loaders == "spin")
    checkout = tmp_path / f"spin-{spin.commit[:8]}"
    checkout.mkdir()
    (checkout / "notes.txt").write_text("mine")
    assert f"{checkout} is not commit {spin.commit}" in run_script(tmp_path, "spin")
    assert [path.name for path in checkout.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("items", "counts"),
    [
        ([(0, 0, "a"), (0, 1, "b"), (1, 0, "c"), (1, 1, "d")], (0, 0)),
        ([(0, 0, "a"), (0, 1, "a"), (1, 0, "a"), (1, 1, "a")], (2, 2)),
        ([(0, 0, "a"), (0, 1, "a"), (1, 0, "b"), (1, 1, "b")], (2, 0)),
        ([(0, 0, "a"), (0, 1, "b"), (1, 0, "b"), (1, 1, "a")], (0, 2)),
        ([(0, 0, "a"), (0, 0, "a")], (0, 0)),
    ],
    ids=["nothing repeats", "all repeat", "workers repeat", "epochs repeat", "one worker repeats itself"],
)
def test_repeats_are_counted(items, counts):
    assert projects.repeats(items) == counts


def test_the_page_has_a_row_for_each_project():
    with open(os.path.join(DOCS, "projects.md"), encoding="utf-8") as file:
        page = file.read()
    for project in projects.PROJECTS:
        assert f"| {project.repository} [{project.commit[:8]}](" in page
