"""Requests and answers of the core: no sockets, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Phase(StrEnum):
    """Either side of the moment at which a request takes effect."""

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
    def key(self) -> str | None:
        """The idempotency key: only a POST has one, an empty one is none."""
        return self.headers.get("idempotency-key") or None if self.method == "POST" else None


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body; `Content-Length` is added by the server."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a request: a response after `delay` seconds, or a dropped connection.

    `response` is None when the connection is dropped, by a reset.
    """

    number: int
    request_id: str
    response: Response | None
    delay: float = 0.0
