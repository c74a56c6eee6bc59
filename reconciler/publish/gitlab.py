"""GitLab: notes on a merge request, written by the owner of the token."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..clock import Clock
from .host import Host, Posted, Token, get_number, get_text


class GitLab:
    """The calls for one project. Source: GitLab's REST API, notes of merge requests."""

    def __init__(self, base: str, token: Token, clock: Clock, project: str) -> None:
        self.host = Host("GitLab", base, token, clock, {"Accept": "application/json"})
        self._project = f"/projects/{quote(project, safe='')}"
        self._own_id = 0

    def list_comments(self, number: int) -> list[Posted]:
        """Return the own notes on a merge request, oldest first."""
        path = f"{self._notes(number)}?sort=asc&order_by=created_at"
        return [_read(each, number) for each in self.host.list_all(path) if self._is_own(each)]

    def create_comment(self, number: int, body: str) -> Posted:
        """Add a note to a merge request."""
        payload = {"body": body}
        return _read(
            self.host.call("POST", self._notes(number), payload, creates=True).data, number
        )

    def update_comment(self, comment: Posted, body: str) -> Posted:
        """Replace the text of a note."""
        path = self._note(comment)
        return _read(self.host.call("PUT", path, {"body": body}).data, int(comment.node_id))

    def delete_comment(self, comment: Posted) -> None:
        """Delete a note."""
        self.host.call("DELETE", self._note(comment))

    def hide_comment(self, comment: Posted) -> None:
        """Delete an outdated note: GitLab cannot minimize one."""
        self.delete_comment(comment)

    def _notes(self, number: int) -> str:
        return f"{self._project}/merge_requests/{number}/notes"

    def _note(self, comment: Posted) -> str:
        return f"{self._notes(int(comment.node_id))}/{comment.id}"

    def _is_own(self, data: Any) -> bool:
        if not self._own_id:
            self._own_id = get_number(self.host.call("GET", "/user").data, "id")
        return bool(self._own_id) and get_number(data, "author", "id") == self._own_id


def _read(data: Any, number: int) -> Posted:
    """Return a note; `node_id` is the number of its merge request."""
    return Posted(get_number(data, "id"), get_text(data, "body"), node_id=str(number))
