"""No checkout can start a program; one that cannot be read is reported."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from history.checkout import begun

from reconciler.history import ci, git
from reconciler.history.declarations import find_commits

METERS = "meters: [{event_name: seats}]\n"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A checkout with one commit, which declares a meter."""
    made = begun(tmp_path, monkeypatch)
    made.file(".gitattributes", "*.yaml diff=owned filter=owned\n")
    made.file("meters.yaml", METERS)
    made.commit("Declare")
    return made


@pytest.fixture
def marker(tmp_path_factory):
    """A program that leaves a file where it was started, and whether it was."""
    folder = tmp_path_factory.mktemp("marker")
    program = folder / "program"
    program.write_text(f"#!/bin/sh\ntouch '{folder}/started'\n")
    program.chmod(0o700)
    return SimpleNamespace(program=program, started=(folder / "started").exists)


def read_all(folder):
    """Everything that is ever asked of git, and the commit that it gives."""
    find_commits(str(folder), "seats")
    return ci.find_commit(str(folder), {})[0]


PROGRAMS = (
    *("core.pager", "pager.log", "core.fsmonitor", "core.sshCommand", "core.editor"),
    *("diff.external", "diff.owned.textconv", "diff.owned.command", "gpg.program"),
    *("filter.owned.smudge", "filter.owned.clean", "filter.owned.process"),
    *("uploadpack.packObjectsHook", "remote.origin.uploadpack", "credential.helper"),
)


def test_no_setting_of_the_repository_starts_a_program_or_changes_the_answer(made, marker):
    """Pagers, filters, hooks, signature checks, aliases."""
    head = made.git("rev-parse", "HEAD")
    head = _sign(made)
    hooks = made.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(marker.program, hooks / name)
    for key, value in {
        **dict.fromkeys(PROGRAMS, marker.program),
        **dict.fromkeys(("alias.log", "alias.rev-parse"), f"!{marker.program}"),
        **dict.fromkeys(("log.showSignature", "diff.noprefix", "log.follow"), "true"),
        **dict.fromkeys(("color.ui", "color.diff"), "always"),
        "core.hooksPath": hooks,
        "diff.submodule": "diff",
        "log.showRoot": "false",
        "format.pretty": "oneline",
    }.items():
        made.git("config", key, str(value))
    (found,), diagnostics = find_commits(str(made.folder), "seats")
    assert (found.subject, found.files, diagnostics) == ("Declare", ("meters.yaml",), ())
    assert read_all(made.folder) == head
    assert not marker.started()


def _sign(made):
    """Give the last commit a signature, and return its new hash."""
    head, blank, message = made.git("cat-file", "commit", "HEAD").partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    signed = f"{head}\n{signature}{blank}{message}\n".encode()
    hash_ = made.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    made.git("update-ref", "HEAD", hash_)
    return hash_


def lazy(repository, marker):
    """Have a repository fetch what is missing with the program."""
    helper = marker.program.parent / "git-remote-owned"
    shutil.copy(marker.program, helper)
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c {marker.program}",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
    }.items():
        repository("config", key, value)


