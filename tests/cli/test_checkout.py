"""What a run learns from the checkout and the journal of its project, and where it can't."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace

import pytest
from cli.world import SEATS, existing
from history.checkout import SECOND, begun
from published import held

from reconciler.history import git

COMMIT = "c" * 40
CHAIRS = {"meters": [existing("seats", "Chairs")]}


def planned(run, made):
    """The commit in a saved plan, and the diagnostics of the report."""
    saved = made.folder / "plan.json"
    ran = run("plan", made.folder, "--save", saved, "--format", "json")
    assert ran.code == 0
    document = held(ran.out)
    every = [*document["diagnostics"], *document["accounts"][0]["diagnostics"]]
    return json.loads(saved.read_text("utf-8"))["commit"], every


@pytest.fixture
def unreadable(world, monkeypatch):
    """A checkout of another user, as in a container."""
    made = world(SEATS, CHAIRS)
    begun(made.folder, monkeypatch).commit("Declare seats")
    found, stat = made.folder / ".git", git.Path.stat

    def owned(path, **options):
        return SimpleNamespace(st_uid=5) if path == found else stat(path, **options)

    monkeypatch.setattr(git.Path, "stat", owned)
    monkeypatch.setattr(git.os, "geteuid", lambda: 4_000_000)
    return made


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("GITHUB_ACTIONS", "GITHUB_SHA"),
        ("GITLAB_CI", "CI_COMMIT_SHA"),
        ("BUILDKITE", "BUILDKITE_COMMIT"),
        ("CIRCLECI", "CIRCLE_SHA1"),
        ("JENKINS_URL", "GIT_COMMIT"),
        ("TF_BUILD", "BUILD_SOURCEVERSION"),
    ],
)
def test_a_job_names_the_commit_where_git_cannot(service, name, unreadable, run, monkeypatch):
    """In the plan, and so in the idempotency keys."""
    monkeypatch.setenv(service, "true")
    monkeypatch.setenv(name, COMMIT)
    assert planned(run, unreadable) == (COMMIT, [])
    assert run("apply", unreadable.folder, "--yes").code == 0
    (post,) = unreadable.server.log.posts
    assert post.key.startswith(f"reconciler-{COMMIT[:12]}-")


def test_a_commit_that_is_lost_is_said_once(unreadable, run, monkeypatch):
    """With the reason; the plan is made all the same."""
    commit, (diagnostic,) = planned(run, unreadable)
    assert (commit, diagnostic["code"], diagnostic["level"]) == (None, "J104", "warning")
    assert "belongs to another user" in diagnostic["message"]


def test_what_the_tool_keeps_is_not_committed(run, tmp_path, monkeypatch):
    """Neither the journal nor the emulator's state, with or without the other."""
    for options in ([], ["--no-journal"]):
        folder = tmp_path / f"project{len(options)}"
        folder.mkdir()
        local = "accounts: {local: {emulator: .reconciler/local.json}}\n"
        (folder / "reconciler.yaml").write_text(f'version: 1\nmeters: ["meters.yaml"]\n{local}')
        (folder / "meters.yaml").write_text(f"version: 1\nmeters: [{SEATS}]\n")
        checkout = begun(folder, monkeypatch)
        assert run("apply", folder, "--yes", *options).code == 0
        assert (folder / ".reconciler" / "local.json").exists()
        status = checkout.git("status", "--short", "--untracked-files=all")
        assert ".reconciler" not in status


@pytest.mark.parametrize("kind", ["a file", "closed"])
def test_a_journal_that_cannot_be_read_is_one_diagnostic(kind, world, run):
    """Its files have one reason in common: their folder."""
    made = world(SEATS)
    folder = made.folder / ".reconciler"
    if kind == "a file":
        folder.write_text("")
    else:
        folder.mkdir(mode=0)
        if os.access(folder, os.X_OK):
            pytest.skip("this user may read everything")
    ran = run("history", made.folder, "--format", "json")
    (diagnostic,) = held(ran.out)["diagnostics"]
    assert (ran.code, diagnostic["code"]) == (1, "J004")
    assert diagnostic["location"]["file"] == str(folder)


def test_commits_of_one_second_are_in_their_own_order(world, run, monkeypatch):
    """A rebase gives all of them one time."""
    made = world(SEATS)
    monkeypatch.delenv("SANDBOX_KEY")
    checkout = begun(made.folder, monkeypatch)
    checkout.file(".gitignore", "reconciler.yaml\n")
    subjects = [f"Number {n}" for n in range(6)]
    for n, subject in enumerate(subjects):
        checkout.file(
            "meters.yaml", f"version: 1\nmeters:\n  - {SEATS.replace('Seats', f'S{n}')}\n"
        )
        checkout.commit(subject, at=SECOND)
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    told = [str(each) for each in held(ran.out)["timeline"]]
    assert [next(s for s in subjects if s in what) for what in told] == subjects


@pytest.mark.parametrize("format_", ["text", "json"])
def test_an_unknown_meter_has_a_suggestion(format_, world, run):
    """The one that was meant is declared."""
    ran = run("history", world(SEATS).folder, "--meter", "seatz", "--format", format_)
    assert ran.code == 0
    if format_ == "json":
        assert held(ran.out)["similar"] == "seats"
    else:
        assert "Did you mean 'seats'?" in ran.out


def test_a_planted_repository_starts_nothing(world, run, monkeypatch, tmp_path_factory):
    """A bare one in the project folder, as a pull request can add it; every command reads git."""
    made = world(SEATS, CHAIRS)
    planted = begun(tmp_path_factory.mktemp("planted"), monkeypatch)
    wrong = planted.commit("Planted")
    started = planted.folder / "started"
    for key, value in {
        "core.bare": "true",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c touch% {started}",
        "protocol.ext.allow": "always",
        "core.fsmonitor": f"touch {started}",
        "core.pager": f"touch {started}",
        "alias.rev-parse": f"!touch {started}",
        "include.path": "more",
    }.items():
        planted.git("config", key, value)
    planted.file(".git/more", f"[diff]\n\texternal = touch {started}\n")
    shutil.copytree(planted.folder / ".git", made.folder, dirs_exist_ok=True)
    monkeypatch.chdir(made.folder)
    commit, diagnostics = planned(run, made)
    assert (commit, diagnostics) == (None, [])
    assert run("apply", "--yes", "--format", "json").code == 0
    assert wrong[:12] not in made.server.log.posts[0].key
    assert run("history", "--meter", "seats").code == 0
    assert not started.exists()
