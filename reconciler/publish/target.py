"""Where to publish, and as whom: from the variables of the job, or from options."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ..diagnostics.codes import publishing as rules
from ..diagnostics.errors import AuthError, ConfigError
from .host import Token, get_number, get_text

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_PROJECT = re.compile(r"[0-9]{1,18}|[A-Za-z0-9_.-]{1,255}(?:/[A-Za-z0-9_.-]{1,255}){1,20}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~%:/-]{1,300}")
_MOST_BYTES = 32 * 2**20


class Target(Struct, frozen=True):
    """A repository and a pull request of it, if known; `blob` is the address of its files.

    `from_fork` is set in a job of a pull request from a fork, whose token may only read.
    """

    base: str
    repository: str
    token: Token
    number: int | None
    commit: str
    blob: str
    run: str
    from_fork: bool = False


def find_github(
    environ: Mapping[str, str], repository: str | None, number: int | None, variable: str | None
) -> Target:
    """Return the target in GitHub; raise ConfigError or AuthError."""
    event = _read_event(environ.get("GITHUB_EVENT_PATH"))
    name = repository or environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(name) or {".", ".."} & set(name.split("/")):
        message = f"the repository is {name!r:.80}, not OWNER/NAME"
        raise ConfigError(rules.NO_TARGET(message if name else "the repository is not known"))
    head, pull = get_text(event, "pull_request", "head", "sha"), event.get("pull_request")
    own = get_text(pull, "base", "repo", "full_name")
    given = get_number(pull, "number")
    issue = event.get("issue")
    if not given and isinstance(issue, dict) and "pull_request" in issue:
        given = get_number(issue, "number")
    commit = _match(_COMMIT, head or environ.get("GITHUB_SHA", ""))
    server = _match(_ADDRESS, environ.get("GITHUB_SERVER_URL", "")).rstrip("/")
    known, run = bool(server and commit), environ.get("GITHUB_RUN_ID", "")
    return Target(
        base=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=name,
        token=_find_token(environ, variable or "GITHUB_TOKEN"),
        number=number or given or None,
        commit=commit,
        blob=f"{server}/{name}/blob/{commit}" if known else "",
        run=f"{server}/{name}/actions/runs/{run}" if server and run.isdigit() else "",
        from_fork=bool(pull) and own != get_text(pull, "head", "repo", "full_name"),
    )


def find_gitlab(
    environ: Mapping[str, str], project: str | None, number: int | None, variable: str | None
) -> Target:
    """Return the target in GitLab; raise ConfigError or AuthError."""
    name = project or environ.get("CI_PROJECT_ID", "")
    if not _PROJECT.fullmatch(name):
        message = f"the project is {name!r:.80}, neither an id nor a path"
        raise ConfigError(rules.NO_TARGET(message if name else "the project is not known"))
    given = environ.get("CI_MERGE_REQUEST_IID", "")
    found = number or (int(given) if re.fullmatch(r"[0-9]{1,9}", given) else 0)
    if not found:
        raise ConfigError(rules.NO_TARGET("the number of the merge request is not known"))
    sha = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
    commit, home = _match(_COMMIT, sha), _match(_ADDRESS, environ.get("CI_PROJECT_URL", ""))
    return Target(
        base=environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        repository=name,
        token=_find_token(environ, variable or "GITLAB_TOKEN"),
        number=found,
        commit=commit,
        blob=f"{home.rstrip('/')}/-/blob/{commit}" if home and commit else "",
        run=_match(_ADDRESS, environ.get("CI_JOB_URL", "")),
    )


def _match(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _find_token(environ: Mapping[str, str], variable: str) -> Token:
    if variable not in environ:
        raise AuthError(rules.NO_TOKEN(f"the environment variable {variable} is not set"))
    return Token(environ[variable].strip(), variable)


def _read_event(path: str | None) -> dict[str, Any]:
    """Return the event that started the job; empty without one."""
    if not path:
        return {}
    try:
        if os.path.getsize(path) > _MOST_BYTES:
            raise ValueError("too large")
        with open(path, "rb") as file:
            event = json.load(file)
    except (OSError, ValueError, RecursionError):
        raise ConfigError(rules.NO_TARGET("GITHUB_EVENT_PATH is not a readable event")) from None
    return event if isinstance(event, dict) else {}
