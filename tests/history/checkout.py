"""A git checkout that is independent of the developer's names, dates and settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

SECOND = 1_789_000_000  # Unix time of the first commit; each further one is an hour later
HOUR = 3_600


class Checkout:
    """A repository in a folder; `environ` is for the git of the tests and that of the tool."""

    def __init__(self, folder: Path, environ: Mapping[str, str], hashes: str) -> None:
        self.folder = folder
        self._environ = dict(environ)
        self._made = 0
        self.git("init", "--quiet", "--template=", f"--object-format={hashes}", "-b", "main")

    def git(self, *words: str, stdin: bytes | None = None, **environ: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *words],
            env=self._environ | environ,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, subject: str, author: str = "Ada", at: int | None = None) -> str:
        """All that lies in the folder as a commit; its hash."""
        when = f"{SECOND + self._made * HOUR if at is None else at} +0000"
        self._made += 1
        self.git("add", "--all")
        self.git(
            *("commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", subject),
            GIT_AUTHOR_NAME=author,
            GIT_AUTHOR_EMAIL="author@example.com",
            GIT_AUTHOR_DATE="2001-01-01T00:00:00Z",
            GIT_COMMITTER_NAME="Committer",
            GIT_COMMITTER_EMAIL="committer@example.com",
            GIT_COMMITTER_DATE=when,
        )
        return self.git("rev-parse", "HEAD")

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path


def begun(folder: Path, monkeypatch: pytest.MonkeyPatch, hashes: str = "sha1") -> Checkout:
    """An empty checkout; from here on no git in this test reads the settings of the machine."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", os.devnull)  # where git looks for files to ignore
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return Checkout(folder, os.environ, hashes)
