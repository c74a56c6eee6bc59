"""The workflows of examples/ci/: keys, permissions, pins; the scripts of GitLab run with bash."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli.conftest import world  # noqa: F401 - a fixture
from cli.world import SEATS
from publish.fake_host import TOKEN, serve

from reconciler.publish.comments import Unchanged

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
GITHUB = sorted((ROOT / "examples/ci/github").iterdir())
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in GITHUB}
JOBS = [(name, job) for flow in WORKFLOWS.values() for name, job in flow["jobs"].items()]
STEPS = [(name, step) for name, job in JOBS for step in job["steps"]]
HEAD, BODY = (ROOT / "templates/reconciler.yml").read_text("utf-8").split("\n---\n")
INPUTS = yaml.safe_load(HEAD)["spec"]["inputs"]
INCLUDED = yaml.safe_load((ROOT / "examples/ci/gitlab/.gitlab-ci.yml").read_text("utf-8"))


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


def expand(**given: str) -> dict[str, Any]:
    """The jobs of the template with these inputs; one without a default has to be given."""
    assert set(given) <= set(INPUTS)
    defaults = {name: each["default"] for name, each in INPUTS.items() if "default" in each}
    values = defaults | given
    text = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda it: values[it[1]], BODY)
    return yaml.safe_load(text)


def test_every_input_of_the_gitlab_template_is_described_and_used():
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", BODY)) == set(INPUTS)
    assert [name for name, each in INPUTS.items() if "default" not in each] == ["source"]
    assert all(each["description"] for each in INPUTS.values())
    choices = INPUTS["when_unchanged"]
    assert choices["options"] == [str(each) for each in Unchanged]
    assert choices["default"] in choices["options"]


def test_the_example_for_gitlab_includes_the_component_at_a_commit():
    """Of the file templates/NAME.yml the last part of the address is the name."""
    (included,) = INCLUDED["include"]
    assert re.fullmatch(r"\$CI_SERVER_FQDN/[\w/]+/reconciler@[0-9a-f]{40}", included["component"])
    assert re.search(r"@[0-9a-f]{40}$", included["inputs"]["source"])
    jobs = expand(**included["inputs"])
    assert jobs[".meters"]["variables"]["METERS_PATH"] == "billing"
    assert jobs["meters:apply"]["artifacts"]["paths"][-1] == "billing/.reconciler/journal.jsonl"
    stages = {job["stage"] for name, job in jobs.items() if not name.startswith(".")}
    assert stages == {"test", "deploy"}
    assert all(job["rules"] for name, job in jobs.items() if not name.startswith("."))


def test_jobs_of_gitlab_that_install_from_elsewhere_are_in_no_environment():
    """Variables have the scope of an environment, so such a job sees none of them."""
    jobs = expand(source="x")
    for name, job in jobs.items():
        script = " ".join([*job.get("before_script", []), *job.get("script", [])])
        assert ("STRIPE_" in script) is ("environment" in job), name
        assert ("$METERS_SOURCE" in script) is (name == "meters:install")
    assert jobs["meters:apply"]["environment"] == {"name": "stripe-write"}
    assert jobs["meters:apply"]["resource_group"]
    reports = jobs["meters:validate"]["artifacts"]["reports"]
    assert reports == {"codequality": "codequality.json"}


@pytest.fixture
def gitlab(world, tmp_path, monkeypatch):  # noqa: F811
    """Runs the scripts of a job in a checkout, with the variables of a merge request."""
    made = world(SEATS)
    monkeypatch.delenv("SANDBOX_KEY")
    for name in ("reconciler", "pip"):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n', "utf-8")
        tool.chmod(0o755)
    jobs = expand(source=str(ROOT), key="SANDBOX_KEY", when_unchanged="update")
    variables = {name: str(value) for name, value in jobs[".meters"]["variables"].items()}
    keys = {"STRIPE_READ_KEY": "sk_test_emulator", "STRIPE_WRITE_KEY": "sk_test_emulator"}
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITLAB_TOKEN": ""}

    def run(job: str, part: str = "script", **more: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-eo", "pipefail", "-c", "\n".join(jobs[job][part])]
        environ = {**os.environ, **variables, **keys, **path, **more}
        return subprocess.run(
            words, cwd=made.folder, env=environ, timeout=300, capture_output=True, text=True
        )

    run.world = made
    return run


@pytest.mark.full
def test_the_scripts_of_gitlab_run(gitlab):
    """In one checkout: the merged commit is planned, and exactly that plan is applied."""
    names = ("validate", "plan", "plan-merged", "apply", "drift")
    assert [gitlab(f"meters:{name}").returncode for name in names] == [0] * 5
    ran = gitlab("meters:plan", STRIPE_READ_KEY="")
    assert (ran.returncode, "a fork has no key" in ran.stdout) == (0, True)
    made = gitlab.world
    assert len(made.posts()) == 1
    assert (made.folder / "codequality.json").read_text("utf-8") == "[]\n"
    made.write("version: 1\nmeters:\n  - {event_name: a}\n")
    assert gitlab("meters:validate").returncode == 1
    (found, *_) = json.loads((made.folder / "codequality.json").read_text("utf-8"))
    assert found["location"]["path"] == "meters.yaml"


@pytest.mark.full
def test_the_plan_of_gitlab_is_a_note_that_is_updated_in_place(gitlab):
    """Also of a refused plan, whose job fails; and as configured none where nothing changes."""
    with serve() as host:
        variables = {
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": host.url,
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_PROJECT_URL": "https://gitlab.example.com/acme/billing",
            "CI_COMMIT_SHA": "1f" * 20,
        }
        assert gitlab("meters:plan", **variables).returncode == 0
        (created,) = host.own()
        assert "Planned: 1 create." in created.splitlines()[1]
        gitlab.world.write(SEATS, policy="{max_deactivations: 0}", account_id="acct_other")
        ran = gitlab("meters:plan", **variables)
        (updated,) = host.own()
        assert (ran.returncode, "Refused" in updated.splitlines()[1]) == (3, True)
        assert TOKEN not in ran.stdout + ran.stderr
        assert f"https://gitlab.example.com/acme/billing/-/blob/{'1f' * 20}/meters.yaml" in updated


@pytest.mark.full
@pytest.mark.long
def test_the_jobs_of_gitlab_install_from_the_wheels_of_the_first_one(gitlab, tmp_path):
    """From the package index, once; after that nothing is fetched and no code of it runs."""
    into = tmp_path / "installed"
    ran = gitlab("meters:install", PYTHONPATH="")  # without the block of the network
    assert ran.returncode == 0, ran.stderr
    ran = gitlab(".meters-run", "before_script", PIP_TARGET=str(into))
    assert ran.returncode == 0, ran.stderr
    code = "import reconciler; print(reconciler.__file__)"
    environ = {**os.environ, "PYTHONPATH": str(into)}
    words = [sys.executable, "-S", "-P", "-c", code]
    ran = subprocess.run(words, capture_output=True, text=True, env=environ, check=True)
    assert ran.stdout.startswith(str(into))


OTHERS = (ROOT / "docs/how-to/other-ci.md").read_text("utf-8").split("\n## ")
SYSTEMS = {part.partition("\n")[0]: part for part in OTHERS[2:]}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_commands_for_other_systems_run(name, run, tmp_path, monkeypatch):
    """In their order; a file that a command writes or applies is there for the next one."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples/quickstart", "billing")
    text = SYSTEMS[name].replace("/srv/", "")
    commands = re.findall(r"reconciler ((?:validate|plan|apply|drift) billing[^\n'\"]*)", text)
    assert commands
    for command in commands:
        words = shlex.split(command.partition(" 2>&1")[0])
        for folder in (Path(each.partition("=")[2]).parent for each in words if "=" in each):
            folder.mkdir(exist_ok=True)
        ran = run(*words)
        assert ran.code == (2 if words[0] == "drift" else 0), (command, ran.out)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("CircleCI", "circle-ci"),
        ("Buildkite", "buildkite"),
        ("Bitbucket Pipelines", "bitbucket-pipelines"),
    ],
)
def test_the_files_for_other_systems_fit_their_schemas(name, schema, tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", SYSTEMS[name], re.S)
    file = tmp_path / "ci.yml"
    file.write_text(text, "utf-8")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout


def test_what_cron_runs_prints_drift_and_nothing_else(tmp_path):
    """The line as cron reads it, where `\\%` is `%`; with a command in place of the audit."""
    (line,) = re.findall(r"^17 5 \* \* \* (.*)$", SYSTEMS["cron"], re.M)
    key = tmp_path / "read-key"
    key.write_text("export STRIPE_API_KEY=rk_test_x\n", "utf-8")
    line = line.replace("\\%", "%").replace("/etc/reconciler/read-key", str(key))
    found = []
    for code in (0, 2):
        tool = tmp_path / "reconciler"
        tool.write_text(f'#!/bin/sh\necho "$STRIPE_API_KEY $*"\nexit {code}\n', "utf-8")
        tool.chmod(0o755)
        environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environ)
        found.append(ran.stdout)
    assert found == ["", "rk_test_x drift /srv/billing --quiet --no-color\n"]
