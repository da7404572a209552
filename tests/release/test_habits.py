"""The settings of pre-commit, GitHub and Read the Docs, against those of tox."""

import json
import os
import re

import tomllib
import yaml
from support import ROOT, contents_of, run_command

TOX = tomllib.loads(contents_of("pyproject.toml"))["tool"]["tox"]


def settings(*path):
    return yaml.safe_load(contents_of(*path))


def test_pre_commit_runs_the_linters_of_tox_in_the_same_versions():
    (repository,) = settings(".pre-commit-config.yaml")["repos"]
    hooks, lint = repository["hooks"], TOX["env"]["lint"]
    assert {version for hook in hooks for version in hook["additional_dependencies"]} == set(lint["deps"])
    without_options = [re.sub(r" --.*", "", command) for command in map(" ".join, lint["commands"])]
    assert [re.sub(r" --.*", "", hook["entry"]) for hook in hooks] == without_options


def test_the_workflow_has_a_job_for_each_environment(tmp_path):
    jobs = settings(".github", "workflows", "tests.yml")["jobs"]
    (step,) = [step for step in jobs["environments"]["steps"] if step.get("id") == "list"]
    done = run_command("bash", "-e", "-c", step["run"], cwd=ROOT, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert done.returncode == 0, done.stderr
    name, _, value = (tmp_path / "output").read_text().partition("=")
    labels = [name for names in TOX["labels"].values() for name in names if isinstance(name, str)]
    assert (name, sorted(json.loads(value))) == ("names", sorted({*TOX["env_list"], *labels}))
    assert jobs["environments"]["outputs"] == {"names": "${{ steps.list.outputs.names }}"}
    matrix = jobs["tox"]["strategy"]["matrix"]
    assert matrix == {"environment": "${{ fromJSON(needs.environments.outputs.names) }}"}


def test_environments_that_the_workflow_names_exist():
    named = re.findall(r"== '([\w-]+)'", contents_of(".github", "workflows", "tests.yml"))
    assert named and set(named) <= set(TOX["env"])


def test_read_the_docs_builds_with_the_environment_docs():
    build = settings(".readthedocs.yaml")["build"]
    docs = TOX["env"]["docs"]
    assert [build["tools"]["python"]] == docs["base_python"]
    assert "tox run -e docs" in build["commands"]
    written = docs["commands"][0][-1].replace("{env_dir}", os.path.join(".tox", "docs"))
    assert any(command.startswith(f"cp -r {written}/. ") for command in build["commands"])
