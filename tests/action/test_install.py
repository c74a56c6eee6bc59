"""The installation of the Action: its own folder, and no secret in sight."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from action.runner import ROOT
from cli.world import SEATS

from reconciler.action.install import install, select_environment

SECRETS = {"STRIPE_API_KEY": "sk_test_x", "GITHUB_TOKEN": "ghs_x", "ACTIONS_RUNTIME_TOKEN": "x"}
NEEDED = {"PATH": "/bin", "HOME": "/root", "PIP_INDEX_URL": "https://x", "https_proxy": "http://x"}


def test_pip_sees_what_it_needs():
    assert select_environment({**SECRETS, **NEEDED, "INPUT_ARGS": "x"}) == NEEDED


@pytest.mark.parametrize(
    ("version", "wanted"), [("", "/action"), (" 1.2.3 ", "meter-reconciler==1.2.3")]
)
@pytest.mark.parametrize("has_pip", [True, False])
def test_what_is_installed(has_pip, version, wanted, monkeypatch, tmp_path):
    """The folder of the Action, or the version that is asked for; from wheels only.

    By the pip that is there, or else by one of the new environment.
    """
    called, made = [], []
    monkeypatch.setattr("reconciler.action.install.find_spec", lambda _: has_pip or None)
    monkeypatch.setattr("venv.create", lambda _, with_pip: made.append(with_pip))
    monkeypatch.setattr(subprocess, "run", lambda words, **more: called.append((words, more)))
    environ = {**SECRETS, "RUNNER_TEMP": str(tmp_path), "SOURCE": "/action", "VERSION": version}
    python = install(environ)
    ((words, more),) = called
    assert python.is_relative_to(tmp_path)
    assert made == [not has_pip]
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python)]
    assert words[: len(pip)] == pip if has_pip else words[:4] == [str(python), *pip[1:4]]
    assert words[-3:] == [":all:", "--", wanted]
    assert (more["env"], more["check"]) == ({}, True)


@pytest.mark.full
@pytest.mark.long
def test_the_action_installs_its_own_folder(world, runner):
    """And runs what it installed, with every step in bash."""
    made = world(SEATS, account_id="acct_1EmulatedAccount")
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    job = runner(made.folder, bash=True, **pip)
    job.installs = True
    passed, outputs = job.use(command="plan")
    assert passed, job.log
    assert outputs["create"] == "1"
    python = job.outputs["install"]["python"]
    assert python != sys.executable
    code = "import reconciler; print(reconciler.__file__)"
    found = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(job.folder))
    assert not (ROOT / "build").exists()
