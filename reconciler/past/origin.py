"""Where a run comes from: who started it, in which job, at which git commit."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from .git import GitError, ask

# Set by GitLab, Jenkins, Buildkite and CircleCI to the address of the running job.
_JOB_ADDRESSES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")


def commit(folder: str) -> str | None:
    """The full hash of the checked-out commit; None outside a checkout or without git."""
    try:
        found = ask(folder, "rev-parse", "--verify", "HEAD").decode("ascii", "replace").strip()
    except GitError:
        return None
    return found if len(found) in (40, 64) else None


def user() -> str | None:
    """The login name; None where the system knows none, as in a bare container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def job(environ: Mapping[str, str]) -> str | None:
    """The address of the CI job that this run is part of, where the service tells."""
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    if server and repository and (run := environ.get("GITHUB_RUN_ID")):
        return f"{server}/{repository}/actions/runs/{run}"
    return next((environ[name] for name in _JOB_ADDRESSES if environ.get(name)), None)
