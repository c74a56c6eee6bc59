"""HTTP requests and responses, without sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Phase(StrEnum):
    """Before or after a request takes effect."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case, `query` has no question mark."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""

    @property
    def is_v2(self) -> bool:
        """Whether it is a request to API v2, which has JSON bodies and errors of its own shape."""
        return self.path.startswith("/v2/")

    @property
    def key(self) -> str | None:
        """The idempotency key: only a POST has one, an empty one is none."""
        return self.headers.get("idempotency-key") or None if self.method == "POST" else None


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body; `Content-Length` is added by the server."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
