"""What a release needs and a checkout may lack: an address. And the version that pages show."""

import glob
import os
import re

import tomllib
from support import ROOT, contents_of

import workerseed

HEADING = re.search(r"^## (.*)$", contents_of("CHANGELOG.md"), re.MULTILINE).group(1)
IS_RELEASE = not HEADING.endswith("Unreleased")


def test_a_release_has_the_address_of_its_source():
    urls = tomllib.loads(contents_of("pyproject.toml"))["project"]["urls"]
    assert "Source" in urls or not IS_RELEASE


def test_a_release_has_no_relative_links_in_the_readme():
    relative = re.findall(r"\]\((?!https://|#)(.+?)\)", contents_of("README.md"))
    assert relative == [] or not IS_RELEASE  # the package index shows README, and not what lies beside it


def test_pages_show_this_version():
    shown = {
        version
        for page in glob.glob(os.path.join(ROOT, "docs", "*.md"))
        for version in re.findall(r"\bworkerseed (\d+\.\d+\.\d+)\b", contents_of(page))
    }
    assert shown == {workerseed.__version__}
