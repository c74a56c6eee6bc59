"""The generated CI files: those of GitHub are the examples, keys reach our own commands only."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
import yaml
from cli.world import existing

from reconciler.adoption.github_workflows import write_github_workflows
from reconciler.adoption.gitlab_pipeline import write_gitlab_pipeline

ROOT = Path(__file__).parents[2]
FOLDERS = [".", "a b/$(id)", "${{ github.token }}", "x\n- y"]


@pytest.mark.parametrize("name", ["one-account", "drift"])
def test_the_workflows_of_github_are_the_examples(name):
    """Which have tests of their own: permissions, keys, pins."""
    written = write_github_workflows("billing", "STRIPE_API_KEY").values()
    assert (ROOT / f"examples/ci/github/{name}.yml").read_text("utf-8") in written


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_the_input_of_each_step_and_no_expression(folder):
    for text in write_github_workflows(folder, "SANDBOX_KEY").values():
        jobs = yaml.safe_load(text)["jobs"].values()
        steps = [step for job in jobs for step in job["steps"] if "OWNER" in step["uses"]]
        for step in steps:
            path = step["with"]["path"]
            assert re.findall(r"\$\{\{.*?\}\}", path) == ["${{ '${{' }}"] * folder.count("${{")
            assert path.replace("${{ '${{' }}", "${{") == folder
            assert [*step["env"]] == ["SANDBOX_KEY"]
        assert steps


def test_jobs_of_gitlab_that_install_from_elsewhere_are_in_no_environment():
    """Variables have the scope of an environment, so such a job sees none of them."""
    jobs = yaml.safe_load(write_gitlab_pipeline("billing", "SANDBOX_KEY"))
    for name, job in jobs.items():
        commands = [*job.get("before_script", []), *job.get("script", [])]
        holds = any("STRIPE_" in command for command in commands)
        assert holds is ("environment" in job), name
        if "$RECONCILER" in " ".join(commands):
            assert name == "meters:install"
    assert jobs["meters:apply"]["resource_group"]
    assert jobs["meters:apply"]["environment"] == {"name": "stripe-write"}


def test_the_commands_of_gitlab_run(world, run, monkeypatch, tmp_path):
    """As they are written, on a project."""
    made = world("", {"meters": [existing("calls", "Calls")]})
    monkeypatch.setenv("PROJECT", str(made.folder))
    monkeypatch.chdir(tmp_path)
    lines = [line.strip(" -") for line in write_gitlab_pipeline(".", "SANDBOX_KEY").splitlines()]
    found = [
        shlex.split(os.path.expandvars(line)) for line in lines if line.startswith("reconciler ")
    ]
    codes = {words[1]: run(*words[1:]).code for words in found}
    assert codes == {"validate": 0, "plan": 0, "drift": 2, "apply": 0}  # one meter is unmanaged
