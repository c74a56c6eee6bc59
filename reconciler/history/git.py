"""Read the git checkout of a project, so that nothing in it can start a program.

Git looks for a repository by itself, and takes a folder with `HEAD`, `objects/` and `refs/` for
one: a pull request can add such a folder, with a configuration of its own. So `find_checkout`
accepts only a `.git`, which git never checks out as a part of a commit, and git gets its path.
What the configuration in it could start is turned off by name below. Neither the settings nor
the environment of the user reach git.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SETTINGS = {
    "core.attributesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.quotePath": "false",
    "diff.external": "",
    "log.showSignature": "false",  # would run gpg
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
}
_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *(word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")),
)
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",  # none, whatever `protocol.*.allow` says
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",  # in a partial clone
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitError(Exception):
    """Git is missing, refuses, or takes too long; the text is the first line of its reason."""


def find_checkout(folder: str) -> Path | None:
    """Return the nearest folder with a `.git`, in or above `folder`; None without one.

    Raises GitError where the `.git` belongs to a user who owns neither the project nor this
    process: another user may have put it into a shared folder above.
    """
    start = Path(folder).resolve()
    for top in (start, *start.parents):
        found = top / ".git"
        if os.path.lexists(found):
            try:
                _check_owner(found, start)
            except OSError as error:
                raise GitError(f"{found}: {error.strerror or error}") from None
            return top
    return None


def _check_owner(found: Path, project: Path) -> None:
    if found.stat().st_uid not in (0, os.geteuid(), project.stat().st_uid):
        raise GitError(f"{found} belongs to another user than the project")


def run_git(top: Path, folder: str, *words: str, timeout: float = 5.0) -> bytes:
    """Return what a command of git prints in a folder of the checkout at `top`.

    Raises GitError, also after `timeout` seconds. An exit code of 1 without a message is git's
    answer that there is no such thing: nothing is returned then.
    """
    repository = {"GIT_DIR": str(top / ".git"), "GIT_WORK_TREE": str(top)}
    path = {"PATH": os.environ.get("PATH", os.defpath)}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no word of a checkout is an option
            ["git", "-C", os.path.realpath(folder), *_OPTIONS, *words],  # noqa: S607
            env=path | _ENVIRONMENT | repository,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"no answer within {timeout:g} seconds") from None
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}") from None
    if done.returncode > 1 or (done.returncode and done.stderr):
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(reason[0] if reason else f"git ended with {done.returncode}")
    return done.stdout
