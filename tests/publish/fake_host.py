"""A GitHub and a GitLab on loopback: comments, issues and notes of several users, and faults."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_" + "t0p" * 10
OWN = "github-actions[bot]"
Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Answer the next `times` requests that match like this; `after` their effect or before it."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    times: list[int] = field(default_factory=lambda: [1])


@dataclass
class FakeHost:
    """The state of one repository, and every request for it."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    time: str = "2026-05-01T10:00:00Z"
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    may_write: bool = True
    may_hide: bool = True
    page: int = 100
    url: str = ""
    ids: int = 100

    def add_comment(self, body: str, login: str = OWN, number: int = 7) -> dict[str, Any]:
        self.ids += 1
        kind = "Bot" if login.endswith("[bot]") else "User"
        made = {
            "id": self.ids,
            "node_id": f"IC_{self.ids}",
            "body": body,
            "thread": number,
            "user": {"login": login, "type": kind},
            "author": {"id": 1 if login == OWN else 2},
            "html_url": f"https://github.test/acme/billing/pull/{number}#{self.ids}",
        }
        self.comments.append(made)
        return made

    def own(self) -> list[str]:
        """The texts of the token's own comments."""
        return [each["body"] for each in self.comments if each["user"]["login"] == OWN]

    def writes(self) -> list[str]:
        return [f"{method} {path}" for method, path in self.requests if method != "GET"]

    def fail(self, method: str, path: str, status: int, times: int = 1, **more: Any) -> None:
        self.faults.append(Fault(method, path, status, times=[times], **more))

    def find_fault(self, method: str, path: str, *, after: bool) -> Fault | None:
        for each in self.faults:
            fits = each.method == method and re.search(each.path, path) and each.after is after
            if fits and each.times[0] > 0:
                each.times[0] -= 1
                return each
        return None

    def answer(self, method: str, path: str, query: dict[str, str], data: Any) -> Answer:
        if method != "GET" and "graphql" not in path and not self.may_write:
            return 403, {"message": "Resource not accessible by integration"}
        for verb, pattern, act in ROUTES:
            if verb == method and (found := re.fullmatch(pattern, path)):
                return act(self, found, query, data)
        return 404, {"message": "Not Found"}


def graphql(host: FakeHost, _: re.Match[str], __: Any, data: Any) -> Answer:
    if "minimizeComment" not in data["query"]:
        return 200, {"data": {"viewer": {"login": OWN}}}
    if not host.may_hide:
        return 200, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]}
    host.hidden.append(data["variables"]["id"])
    return 200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}


