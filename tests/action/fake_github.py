"""GitHub's API on loopback, as far as the steps of the Action ask it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY, BOT = "acme/billing", "github-actions[bot]"


class FakeGitHub:
    """Answers for one repository; `failures` answers first, each once."""

    def __init__(self, token: str = "ghs_token") -> None:
        self.token = token
        self.answers: dict[str, Any] = {}
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self.comments: dict[str, list[dict[str, Any]]] = {}
        self.failures: list[tuple[int, dict[str, str]]] = []
        self.requests: list[str] = []
        self.time = "2026-05-01T10:00:00Z"
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.answer(self, None)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                fake.answer(self, json.loads(self.rfile.read(length)))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        self.requests.append(f"{handler.command} {handler.path}")
        if self.failures:
            code, headers = self.failures.pop(0)
            self._reply(handler, code, {"message": "no"}, headers)
        elif handler.headers.get("Authorization") != f"Bearer {self.token}":
            self._reply(handler, 401, {"message": "Bad credentials"})
        else:
            self._reply(handler, *self._find(urlsplit(handler.path), body))

    def _find(self, url: Any, body: Any) -> tuple[int, Any]:
        found: Any = None
        path = url.path.removeprefix(f"/repos/{REPOSITORY}")
        match path.split("/"):
            case ["", "graphql"]:
                return 200, {"data": {"viewer": {"login": BOT}}}
            case ["", "issues", number, "comments"] if body:
                made = {"id": 1, "node_id": "x", "html_url": "https://x", "user": {"login": BOT}}
                self.comments.setdefault(number, []).append({**made, **body})
                return 201, self.comments[number][-1]
            case ["", "issues", number, "comments"]:
                found = self.comments.get(number, [])
            case ["", "statuses", sha]:
                made = {
                    **body,
                    "created_at": self.time,
                    "creator": {"login": BOT},
                }
                self.statuses.setdefault(sha, []).insert(0, made)
                return 201, made
            case ["", "commits", sha, "statuses"]:
                found = self.statuses.get(sha, [])
            case _:
                found = self.answers.get(path)
        if isinstance(found, list):
            query = {name: int(text) for name, (text,) in parse_qs(url.query).items()}
            first = (query["page"] - 1) * query["per_page"]
            found = found[first : first + query["per_page"]]
        return (404, {"message": "Not Found"}) if found is None else (200, found)

    def _reply(self, handler: Any, code: int, body: Any, headers: Any = None) -> None:
        data = json.dumps(body).encode()
        handler.send_response(code)
        for name, text in {**(headers or {}), "Content-Length": str(len(data))}.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(data)
