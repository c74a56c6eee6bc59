"""Who started a run, in which job and on which commit, from the variables of CI services."""

from __future__ import annotations

import getpass
import json

import pytest
from cli.world import CALLS

from reconciler.history import ci, journal


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada"}, "ada"),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTOR": "ada",
                "GITHUB_TRIGGERING_ACTOR": "grace",
            },
            "grace",
        ),
        ({"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada"}, "ada"),
        ({"BUILDKITE": "true", "BUILDKITE_BUILD_CREATOR": "Ada Lovelace"}, "Ada Lovelace"),
        ({"CIRCLECI": "true", "CIRCLE_USERNAME": "ada"}, "ada"),
        ({"JENKINS_URL": "https://ci", "BUILD_USER_ID": "ada"}, "ada"),
        ({"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ada"}, "Ada"),
        ({"GITHUB_ACTOR": "ada"}, "login"),
        ({"GITHUB_ACTIONS": "true"}, "login"),
        ({"GITHUB_ACTIONS": "true", "GITLAB_USER_LOGIN": "ada"}, "login"),
        ({}, "login"),
    ],
)
def test_a_job_was_started_by_a_person(environ, name, monkeypatch):
    """Not by the login of the machine; a variable alone is not a service."""
    monkeypatch.setattr(getpass, "getuser", lambda: "login")
    assert ci.find_user(environ) == name


@pytest.mark.parametrize("error", [KeyError("uid"), OSError("no pwd")])
def test_a_machine_may_have_no_login(error, monkeypatch):

    def unknown():
        raise error

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert ci.find_user({}) is None


SHA = "0123456789" * 4


@pytest.mark.parametrize(
    ("environ", "commit"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_SHA": SHA}, SHA),
        ({"GITLAB_CI": "true", "CI_COMMIT_SHA": SHA}, SHA),
        ({"JENKINS_URL": "https://ci", "GIT_COMMIT": SHA}, SHA),
        ({"GITHUB_ACTIONS": "true", "GITHUB_SHA": "ab" * 32}, "ab" * 32),
        ({"GITHUB_ACTIONS": "true", "GITHUB_SHA": "ab" * 26}, None),
        ({"GITHUB_SHA": SHA}, None),
        ({"GITHUB_ACTIONS": "true", "GITHUB_SHA": "main"}, None),
        ({}, None),
    ],
)
def test_a_job_names_the_commit_that_git_does_not(environ, commit, tmp_path):
    """If git fails, or its folder is missing; otherwise the reason is reported."""
    assert ci.find_commit(str(tmp_path), environ) == (commit, ())
    (tmp_path / ".git").mkdir()
    found, diagnostics = ci.find_commit(str(tmp_path), environ)
    assert found == commit
    assert [each.code for each in diagnostics] == ([] if commit else ["J104"])
    assert all("not a git repository" in each.message for each in diagnostics)


def test_the_journal_of_a_job_names_who_started_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/7")
    project = {"version": 1, "accounts": {"local": {"emulator": "state.json"}}}
    (tmp_path / "reconciler.yaml").write_text(json.dumps(project))
    (tmp_path / "meters.yaml").write_text(f"version: 1\nmeters:\n  - {CALLS}\n")
    assert run("apply", tmp_path, "--yes").code == 0
    first, *_ = journal.read(tmp_path / ".reconciler")[0]
    assert (first["user"], first["job"]) == ("ada", "https://gitlab.example/7")
