"""Git as it is asked: what it may not do, and what is said when it does not answer."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest
from history.checkout import begun

from reconciler.history import ci as origin
from reconciler.history import git
from reconciler.history.declarations import changes


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A checkout with one commit, which declares a meter."""
    made = begun(tmp_path, monkeypatch)
    made.file(".gitattributes", "*.yaml diff=owned filter=owned\n")
    made.file("meters.yaml", "meters: [{event_name: seats}]\n")
    made.commit("Declare")
    return made


PROGRAMS = (
    "core.pager",
    "core.fsmonitor",
    "diff.external",
    "diff.owned.textconv",
    "diff.owned.command",
    "filter.owned.smudge",
    "gpg.program",
)


def test_no_setting_of_the_repository_runs_a_program_or_changes_the_answer(made):
    """A signature check, a pager, a filter, a textconv."""
    program = made.file("program", f"#!/bin/sh\ntouch '{made.folder}/owned'\n")
    program.chmod(0o700)
    _sign(made)
    for key, value in {
        **dict.fromkeys(PROGRAMS, program),
        **dict.fromkeys(("log.showSignature", "diff.noprefix", "log.follow"), "true"),
        **dict.fromkeys(("color.ui", "color.diff"), "always"),
        "log.showRoot": "false",
        "format.pretty": "oneline",
    }.items():
        made.git("config", key, str(value))
    (found,), diagnostics = changes(str(made.folder), "seats")
    assert (found.subject, diagnostics) == ("Declare", ())
    assert not (made.folder / "owned").exists()


def _sign(made):
    """Give the last commit a signature, for git to check if it is told to."""
    head, blank, message = made.git("cat-file", "commit", "HEAD").partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    signed = f"{head}\n{signature}{blank}{message}\n".encode()
    hash_ = made.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    made.git("update-ref", "HEAD", hash_)


def _missing(*_, **__):
    raise FileNotFoundError(2, "No such file or directory", "git")


def _slow(words, **options):
    if "log" in words:
        raise subprocess.TimeoutExpired(words, options["timeout"])
    return SimpleNamespace(returncode=0, stdout=b"c" * 40, stderr=b"")


def _mute(*_, **__):
    return SimpleNamespace(returncode=128, stdout=b"", stderr=b"")


def _dubious(*_, **__):
    said = b"fatal: detected dubious ownership in repository at '/x'\nTo add an exception ...\n"
    return SimpleNamespace(returncode=128, stdout=b"", stderr=said)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (_missing, "git cannot be run: No such file or directory"),
        (_slow, "no answer within 30 seconds"),
        (_mute, "git ended with 128"),
        (_dubious, "detected dubious ownership in repository at '/x'"),
    ],
)
def test_a_checkout_that_git_does_not_read_is_said(made, monkeypatch, does, said):
    """In a container the folder often belongs to another user."""
    monkeypatch.setattr(git.subprocess, "run", does)
    found, (diagnostic,) = changes(str(made.folder), "seats")
    assert found == ()
    assert diagnostic.code == "J102"
    assert diagnostic.message.endswith(said)


def test_the_checked_out_commit_is_a_full_hash_or_nothing(made, tmp_path_factory, monkeypatch):
    """There is none outside of a checkout, or without git."""
    assert origin.commit(str(made.folder)) == made.git("rev-parse", "HEAD")
    assert origin.commit(str(tmp_path_factory.mktemp("elsewhere"))) is None
    monkeypatch.setattr(git.subprocess, "run", _missing)
    assert origin.commit(str(made.folder)) is None


def test_many_versions_are_read_by_few_processes(made, monkeypatch):
    """To start a git for each of them takes longer than all the rest."""
    for n in range(7):
        made.file("meters.yaml", f"meters: [{{event_name: seats, n: {n}}}]\n")
        made.file(f"{n}.yaml", f"meters: [{{event_name: other, n: {n}}}]\n")
        made.commit(str(n))
    asked = []
    run = git.subprocess.run
    monkeypatch.setattr(git.subprocess, "run", lambda *a, **k: asked.append(a) or run(*a, **k))
    few, _ = changes(str(made.folder), "seats")
    assert len(asked) == 4  # is it shallow, which commit, the log, what the files held
    monkeypatch.setattr(git, "_AT_ONCE", 2)
    assert changes(str(made.folder), "seats") == (few, ())
    assert [each.subject for each in few] == [*"6543210", "Declare"]


def test_a_version_that_is_lost_is_said(made):
    """A damaged repository: nothing is told, rather than something wrong."""
    blob = made.git("rev-parse", "HEAD:meters.yaml")
    (made.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found, (diagnostic,) = changes(str(made.folder), "seats")
    assert (found, diagnostic.code) == ((), "J102")
    assert diagnostic.message.endswith(f"{blob} missing")


def test_a_hook_of_git_does_not_lead_into_another_repository(made, tmp_path_factory, monkeypatch):
    """There `GIT_DIR` is set, and wins over the folder."""
    other = begun(tmp_path_factory.mktemp("other"), monkeypatch)
    other.commit("Another history")
    made.file("billing/meters.yaml", "meters: [{event_name: seats}]\n")
    head = made.commit("Declare it again")
    for found in (str(other.folder / ".git"), ".git"):
        monkeypatch.setenv("GIT_DIR", found)
        monkeypatch.setenv("GIT_INDEX_FILE", f"{found}/index")
        assert origin.commit(str(made.folder / "billing")) == head
        told, diagnostics = changes(str(made.folder / "billing"), "seats")
        assert ([each.commit for each in told], diagnostics) == ([head], ())
