"""The log of a server's requests and their answers, for use in tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from fnmatch import fnmatchcase

from msgspec import Struct

from .errors import RequestError
from .messages import Json, Request
from .requests.forms import Tree, parse_parameters
from .state import Answer

LONGEST = 100_000


class Level(Enum):
    """What a line of the log is about: a request, no request at all, a failure inside."""

    REQUEST = auto()
    REFUSAL = auto()
    FAILURE = auto()


class LogLine(Struct, frozen=True):
    """One line of the log, without secrets; `details` is the traceback of a failure."""

    level: Level
    text: str
    details: str = ""


class Entry(Struct, frozen=True):
    """One request with its answer; `status` is None when the connection was dropped.

    `account` is the connected account that the request names; of headers, `sent` has only
    `Content-Type`.
    """

    number: int
    request_id: str
    method: str
    path: str
    sent: Request
    key: str | None
    status: int | None
    replayed: bool
    account: str | None = None

    @property
    def params(self) -> Tree:
        """The parameters; none where they cannot be read."""
        try:
            return parse_parameters(self.sent)
        except RequestError:
            return {}

    def as_json(self) -> Json:
        """The facts by their names, with the parameters in place of what was sent."""
        names = ("params" if name == "sent" else name for name in self.__struct_fields__)
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        outcome = "reset" if self.status is None else str(self.status)
        replayed = " replayed" if self.replayed else ""
        return f"{self.method} {self.path} {outcome}{replayed} {self.request_id}"


class RequestLog:
    """The latest requests of a server, in the order of their answers; safe to read at any time."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)

    def add(self, answer: Answer) -> Entry:
        """Add an answered request, without secrets; few of them are looked at."""
        request, response = answer.arrival.request, answer.response
        kind = {name: text for name, text in request.headers.items() if name == "content-type"}
        new = Entry(
            answer.arrival.number,
            answer.arrival.request_id,
            request.method,
            request.path,
            Request(request.method, request.path, request.query, kind, request.body),
            request.key,
            response.status if response else None,
            response is not None and "idempotent-replayed" in response.headers,
            request.account,
        )
        self._entries.append(new)
        return new

    def clear(self) -> None:
        """Remove all of them; the numbers continue."""
        self._entries.clear()

    def matching(self, method: str = "*", path: str = "*") -> list[Entry]:
        """Return the entries of a method and a path, both globs."""
        return [e for e in self if fnmatchcase(e.method, method) and fnmatchcase(e.path, path)]

    @property
    def posts(self) -> list[Entry]:
        """The entries of the requests that may have changed something."""
        return self.matching("POST")

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
