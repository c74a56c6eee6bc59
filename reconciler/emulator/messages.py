"""HTTP requests and responses, without sockets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

Json = dict[str, Any]


class Phase(StrEnum):
    """Before or after a request takes effect."""

    BEFORE = "before"
    AFTER = "after"


class Request(Struct, frozen=True):
    """One HTTP request; header names are in lower case, `query` has no question mark."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:  # without the headers, which hold the key
        return f"Request({self.method} {self.path}?{self.query} {self.body!r})"

    @property
    def is_v2(self) -> bool:
        """Whether it is a request to API v2, which has JSON bodies and errors of its own shape."""
        return self.path.startswith("/v2/")

    @property
    def account(self) -> str | None:
        """The account that the request names in a header: the last one of a context."""
        named = self.headers.get("stripe-context") or self.headers.get("stripe-account")
        return named.split("/")[-1] if named else None

    @property
    def key(self) -> str | None:
        """The idempotency key: only a POST has one, an empty one is none."""
        return self.headers.get("idempotency-key") or None if self.method == "POST" else None


class Response(Struct, frozen=True):
    """Status, headers and body; `Content-Length` is added by the server."""

    status: int
    body: str
    headers: Mapping[str, str] = {}