def list_comments(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    return 200, [each for each in host.comments if each["thread"] == int(found[1])]


def create_comment(host: FakeHost, found: re.Match[str], _: Any, data: Any) -> Answer:
    if len(data["body"]) > 65_536:
        return 422, {"message": "body is too long (maximum is 65536 characters)"}
    return 201, host.add_comment(data["body"], number=int(found[1]))


def change_comment(host: FakeHost, found: re.Match[str], _: Any, data: Any) -> Answer:
    (one,) = [each for each in host.comments if each["id"] == int(found[1])]
    one["body"] = data["body"]
    return 200, one


def delete_comment(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    host.comments = [each for each in host.comments if each["id"] != int(found[1])]
    return 204, None


def list_issues(host: FakeHost, _: re.Match[str], query: dict[str, str], __: Any) -> Answer:
    label = query["labels"]
    labelled = [each for each in host.issues if {"name": label} in each["labels"]]
    return 200, [each for each in reversed(labelled) if each["state"] == query["state"]]


def create_issue(host: FakeHost, _: re.Match[str], __: Any, data: Any) -> Answer:
    host.ids += 1
    made = {
        **data,
        "id": 9_000_000 + host.ids,
        "number": host.ids,
        "state": "open",
        "user": {"login": OWN, "type": "Bot"},
        "html_url": f"https://github.test/i/{host.ids}",
        "labels": [{"name": name} for name in data["labels"]],
    }
    host.issues.append(made)
    return 201, made


def change_issue(host: FakeHost, found: re.Match[str], _: Any, data: Any) -> Answer:
    (one,) = [each for each in host.issues if each["number"] == int(found[1])]
    labels = {"labels": [{"name": name} for name in data["labels"]]} if "labels" in data else {}
    one |= {**data, **labels}
    return 200, one


def list_pulls(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    """The pull requests of a commit; one that names no commits is of every one."""
    return 200, [each for each in host.pulls if found[1] in each.get("commits", found[1])]


def read_pull(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    return 200, next(each for each in host.pulls if each["number"] == int(found[1]))


def list_reviews(host: FakeHost, _: re.Match[str], __: Any, ___: Any) -> Answer:
    return 200, host.reviews


def read_permission(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    return 200, {"permission": host.permissions.get(found[1], "read")}


def list_statuses(host: FakeHost, found: re.Match[str], _: Any, __: Any) -> Answer:
    return 200, host.statuses.get(found[1], [])


def create_status(host: FakeHost, found: re.Match[str], _: Any, data: Any) -> Answer:
    made = {**data, "created_at": host.time, "creator": {"login": OWN}}
    host.statuses.setdefault(found[1], []).insert(0, made)
    return 201, made


def read_user(_: FakeHost, __: re.Match[str], ___: Any, ____: Any) -> Answer:
    return 200, {"id": 1, "username": "bot"}


def list_artifacts(host: FakeHost, _: re.Match[str], query: dict[str, str], __: Any) -> Answer:
    found = host.artifacts.get(query["name"])
    listed = [{"expired": found["expired"], "workflow_run": {"id": found["run"]}}] if found else []
    return 200, {"total_count": len(listed), "artifacts": listed}


_REPO = r"/repos/acme/billing"
_NOTES = r"/projects/42/merge_requests/(\d+)/notes"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", "/graphql", graphql),
    ("GET", rf"{_REPO}/issues/(\d+)/comments", list_comments),
    ("POST", rf"{_REPO}/issues/(\d+)/comments", create_comment),
    ("PATCH", rf"{_REPO}/issues/comments/(\d+)", change_comment),
    ("DELETE", rf"{_REPO}/issues/comments/(\d+)", delete_comment),
    ("GET", rf"{_REPO}/issues", list_issues),
    ("POST", rf"{_REPO}/issues", create_issue),
    ("PATCH", rf"{_REPO}/issues/(\d+)", change_issue),
    ("GET", rf"{_REPO}/commits/([0-9a-f]+)/pulls", list_pulls),
    ("GET", rf"{_REPO}/pulls/(\d+)", read_pull),
    ("GET", rf"{_REPO}/pulls/\d+/reviews", list_reviews),
    ("GET", rf"{_REPO}/collaborators/([^/]+)/permission", read_permission),
    ("GET", rf"{_REPO}/commits/([0-9a-f]+)/statuses", list_statuses),
    ("GET", rf"{_REPO}/actions/artifacts", list_artifacts),
    ("POST", rf"{_REPO}/statuses/([0-9a-f]+)", create_status),
    ("GET", "/user", read_user),
    ("GET", _NOTES, list_comments),
    ("POST", _NOTES, create_comment),
    ("PUT", r"/projects/42/merge_requests/\d+/notes/(\d+)", change_comment),
    ("DELETE", r"/projects/42/merge_requests/\d+/notes/(\d+)", delete_comment),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host: FakeHost

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.host.requests.append((self.command, parts.path))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send(401, {"message": "Bad credentials"}, {})
            return
        if fault := self.host.find_fault(self.command, parts.path, after=False):
            self.send(fault.status, {"message": f"told to fail {TOKEN}"}, fault.headers)
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        data = json.loads(body) if body else None
        status, answer = self.host.answer(self.command, parts.path, query, data)
        if fault := self.host.find_fault(self.command, parts.path, after=True):
            self.send(fault.status, {"message": "told to fail"}, fault.headers)
            return
        headers = {}
        if isinstance(answer, list):
            page, size = int(query.get("page", 1)), min(int(query["per_page"]), self.host.page)
            if len(answer) > page * size:
                headers["Link"] = f'<{self.host.url}/evil?page={page + 1}>; rel="next"'
            answer = answer[(page - 1) * size : page * size]
        self.send(status, answer, headers)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

    def send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve() -> Iterator[FakeHost]:
    """Serve a repository until the end of the test."""
    host = FakeHost()
    handler = type("Handler", (_Handler,), {"host": host})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
