"""GitHub: comments on a pull request and issues, written by the owner of the token; reviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..clock import Clock
from .host import Host, Posted, Token, get_number, get_text

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_VIEWER = "query { viewer { login } }"
_MINIMIZE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    " { minimizedComment { isMinimized } } }"
)


class GitHub:
    """The calls for one repository. Source: GitHub's REST and GraphQL references."""

    def __init__(self, base: str, token: Token, clock: Clock, repository: str) -> None:
        root = base.rstrip("/")
        enterprise = root.endswith("/api/v3")
        origin = root.removesuffix("/v3") if enterprise else root
        self._rest = "/v3" if enterprise else ""
        self.host = Host("GitHub", origin, token, clock, _HEADERS)
        self._repo = f"{self._rest}/repos/{repository}"
        self._login: str | None = None

    def find_own_login(self) -> str:
        """Return who the token belongs to; a job's own token may not read `GET /user`."""
        if self._login is None:
            found = self.host.query("/graphql", _VIEWER, {})
            self._login = get_text(found, "viewer", "login")
        return self._login

    def find_merged_pull(self, commit: str) -> int | None:
        """Return the pull request that a commit came with."""
        pulls = list(self.list_pulls(commit))
        merged = [pull for pull in pulls if pull.get("merged_at")] or pulls
        return next((get_number(pull, "number") for pull in merged), 0) or None

    def list_pulls(self, commit: str) -> Iterator[Any]:
        """Yield the pull requests that a commit is part of."""
        return self.host.list_all(f"{self._repo}/commits/{commit}/pulls")

    def read_head(self, number: int) -> str:
        """Return the head commit of a pull request."""
        found = self.host.call("GET", f"{self._repo}/pulls/{number}").data
        return get_text(found, "head", "sha")

    def list_reviews(self, number: int) -> Iterator[Any]:
        """Yield the reviews of a pull request, oldest first."""
        return self.host.list_all(f"{self._repo}/pulls/{number}/reviews")

    def read_permission(self, login: str) -> str:
        """Return what a user may do in the repository: admin, write, read or none."""
        path = f"{self._repo}/collaborators/{quote(login, safe='')}/permission"
        return get_text(self.host.call("GET", path).data, "permission")

    def list_statuses(self, commit: str) -> Iterator[Any]:
        """Yield the statuses of a commit, newest first."""
        return self.host.list_all(f"{self._repo}/commits/{commit}/statuses")

    def set_status(self, commit: str, status: Mapping[str, str]) -> None:
        """Add a status to a commit."""
        self.host.call("POST", f"{self._repo}/statuses/{commit}", status)

    def find_artifact_run(self, name: str) -> int:
        """Return the newest workflow run with an artifact of this name; 0 without one."""
        path = f"{self._repo}/actions/artifacts?per_page=10&name={quote(name)}"
        found = self.host.call("GET", path).data
        listed = found.get("artifacts") if isinstance(found, dict) else None
        kept = [it for it in listed or () if isinstance(it, dict) and it.get("expired") is False]
        return next((get_number(each, "workflow_run", "id") for each in kept), 0)

    def list_comments(self, number: int) -> list[Posted]:
        """Return the own comments on a pull request, oldest first."""
        found = self.host.list_all(f"{self._repo}/issues/{number}/comments")
        return [_read(each) for each in found if self._is_own(each)]

    def create_comment(self, number: int, body: str) -> Posted:
        """Comment on a pull request or an issue."""
        path = f"{self._repo}/issues/{number}/comments"
        return _read(self.host.call("POST", path, {"body": body}, creates=True).data)

    def update_comment(self, comment: Posted, body: str) -> Posted:
        """Replace the text of a comment."""
        path = f"{self._repo}/issues/comments/{comment.id}"
        return _read(self.host.call("PATCH", path, {"body": body}).data)

    def delete_comment(self, comment: Posted) -> None:
        """Delete a comment."""
        self.host.call("DELETE", f"{self._repo}/issues/comments/{comment.id}")

    def hide_comment(self, comment: Posted) -> None:
        """Minimize a comment as outdated."""
        self.host.query("/graphql", _MINIMIZE, {"id": comment.node_id})

    def list_issues(self, label: str) -> list[Posted]:
        """Return the own open issues with a label, newest first."""
        found = self.host.list_all(f"{self._repo}/issues?state=open&labels={label}")
        issues = (each for each in found if "pull_request" not in each and self._is_own(each))
        return [_read(each) for each in issues]

    def create_issue(self, title: str, body: str, labels: list[str]) -> Posted:
        """Open an issue; GitHub creates the labels that do not exist."""
        payload = {"title": title, "body": body, "labels": labels}
        return _read(self.host.call("POST", f"{self._repo}/issues", payload, creates=True).data)

    def update_issue(self, issue: Posted, **changes: object) -> Posted:
        """Change fields of an issue."""
        return _read(self.host.call("PATCH", f"{self._repo}/issues/{issue.id}", changes).data)

    def _is_own(self, data: Any) -> bool:
        own, login = self.find_own_login(), get_text(data, "user", "login")
        bot = get_text(data, "user", "type") == "Bot" and login == f"{own}[bot]"
        return bool(own) and (login == own or bot)


def _read(data: Any) -> Posted:
    """Return a comment, or an issue, which goes by its number."""
    labels = data.get("labels") if isinstance(data, dict) else None
    return Posted(
        id=get_number(data, "number") or get_number(data, "id"),
        body=get_text(data, "body"),
        url=get_text(data, "html_url"),
        node_id=get_text(data, "node_id"),
        title=get_text(data, "title"),
        labels=tuple(filter(None, (get_text(label, "name") for label in labels or ()))),
    )
