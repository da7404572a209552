"""What documentation and settings say of tests, environments and the version, against what is there."""

import glob
import json
import os
import re
import runpy

import draw
import pytest
import tomllib
import yaml
from matrix import ENVIRONMENTS, TOX, labelled, setting
from support import ROOT, contents_of, rows_of, run_command

import workerseed

EVIDENCE = os.path.join("docs", "evidence.md")
PROJECT = tomllib.loads(contents_of("pyproject.toml"))["project"]


def test_the_tests_of_the_evidence_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", contents_of(EVIDENCE))
    assert named
    missing = [f"{path}::{name}" for path, name in named if f"def {name}{'(' if name else ''}" not in contents_of(path)]
    assert missing == []


def test_the_environments_that_pages_name_exist():
    named = {name for page in pages() for name in re.findall(r"tox run -e ([\w-]+)", contents_of(page))}
    assert named - set(ENVIRONMENTS) == {"py38-torch1_8_2"}  # CONTRIBUTING's example of a new one


def test_no_other_page_names_a_test():
    assert [page for page in pages() if re.search(r"\btest_\w+", contents_of(page))] == [EVIDENCE]


def pages():
    paths = [*glob.glob(os.path.join(ROOT, "*.md")), *glob.glob(os.path.join(ROOT, "docs", "*.md"))]
    return sorted(os.path.relpath(path, ROOT) for path in paths)


def test_the_table_of_states_has_all_states():
    code = "".join(contents_of("src", "workerseed", module) for module in ("_install.py", "_patch.py"))
    states = re.findall(r'(?:_set_state\(|return |= \(?)"([a-z]+)", ', code)
    rows = {row for row in rows_of("troubleshooting.md") if re.fullmatch("[a-z]+", row)}
    assert rows - {"state", "command"} == set(states)  # without the tables' headings


def test_the_picture_is_what_its_script_draws():
    assert contents_of("docs", "flow", "flow.svg") == draw.svg()


PROJECTS = runpy.run_path(os.path.join(ROOT, "docs", "projects", "projects.py"))


def test_the_page_has_a_row_for_each_project():
    page = contents_of("docs", "projects.md")
    for project in PROJECTS["PROJECTS"]:
        assert f"| {project.repository} [{project.commit[:8]}](" in page


COUNTED = [  # (epoch, worker, draw), and how many repeat another worker's and another epoch's
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "c"), (1, 1, "d")], (0, 0)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "a"), (1, 1, "a")], (2, 2)),
    ([(0, 0, "a"), (0, 1, "a"), (1, 0, "b"), (1, 1, "b")], (2, 0)),
    ([(0, 0, "a"), (0, 1, "b"), (1, 0, "b"), (1, 1, "a")], (0, 2)),
    ([(0, 0, "a"), (0, 0, "a")], (0, 0)),  # one worker repeats itself
]


@pytest.mark.parametrize("items, counts", COUNTED)
def test_the_script_of_that_page_counts_repeats(items, counts):
    assert PROJECTS["repeats"](items) == counts


def test_the_table_has_all_environments():
    rows = [name for name in rows_of("compatibility.md") if name.startswith("py")]
    labels = ("pythons", "legacy", "native", "frameworks", "newest")
    assert rows == [name for label in labels for name in labelled(label)]
    assert sorted(rows) == sorted(name for name in ENVIRONMENTS if name.startswith("py"))
    page = contents_of("docs", "compatibility.md")
    assert f"Python `{PROJECT['requires-python']}`" in page
    assert [f"`{requirement}`" in page for requirement in PROJECT["dependencies"]] == [True]


def test_all_has_each_label_but_the_newest_torch_and_what_runs_by_hand():
    labels = map(labelled, ("pythons", "legacy", "native", "frameworks", "check", "release"))
    assert set(labelled("all")) == set(TOX["env_list"]).union(*labels)
    assert {name for name in ENVIRONMENTS if setting(name, "labels") == ["newest"]} == {"py311-torch_newest"}


def test_the_tests_that_environments_run_exist():
    named = set(re.findall(r"\"(tests/[\w/]+(?:\.py)?)", contents_of("tox.toml")))
    assert named and [path for path in named if not os.path.exists(os.path.join(ROOT, path))] == []


# What a release needs and a checkout may lack: an address

IS_RELEASE = not re.search(r"^## .*Unreleased$", contents_of("CHANGELOG.md"), re.MULTILINE)


def test_a_release_has_the_address_of_its_source():
    assert "Source" in PROJECT["urls"] or not IS_RELEASE


def test_a_release_has_no_relative_links_in_the_readme():
    relative = re.findall(r"\]\((?!https://|#)(.+?)\)", contents_of("README.md"))
    assert relative == [] or not IS_RELEASE  # the package index shows README, and not what lies beside it


def test_pages_show_this_version():
    pattern = r"\bworkerseed (\d+\.\d+\.\d+)\b"
    shown = {
        version for page in pages() if page.startswith("docs") for version in re.findall(pattern, contents_of(page))
    }
    assert shown == {workerseed.__version__}


# The settings of pre-commit, GitHub and Read the Docs, against those of tox


def settings(*path):
    return yaml.safe_load(contents_of(*path))


def test_pre_commit_runs_the_linters_of_tox_in_the_same_versions():
    (repository,) = settings(".pre-commit-config.yaml")["repos"]
    hooks = repository["hooks"]
    assert {version for hook in hooks for version in hook["additional_dependencies"]} == set(setting("lint", "deps"))
    without_options = [re.sub(r" --.*", "", command) for command in map(" ".join, setting("lint", "commands"))]
    assert [re.sub(r" --.*", "", hook["entry"]) for hook in hooks] == without_options


def test_the_workflow_has_a_job_for_each_environment(tmp_path):
    jobs = settings(".github", "workflows", "tests.yml")["jobs"]
    (step,) = [step for step in jobs["environments"]["steps"] if step.get("id") == "list"]
    done = run_command("bash", "-e", "-c", step["run"], cwd=ROOT, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert done.returncode == 0, done.stderr
    name, _, value = (tmp_path / "output").read_text().partition("=")
    assert (name, sorted(json.loads(value))) == ("names", sorted(labelled("all")))
    assert jobs["environments"]["outputs"] == {"names": "${{ steps.list.outputs.names }}"}
    matrix = jobs["tox"]["strategy"]["matrix"]
    assert matrix == {"environment": "${{ fromJSON(needs.environments.outputs.names) }}"}


def test_environments_that_the_workflow_names_exist():
    named = re.findall(r"== '([\w-]+)'", contents_of(".github", "workflows", "tests.yml"))
    assert named and set(named) <= set(ENVIRONMENTS)


def test_read_the_docs_builds_with_the_environment_docs():
    build = settings(".readthedocs.yaml")["build"]
    assert [build["tools"]["python"]] == setting("docs", "base_python")
    assert "tox run -e docs" in build["commands"]
    written = setting("docs", "commands")[0][-1].replace("{env_dir}", os.path.join(".tox", "docs"))
    assert any(command.startswith(f"cp -r {written}/. ") for command in build["commands"])
