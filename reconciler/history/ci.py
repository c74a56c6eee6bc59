"""Who started a run, in which CI job, on which git commit."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..diagnostics.codes import journal as rules
from ..diagnostics.diagnostic import Diagnostic
from .git import GitError, find_checkout, run_git

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

# Set by GitLab, Jenkins, Buildkite and CircleCI to the address of the running job.
_JOB_ADDRESSES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")

# A variable that only this service sets, and the one with the commit of the job.
_COMMITS = (
    ("GITHUB_ACTIONS", "GITHUB_SHA"),
    ("GITLAB_CI", "CI_COMMIT_SHA"),
    ("BUILDKITE", "BUILDKITE_COMMIT"),
    ("CIRCLECI", "CIRCLE_SHA1"),
    ("JENKINS_URL", "GIT_COMMIT"),
    ("TF_BUILD", "BUILD_SOURCEVERSION"),
)

# A variable that only this service sets, and the one with the person who started the job.
_STARTED_BY = (
    ("GITHUB_ACTIONS", "GITHUB_TRIGGERING_ACTOR"),  # may differ from the actor on a re-run
    ("GITHUB_ACTIONS", "GITHUB_ACTOR"),
    ("GITLAB_CI", "GITLAB_USER_LOGIN"),
    ("BUILDKITE", "BUILDKITE_BUILD_CREATOR"),
    ("CIRCLECI", "CIRCLE_USERNAME"),
    ("JENKINS_URL", "BUILD_USER_ID"),
    ("TF_BUILD", "BUILD_REQUESTEDFOR"),
)


def find_commit(
    folder: str, environ: Mapping[str, str]
) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """Return the full hash of the checked-out commit, or None and why it is unknown.

    Where git cannot read the checkout, or there is none, the hash that the CI service gives is
    used. Without a checkout or a service there is no commit, and nothing to report.
    """
    try:
        top = find_checkout(folder)
        if top:
            return read_head(top), ()
        reason = None
    except GitError as error:
        reason = str(error)
    if given := _find_job_commit(environ):
        return given, ()
    message = f"the commit of this run is unknown: {reason}"
    return None, (rules.COMMIT_UNKNOWN(message),) if reason else ()


def read_head(top: Path) -> str | None:
    """Return the commit that is checked out at `top`; None before the first. Raises GitError."""
    found = run_git(top, str(top), "rev-parse", "--verify", "--quiet", "HEAD")
    return found.decode("ascii", "replace").strip() or None


def _find_job_commit(environ: Mapping[str, str]) -> str | None:
    return next(filter(_HASH.fullmatch, _list_given(_COMMITS, environ)), None)


def _list_given(names: Iterable[tuple[str, str]], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that the service of this job has set, by service and variable."""
    return (environ[name] for service, name in names if environ.get(service) and environ.get(name))


def find_user(environ: Mapping[str, str]) -> str | None:
    """Return who started the CI job, else the login name; None where the system has none.

    In a job the login (`runner`, `root`) is the build machine's, not a person's.
    """
    if found := next(_list_given(_STARTED_BY, environ), None):
        return found
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def find_job(environ: Mapping[str, str]) -> str | None:
    """Return the address of the CI job that runs this; None where it is unknown."""
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    if server and repository and (run := environ.get("GITHUB_RUN_ID")):
        return f"{server}/{repository}/actions/runs/{run}"
    return next((environ[name] for name in _JOB_ADDRESSES if environ.get(name)), None)


def runs_in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this run is a job of a CI service."""
    said = environ.get("CI", "").lower() not in ("", "0", "false")
    return said or any(environ.get(service) for service, _ in _COMMITS)
