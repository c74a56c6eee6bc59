"""The JSON API of a code host: retries, rate limits and pages, and errors without the token."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from ..clock import Clock
from ..diagnostics.codes import publishing as rules
from ..diagnostics.codes import service
from ..diagnostics.errors import AuthError, ServiceError
from ..stripe.api_key import Secret
from ..stripe.http.connection import Connection, Limits, Request, Response, TransportError
from ..stripe.retry import ATTEMPTS, Attempt, wait_before_retry
from ..trusted_url import is_trusted_api_base

PER_PAGE, _MOST_PAGES = 100, 100
_LONGEST_PAUSE = 120.0  # seconds that a rate limit is waited for; GitHub advises 60
_HIDDEN = "check the repository and the number; a token that may not see them gets a 404"
_MOVED = "redirects are not followed: if the repository was renamed, give its current name"
_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)


class Token(Secret):
    """A token of a code host; raise AuthError for one that no header can hold."""

    __slots__ = ()

    def __init__(self, text: str, variable: str) -> None:
        if not _TOKEN.fullmatch(text):
            what = "has a character that no token has" if text else "is empty"
            raise AuthError(rules.NO_TOKEN(f"{variable} {what}"))
        super().__init__(text)


class UncertainError(ServiceError):
    """A request that may have had an effect: look before it is sent again."""


class Posted(Struct, frozen=True):
    """A comment, a note or an issue: its number in the API, its text and its address."""

    id: int
    body: str
    url: str = ""
    node_id: str = ""
    title: str = ""
    labels: tuple[str, ...] = ()


def get_text(data: Any, *names: str) -> str:
    """Return the string at nested keys; empty where there is none."""
    value = _descend(data, names)
    return value if isinstance(value, str) else ""


def get_number(data: Any, *names: str) -> int:
    """Return the whole number at nested keys; 0 where there is none."""
    value = _descend(data, names)
    return value if type(value) is int else 0


def _descend(data: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


class Reply(Struct, frozen=True):
    """The response to one call that succeeded."""

    data: Any
    headers: Mapping[str, str] = {}


class Host:
    """One API of a code host. Raises AuthError, ServiceError or UncertainError."""

    def __init__(
        self, name: str, base: str, token: Token, clock: Clock, headers: Mapping[str, str]
    ) -> None:
        if not is_trusted_api_base(base):
            message = f"the address of the API of {name} is not https, nor on this machine"
            raise ServiceError(rules.UNSAFE_HOST(message))
        self._name, self._token, self._clock = name, token, clock
        self._headers = {
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "reconciler",
            **headers,
        }
        self._connection = Connection(base.rstrip("/"), token, Limits())

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def call(
        self, method: str, path: str, payload: object = None, *, creates: bool = False
    ) -> Reply:
        """Send a request, and again where that is safe and may help; return its response.

        One that creates something is only sent again after a rate limit.
        """
        body = None if payload is None else json.dumps(payload).encode()
        request = Request(method, path, (), self._headers, content=body)
        for attempt in range(1, ATTEMPTS + 1):
            sent = self._connection.send(request)
            wait = self._find_wait(attempt, sent, creates=creates)
            if wait is None:
                break
            self._clock.sleep(wait)
        return self._read(sent, f"{method} {path.partition('?')[0]}", creates=creates)

    def list_all(self, path: str) -> Iterator[Any]:
        """Yield the entries of every page of a list."""
        join = "&" if "?" in path else "?"
        for page in range(1, _MOST_PAGES + 1):
            reply = self.call("GET", f"{path}{join}per_page={PER_PAGE}&page={page}")
            if not isinstance(reply.data, list) or not all(isinstance(e, dict) for e in reply.data):
                raise self._fail(f"GET {path}: the response is not a list of objects")
            yield from reply.data
            if 'rel="next"' not in reply.headers.get("link", ""):
                return
        raise self._fail(f"GET {path}: more than {PER_PAGE * _MOST_PAGES:,} entries")

    def query(self, path: str, query: str, variables: Mapping[str, str]) -> Any:
        """Send a GraphQL query that may be sent again; return its data."""
        data = self.call("POST", path, {"query": query, "variables": variables}).data
        errors = data.get("errors") if isinstance(data, dict) else None
        if not errors and isinstance(data, dict):
            return data.get("data")
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        message = f"POST {path}: {first.get('message') or 'the response has no data'}"
        if first.get("type") in ("FORBIDDEN", "INSUFFICIENT_SCOPES"):
            raise AuthError(rules.DENIED(self._token.scrub(message)))
        raise self._fail(message)

    def _find_wait(
        self, attempt: int, sent: Response | TransportError, *, creates: bool
    ) -> float | None:
        """Return the seconds before the next attempt; None if there is none."""
        if attempt >= ATTEMPTS:
            return None
        pause = _find_pause(sent, self._clock.now())
        if pause is not None:
            return max(1.0, pause) if pause <= _LONGEST_PAUSE else None
        if creates:
            return None
        permanent = isinstance(sent, TransportError) and sent.permanent
        return wait_before_retry(attempt, Attempt(sent.status, permanent), self._clock.chance())

    def _read(self, sent: Response | TransportError, what: str, *, creates: bool) -> Reply:
        if isinstance(sent, TransportError):
            if sent.rule is service.REDIRECTED:
                raise self._fail(f"{what}: {sent.message}", hint=_MOVED)
            raise self._fail(f"{what}: {sent.message}", uncertain=creates)
        data = _parse(sent.body)
        if 200 <= sent.status < 300:
            return Reply(data, sent.headers)
        said = data.get("message") if isinstance(data, dict) else None
        reason = f": {said}" if isinstance(said, str | dict | list) else ""
        message = f"{what}: {self._name} answered {sent.status}{reason}"
        if _find_pause(sent, self._clock.now()) is not None:
            raise self._fail(f"{message} (rate limit)")
        if sent.status in (401, 403):
            raise AuthError(rules.DENIED(self._token.scrub(message)))
        if sent.status == 404:
            raise self._fail(message, hint=_HIDDEN)
        raise self._fail(message, uncertain=creates and sent.status >= 500)

    def _fail(self, message: str, *, uncertain: bool = False, hint: str = "") -> ServiceError:
        kind = UncertainError if uncertain else ServiceError
        return kind(rules.NOT_PUBLISHED(self._token.scrub(message), hint=hint))


def _parse(body: bytes) -> Any:
    """Return a JSON body; None for none, and for one that is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _find_pause(sent: Response | TransportError, now: float) -> float | None:
    """Return the seconds that a rate limit asks to wait; None where there is no rate limit.

    Source: GitHub's "Rate limits for the REST API": a 403 or 429 with `retry-after`, or with
    `x-ratelimit-remaining: 0` and the end in `x-ratelimit-reset`. GitLab answers 429.
    """
    headers, status = sent.headers, sent.status
    advised = _number(headers.get("retry-after"))
    spent = headers.get("x-ratelimit-remaining") == "0"
    if status != 429 and not (status == 403 and (advised is not None or spent)):
        return None
    if advised is not None:
        return advised
    reset = _number(headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset"))
    return max(0.0, reset - now) if reset is not None else 60.0


def _number(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
