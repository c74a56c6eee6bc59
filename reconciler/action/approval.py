"""Which plan was approved: a review of exactly the head commit that the plan was made of.

The plan of a pull request is recorded as a commit status of its head commit, which GitHub keeps
with its time and its creator and which cannot be edited. Approved is the newest one that is older
than the review.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct

BOT = "github-actions[bot]"
"""The user of the token of a job."""

_HASH = "plan_hash "
_MAY_APPROVE = ("admin", "maintain", "write")


class Reviews(Protocol):
    """Where the pull requests of a repository, their reviews and their commits are read."""

    def list_pulls(self, commit: str) -> Iterable[Any]:
        """Return the pull requests that a commit is part of."""

    def read_head(self, number: int) -> str:
        """Return the head commit of a pull request."""

    def list_reviews(self, number: int) -> Iterable[Any]:
        """Return the reviews of a pull request, oldest first."""

    def read_permission(self, login: str) -> str:
        """Return what a user may do in the repository."""

    def list_statuses(self, commit: str) -> Iterable[Any]:
        """Return the statuses of a commit."""


class Approval(Struct, frozen=True, kw_only=True):
    """The approved plan_hash, or why there is none; the pull request where it is known."""

    plan_hash: str = ""
    pull_request: int | None = None
    reason: str = ""


def name_status(path: str, accounts: Iterable[str]) -> str:
    """Return the context of the status of a plan: one for each project and account."""
    return " ".join(["reconciler", path, *accounts])[:255]


def describe_plan(plan_hash: str) -> str:
    """Return the description of the status of a plan."""
    return f"{_HASH}{plan_hash}"


def find_approval(host: Reviews, commit: str, context: str) -> Approval:
    """Return what was approved of the commit that a pull request was merged as."""
    pulls = [it for it in host.list_pulls(commit) if it.get("merge_commit_sha") == commit]
    merged = [pull["number"] for pull in pulls if pull.get("merged_at")]
    if len(merged) != 1:
        return Approval(reason=f"commit {commit[:12]} is not that of one merged pull request")
    (number,) = merged
    head = host.read_head(number)
    approvals = list(_list_approvals(host, number, head))
    if not approvals:
        reason = f"no review of #{number} approves its head commit {head[:12]}"
        return Approval(pull_request=number, reason=reason)
    statuses = list(host.list_statuses(head))
    plans = {_find_plan(statuses, context, before=approved) for approved in approvals}
    match sorted(plans - {""}):
        case [plan_hash] if "" not in plans:
            return Approval(plan_hash=plan_hash, pull_request=number)
        case [] | [_]:
            reason = f"no plan of commit {head[:12]} was made before the review of #{number}"
        case _:
            reason = f"the reviews of #{number} approve different plans of commit {head[:12]}"
    return Approval(pull_request=number, reason=reason)


def _list_approvals(host: Reviews, number: int, head: str) -> Iterator[str]:
    """Yield when each user who may write approved the head commit; none where one objects.

    The review of a bot is none: the job of a pull request could write one.
    """
    last = {
        review["user"]["login"]: review
        for review in host.list_reviews(number)
        if review.get("state") in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
        and (review.get("user") or {}).get("type") == "User"  # None: the user was deleted
    }
    valid = {
        login: review
        for login, review in last.items()
        if review["state"] != "DISMISSED" and host.read_permission(login) in _MAY_APPROVE
    }
    if any(review["state"] == "CHANGES_REQUESTED" for review in valid.values()):
        return
    yield from (it["submitted_at"] for it in valid.values() if it.get("commit_id") == head)


def _find_plan(statuses: Iterable[Mapping[str, Any]], context: str, *, before: str) -> str:
    """Return the plan_hash of the newest status that is older than a time; empty for none.

    GitHub gives both times in UTC and in one form, whose order is that of the texts.
    """
    plans = [
        (status["created_at"], status.get("id", 0), status.get("description") or "")
        for status in statuses
        if status.get("context") == context
        and (status.get("creator") or {}).get("login") == BOT
        and status["created_at"] <= before
    ]
    _, _, description = max(plans, default=("", 0, ""))
    return description.removeprefix(_HASH) if description.startswith(_HASH) else ""
