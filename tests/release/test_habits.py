"""The settings of pre-commit, GitHub and Read the Docs, against those of tox."""

import json
import os
import re

import yaml
from matrix import ENVIRONMENTS, labelled, setting
from support import ROOT, contents_of, run_command


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
