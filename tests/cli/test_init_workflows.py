"""The generated CI files: keys reach our own commands only, actions are pinned, tokens read."""

from __future__ import annotations

import os
import re
import shlex

import pytest
import yaml
from cli.world import existing

from reconciler.adoption.workflows import write_workflow

FOLDERS = [".", "a b/$(id)", "${{ github.token }}"]


def github(folder="billing"):
    return yaml.safe_load(write_workflow("github", folder, "SANDBOX_KEY"))


def steps(workflow):
    return [(name, step) for name, job in workflow["jobs"].items() for step in job["steps"]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_expression_is_part_of_a_shell_command(folder):
    """Nor is the folder: both reach the shell as variables."""
    for _, step in steps(github(folder)):
        assert "${{" not in step.get("run", "")
        assert "$(id)" not in step.get("run", "")


def test_actions_are_pinned_and_the_token_reads():
    workflow = github()
    used = [step["uses"] for _, step in steps(workflow) if "uses" in step]
    assert len(used) == 5
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
    assert workflow["permissions"] == {}
    assert [job["permissions"] for job in workflow["jobs"].values()] == [{"contents": "read"}] * 2
    for _, step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"] == {"persist-credentials": False}


def test_only_our_commands_see_a_key():
    """The key that writes is in the environment of the job that applies."""
    workflow = github()
    holders = [(job, step) for job, step in steps(workflow) if "secrets." in yaml.safe_dump(step)]
    assert [step["name"] for _, step in holders] == ["plan", "drift", "apply"]
    for job, step in holders:
        assert "pip" not in step["run"]
        assert ("STRIPE_WRITE_KEY" in step["env"]["SANDBOX_KEY"]) is (job == "apply")
    assert "secrets." not in yaml.safe_dump({**workflow, "jobs": {}})
    assert workflow["jobs"]["apply"]["environment"] == "stripe"
    assert "concurrency" not in workflow["jobs"]["check"]


def test_jobs_of_gitlab_that_install_from_elsewhere_are_in_no_environment():
    """Variables have the scope of an environment, so such a job sees none of them."""
    jobs = yaml.safe_load(write_workflow("gitlab", "billing", "SANDBOX_KEY"))
    for name, job in jobs.items():
        commands = [*job.get("before_script", []), *job.get("script", [])]
        holds = any("STRIPE_" in command for command in commands)
        assert holds is ("environment" in job), name
        if "$RECONCILER" in " ".join(commands):
            assert name == "meters:install"
    assert jobs["meters:apply"]["resource_group"]
    assert jobs["meters:apply"]["environment"] == {"name": "stripe-write"}


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_the_commands_run(host, world, run, monkeypatch, tmp_path):
    """As they are written, on a project."""
    made = world("", {"meters": [existing("calls", "Calls")]})
    monkeypatch.setenv("PROJECT", str(made.folder))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.chdir(tmp_path)
    lines = [line.strip(" -") for line in write_workflow(host, ".", "SANDBOX_KEY").splitlines()]
    lines = [line.removeprefix("run: ") for line in lines]
    found = [
        shlex.split(os.path.expandvars(line)) for line in lines if line.startswith("reconciler ")
    ]
    codes = {words[1]: run(*words[1:]).code for words in found}
    assert codes == {"validate": 0, "plan": 0, "drift": 2, "apply": 0}  # one meter is unmanaged
