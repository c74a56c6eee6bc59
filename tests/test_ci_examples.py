"""The workflows of examples/ci/: keys, permissions, pins; the scripts of GitLab run with bash."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cli.conftest import world  # noqa: F401 - a fixture
from cli.world import SEATS

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
GITHUB = sorted((ROOT / "examples/ci/github").iterdir())
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in GITHUB}
JOBS = [(name, job) for flow in WORKFLOWS.values() for name, job in flow["jobs"].items()]
STEPS = [(name, step) for name, job in JOBS for step in job["steps"]]
HEAD, BODY = (
    (ROOT / "examples/ci/gitlab/reconciler.gitlab-ci.yml").read_text("utf-8").split("---\n")
)


def test_every_action_is_pinned_to_a_commit():
    every = [step["uses"] for _, step in STEPS]
    every += [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used) for used in every)


def test_the_workflows_have_no_shell_and_the_action_no_expression_in_one():
    assert not any("run" in step for _, step in STEPS)
    assert not any("${{" in step.get("run", "") for step in ACTION["runs"]["steps"])


def test_a_job_has_the_permissions_that_it_needs():
    """None by default. A job that reviews start reads the status, one that plans writes it."""
    assert all(flow["permissions"] == {} for flow in WORKFLOWS.values())
    for name, job in JOBS:
        given = job["permissions"]
        (ours,) = (step["with"] for step in job["steps"] if "OWNER" in step["uses"])
        expected = {"contents": "read"}
        command, approved = ours["command"], "--expect" in ours.get("args", "")
        if command == "drift":
            expected["issues"] = "write"
        elif ours.get("comment") != "false":
            expected["pull-requests"] = "write"
        if command == "apply":
            expected["actions"] = "read"
        if ours.get("comment") != "false" and command != "drift" and not approved:
            expected["statuses"] = "write" if command == "plan" else "read"
        assert given == expected, name


def test_only_the_step_of_the_tool_has_a_key_and_only_from_an_environment():
    for name, job in JOBS:
        assert job["environment"], name
        for step in job["steps"]:
            assert ("secrets." in yaml.safe_dump(step)) is ("OWNER" in step["uses"]), name
        assert "secrets." not in yaml.safe_dump({**job, "steps": []})


def test_nothing_that_writes_is_cancelled():
    assert all(not flow["concurrency"]["cancel-in-progress"] for flow in WORKFLOWS.values())


def test_the_inputs_are_those_of_the_action():
    for _, step in STEPS:
        if "OWNER" in step["uses"]:
            assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_inputs_and_outputs_are_documented():
    page = (ROOT / "docs/how-to/ci.md").read_text("utf-8")
    names = {*ACTION["inputs"], *ACTION["outputs"]}
    assert {"command", "path", "account", "args", "comment", "version"} <= names
    assert {"exit-code", "failure-reason", "plan-id", "plan-hash", "report"} <= names
    assert names <= set(re.findall(r"`([\w-]+)`", page))


def expand(text: str, **given: str) -> str:
    """A template of GitLab with these inputs."""
    inputs = yaml.safe_load(HEAD)["spec"]["inputs"]
    assert set(given) <= set(inputs)
    return re.sub(
        r"\$\[\[ inputs\.(\w+) \]\]", lambda it: given.get(it[1]) or inputs[it[1]]["default"], text
    )


def test_jobs_of_gitlab_that_install_from_elsewhere_are_in_no_environment():
    """Variables have the scope of an environment, so such a job sees none of them."""
    jobs = yaml.safe_load(expand(BODY, source="x"))
    for name, job in jobs.items():
        script = " ".join([*job.get("before_script", []), *job.get("script", [])])
        assert ("STRIPE_" in script) is ("environment" in job), name
        assert ("$METERS_SOURCE" in script) is (name == "meters:install")
    assert jobs["meters:apply"]["environment"] == {"name": "stripe-write"}
    assert jobs["meters:apply"]["resource_group"]


@pytest.mark.full
def test_the_scripts_of_gitlab_run(world, tmp_path, monkeypatch):  # noqa: F811
    """In one checkout: the merged commit is planned, and exactly that plan is applied."""
    made = world(SEATS)
    tool = tmp_path / "reconciler"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n', "utf-8")
    tool.chmod(0o755)
    jobs = yaml.safe_load(expand(BODY, source="x", key="SANDBOX_KEY"))
    variables = jobs[".meters"]["variables"]
    monkeypatch.delenv("SANDBOX_KEY")
    keys = {"STRIPE_READ_KEY": "sk_test_emulator", "STRIPE_WRITE_KEY": "sk_test_emulator"}
    environ = {**os.environ, **variables, **keys, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def run(job: str, **more: str) -> int:
        script = "\n".join(jobs[job]["script"])
        words = ["bash", "-eo", "pipefail", "-c", script]
        return subprocess.run(
            words, cwd=made.folder, env={**environ, **more}, timeout=60
        ).returncode

    names = ("validate", "plan", "plan-merged", "apply", "drift")
    assert [run(f"meters:{name}") for name in names] == [0] * 5
    assert run("meters:plan", STRIPE_READ_KEY="") == 0
    assert len(made.posts()) == 1
    assert (made.folder / "codequality.json").read_text("utf-8") == "[]\n"
