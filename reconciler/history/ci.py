"""Where a run comes from: who started it, in which job, at which git commit."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from .git import GitError, ask

# Set by GitLab, Jenkins, Buildkite and CircleCI to the address of the running job.
_JOB_ADDRESSES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")

# What tells that a service runs the job, and where it says who started it.
_STARTED_BY = (
    ("GITHUB_ACTIONS", "GITHUB_TRIGGERING_ACTOR"),  # on a re-run another one than the actor
    ("GITHUB_ACTIONS", "GITHUB_ACTOR"),
    ("GITLAB_CI", "GITLAB_USER_LOGIN"),
    ("BUILDKITE", "BUILDKITE_BUILD_CREATOR"),
    ("CIRCLECI", "CIRCLE_USERNAME"),
    ("JENKINS_URL", "BUILD_USER_ID"),
    ("TF_BUILD", "BUILD_REQUESTEDFOR"),
)


def commit(folder: str) -> str | None:
    """The full hash of the checked-out commit; None outside a checkout or without git."""
    try:
        found = ask(folder, "rev-parse", "--verify", "HEAD").decode("ascii", "replace").strip()
    except GitError:
        return None
    return found if len(found) in (40, 64) else None


def user(environ: Mapping[str, str]) -> str | None:
    """Who started the CI job; outside of one the login name, None where the system knows none.

    The login of a build machine (`runner`, `root`) would name nobody.
    """
    for service, name in _STARTED_BY:
        if environ.get(service) and (found := environ.get(name)):
            return found
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
