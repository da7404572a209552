"""The script that runs public code, without that code, and the page that shows what it printed."""

import os
import runpy

import pytest
from support import ROOT, contents_of

SCRIPT = runpy.run_path(os.path.join(ROOT, "docs", "projects", "projects.py"))

COUNTED = [  # (epoch, worker, draw), and how many repeat another worker's and another epoch's
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "c"), (1, 1, "d")], (0, 0)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "a"), (1, 1, "a")], (2, 2)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "b"), (1, 1, "b")], (2, 0)),
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "b"), (1, 1, "a")], (0, 2)),
    ([(0, 0, "a"), (0, 0, "a")], (0, 0)),  # one worker repeats itself
]


@pytest.mark.parametrize("items, counts", COUNTED)
def test_repeats_are_counted(items, counts):
    assert SCRIPT["repeats"](items) == counts


def test_the_page_has_a_row_for_each_project():
    page = contents_of("docs", "projects.md")
    for project in SCRIPT["PROJECTS"]:
        assert f"| {project.repository} [{project.commit[:8]}](" in page