@pytest.mark.parametrize("url", ["ext::sh -c {}", "owned::x", "{}", "ssh://-oProxyCommand={}/x"])
def test_nothing_is_fetched_whatever_the_remote(url, made, marker, monkeypatch):
    lazy(made.git, marker)
    monkeypatch.setenv("PATH", f"{marker.program.parent}{os.pathsep}{os.environ['PATH']}")
    made.git("config", "remote.origin.url", url.format(marker.program))
    made.git("config", "remote.origin.uploadpack", str(marker.program))
    blob = made.git("rev-parse", "HEAD:meters.yaml")
    (made.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found, (diagnostic,) = find_commits(str(made.folder), "seats")
    assert (found, diagnostic.code) == ((), "J102")
    assert not marker.started()


@pytest.mark.parametrize("inside", [False, True], ids=["no checkout", "in a checkout"])
def test_a_repository_among_the_files_of_a_project_is_not_read(
    inside, marker, tmp_path_factory, monkeypatch
):
    """A pull request can add one: `HEAD`, `objects/`, `refs/` and a configuration."""
    planted = begun(tmp_path_factory.mktemp("planted"), monkeypatch)
    planted.file("meters.yaml", METERS)
    wrong = planted.commit("Planted")
    lazy(planted.git, marker)
    planted.git("config", "core.bare", "true")
    planted.git("config", "core.fsmonitor", str(marker.program))
    blob = planted.git("rev-parse", "HEAD:meters.yaml")
    (planted.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    folder = tmp_path_factory.mktemp("project")
    right = begun(folder, monkeypatch).commit("Real") if inside else None
    project = folder / "billing"
    shutil.copytree(planted.folder / ".git", project)
    assert read_all(project) == right != wrong
    assert not marker.started()
    if inside:  # at the top itself, beside the real one
        shutil.copytree(planted.folder / ".git", folder, dirs_exist_ok=True)
        assert read_all(folder) == right
        assert not marker.started()


def test_no_variable_leads_into_another_repository(made, tmp_path_factory, monkeypatch, marker):
    """`GIT_DIR` is set in a hook of git."""
    other = begun(tmp_path_factory.mktemp("other"), monkeypatch)
    other.commit("Another history")
    made.file("billing/meters.yaml", METERS)
    head = made.commit("Declare it again")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(marker.program))
    monkeypatch.setenv("GIT_PAGER", str(marker.program))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={marker.program}'")
    for found in (str(other.folder / ".git"), ".git"):
        monkeypatch.setenv("GIT_DIR", found)
        monkeypatch.setenv("GIT_INDEX_FILE", f"{found}/index")
        assert read_all(made.folder / "billing") == head
        commits, diagnostics = find_commits(str(made.folder / "billing"), "seats")
        assert ([each.commit for each in commits], diagnostics) == ([head], ())
    assert not marker.started()


def test_a_worktree_and_a_submodule_are_read(made, tmp_path_factory, monkeypatch):
    """Their `.git` is a file."""
    tree = tmp_path_factory.mktemp("tree") / "x"
    made.git("worktree", "add", "--quiet", "--detach", str(tree))
    assert read_all(tree) == made.git("rev-parse", "HEAD")
    assert len(find_commits(str(tree), "seats")[0]) == 1


def _missing(*_, **__):
    raise FileNotFoundError(2, "No such file or directory", "git")


def _slow(words, **options):
    if "log" in words:
        raise subprocess.TimeoutExpired(words, options["timeout"])
    return SimpleNamespace(returncode=0, stdout=b"c" * 40, stderr=b"")


def _mute(*_, **__):
    return SimpleNamespace(returncode=128, stdout=b"", stderr=b"")


def _damaged(*_, **__):
    said = b"fatal: not a git repository: '/x/.git'\nhint: ...\n"
    return SimpleNamespace(returncode=128, stdout=b"", stderr=said)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (_missing, "git cannot be run: No such file or directory"),
        (_slow, "no answer within 30 seconds"),
        (_mute, "git ended with 128"),
        (_damaged, "fatal: not a git repository: '/x/.git'"),
    ],
)
def test_a_checkout_that_git_does_not_read_is_reported(made, monkeypatch, does, reason):
    monkeypatch.setattr(git.subprocess, "run", does)
    found, (diagnostic,) = find_commits(str(made.folder), "seats")
    assert found == ()
    assert diagnostic.code == "J102"
    assert diagnostic.message == f"the commits cannot be read: {reason}"


def test_git_is_the_first_one_on_the_path(made, tmp_path_factory, monkeypatch):
    """Not one of the folders that a system searches without a PATH."""
    program = tmp_path_factory.mktemp("first") / "git"
    program.write_text("#!/bin/sh\necho 'the first git' >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    _, (diagnostic,) = find_commits(str(made.folder), "seats")
    assert "the first git" in diagnostic.message


def test_a_repository_of_another_user_above_the_project_is_not_read(made, monkeypatch):
    """In a shared folder; one of the project's own user is read."""
    project = made.folder / "billing"
    project.mkdir()
    monkeypatch.setattr(git.os, "geteuid", lambda: 4_000_000)
    head = made.git("rev-parse", "HEAD")
    assert read_all(project) == head
    stat, foreign = git.Path.stat, made.folder / ".git"

    def owned(path, **options):
        return SimpleNamespace(st_uid=5) if path == foreign else stat(path, **options)

    monkeypatch.setattr(git.Path, "stat", owned)
    commit, (diagnostic,) = ci.find_commit(str(project), {})
    assert (commit, diagnostic.code) == (None, "J104")
    assert "belongs to another user than the project" in diagnostic.message


def test_the_checked_out_commit_is_a_full_hash_or_nothing(made, tmp_path_factory, monkeypatch):
    assert ci.find_commit(str(made.folder), {}) == (made.git("rev-parse", "HEAD"), ())
    assert ci.find_commit(str(tmp_path_factory.mktemp("elsewhere")), {}) == (None, ())
    empty = begun(tmp_path_factory.mktemp("empty"), monkeypatch)
    assert ci.find_commit(str(empty.folder), {}) == (None, ())
