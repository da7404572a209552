"""Keeps the script that runs public code alive, without that code and without a network."""

import importlib
import os
import shutil
import sys

import pytest
from support import ROOT, contents_of, run_command

SCRIPT = os.path.join(ROOT, "docs", "projects", "projects.py")

sys.path.insert(0, os.path.dirname(SCRIPT))
projects = importlib.import_module("projects")


@pytest.mark.skipif(shutil.which("git") is None, reason="the script calls git")
def test_without_a_network_each_missing_commit_is_named_and_nothing_is_touched(tmp_path):
    spin = next(project for project in projects.PROJECTS if project.loaders == "spin")
    checkout = tmp_path / f"spin-{spin.commit[:8]}"  # not one of that commit
    checkout.mkdir()
    done = run_command(sys.executable, SCRIPT, str(tmp_path), GIT_ALLOW_PROTOCOL="none")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"{checkout} is not commit {spin.commit}" in done.stderr
    for project in projects.PROJECTS:
        if project is not spin:
            assert f"check out commit {project.commit} of https://github.com/{project.repository}" in done.stderr
    assert list(tmp_path.iterdir()) == [checkout]
    assert list(checkout.iterdir()) == []


COUNTED = [  # (epoch, worker, draw), and how many repeat another worker's and another epoch's
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "c"), (1, 1, "d")], (0, 0)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "a"), (1, 1, "a")], (2, 2)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "b"), (1, 1, "b")], (2, 0)),
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "b"), (1, 1, "a")], (0, 2)),
    ([(0, 0, "a"), (0, 0, "a")], (0, 0)),  # one worker repeats itself
]


@pytest.mark.parametrize("items, counts", COUNTED)
def test_repeats_are_counted(items, counts):
    assert projects.repeats(items) == counts


def test_the_page_has_a_row_for_each_project():
    page = contents_of("docs", "projects.md")
    for project in projects.PROJECTS:
        assert f"| {project.repository} [{project.commit[:8]}](" in page
