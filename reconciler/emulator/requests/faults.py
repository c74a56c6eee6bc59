"""Injected faults: what goes wrong, before or after the effect, for which requests.

Written `KIND[:PHASE][:NAME=VALUE]...`, for instance `500:after:post=3`, `reset:n=7`,
`429:chance=0.1:reason=global-rate`, `latency=250ms:path=/v1/billing/meters/*`, `dup:post=1`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from ..errors import RequestError, SettingError
from ..messages import Phase, Request, Response
from ..settings import Settings, parse_duration, parse_whole


class Kind(StrEnum):
    """What goes wrong. Only a 500 comes from behind the idempotency layer and is stored."""

    LATENCY = "latency"
    RATE_LIMITED = "429"
    CONFLICT = "409"
    UNAUTHORIZED = "401"  # after the effect: a gateway on the way back
    FORBIDDEN = "403"
    FAILURE = "500"
    UNAVAILABLE = "503"
    GARBAGE = "garbage"  # HTML where JSON belongs
    TRUNCATED = "truncated"  # the right answer, cut in half
    RESET = "reset"
    TIMEOUT = "timeout"  # silence for `wait` seconds, then a reset
    DUPLICATE = "dup"  # the network delivers the request twice; the second answer arrives


class Fault(Struct, frozen=True, kw_only=True):
    """A rule; it applies to the requests that every given selector matches.

    `number` is the request's number overall; `nth` counts the requests that `method`, `path` (a
    glob) and `account` (the connected account that they name) match, from 1, since the fault was
    armed; `chance` is drawn from the seed and the request's number; `times` is the maximum number
    of applications. `wait` is seconds, for latency and timeout. `reason` is the
    Stripe-Rate-Limited-Reason of a 429 (None: no such header), `code` the error code of a 409 or
    429 (None: lock_timeout and rate_limit), `status` the HTTP status of garbage.
    """

    kind: Kind
    phase: Phase = Phase.BEFORE
    number: int | None = None
    method: str | None = None
    path: str | None = None
    account: str | None = None
    nth: int | None = None
    chance: float | None = None
    times: int | None = None
    wait: float = 60.0
    reason: str | None = None
    code: str | None = None
    status: int = 200
    should_retry: str | None = None

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """Parse a fault; raises SettingError naming the word that is wrong."""
        head, *words = spec.split(":")
        kind, equals, wait = head.partition("=")
        try:
            chosen: dict[str, Any] = {"kind": Kind(_parse_choice(kind, list(Kind)))}
            if equals or kind == Kind.LATENCY:
                chosen["wait"] = _parse_wait(kind, wait)
            for word in words:
                chosen |= _parse_word(word)
            if chosen["kind"] is Kind.DUPLICATE and "phase" in chosen:
                raise SettingError(f"a {kind} is neither before nor after the effect")
        except SettingError as error:
            raise SettingError(f"fault {spec!r}: {error}") from None
        return cls(**chosen)

    def __str__(self) -> str:
        timed = self.kind in (Kind.LATENCY, Kind.TIMEOUT)
        words = [f"{self.kind}={self.wait * 1000:.15g}ms" if timed else str(self.kind)]
        if self.phase is not Phase.BEFORE:
            words.append(self.phase)
        given = {name: getattr(self, field) for name, (field, _) in OPTIONS.items()}
        if self.status == 200:
            del given["status"]
        return ":".join(words + [f"{n}={value}" for n, value in given.items() if value is not None])

    @property
    def silence(self) -> float:
        """The seconds without an answer before the connection is closed."""
        return self.wait if self.kind is Kind.TIMEOUT else 0.0

    def matches(self, request: Request) -> bool:
        """Return whether the fault is for this method, path and connected account."""
        return (
            self.method in (None, request.method)
            and (self.path is None or fnmatchcase(request.path, self.path))
            and self.account in (None, request.headers.get("stripe-account"))
        )


class Armed:
    """An active fault and its counters."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.matched = 0
        self.applied = 0

    def count(self, number: int, request: Request, chance: float) -> bool:
        """Count one request and decide whether the fault applies to it."""
        fault = self.fault
        if not fault.matches(request):
            return False
        self.matched += 1
        hit = (
            fault.number in (None, number)
            and fault.nth in (None, self.matched)
            and (fault.chance is None or chance < fault.chance)
            and (fault.times is None or self.applied < fault.times)
        )
        self.applied += hit
        return hit


def draw(seed: int, which: int, number: int) -> float:
    """Draw a number in [0, 1) for the `which`-th fault and a request: the same in every run."""
    digest = hashlib.sha256(f"{seed}/{which}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _parse_wait(kind: str, word: str) -> float:
    if kind not in (Kind.LATENCY, Kind.TIMEOUT):
        raise SettingError(f"a {kind} takes no duration")
    return parse_duration(word)


def _parse_chance(word: str) -> float:
    try:
        chance = float(word)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise SettingError(f"{word!r} is not a chance from 0 to 1")
    return chance


def _parse_choice(word: str, choices: Iterable[str]) -> str:
    if word not in choices:
        raise SettingError(f"{word!r} is not one of {', '.join(choices)}")
    return word


_CODES = (
    *("lock_timeout", "idempotency_key_in_use", "rate_limit"),
    "too_many_concurrent_requests",
)

OPTIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "n": ("number", parse_whole),
    "nth": ("nth", parse_whole),
    "method": ("method", str.upper),
    "path": ("path", str),
    "account": ("account", str),
    "chance": ("chance", _parse_chance),
    "times": ("times", parse_whole),
    "reason": ("reason", str),
    "code": ("code", lambda word: _parse_choice(word, _CODES)),
    "status": ("status", parse_whole),
    "should_retry": ("should_retry", lambda word: _parse_choice(word, ("true", "false"))),
}


def _parse_word(word: str) -> dict[str, object]:
    name, equals, value = word.partition("=")
    if not equals and name in list(Phase):
        return {"phase": Phase(name)}
    if name == "post" and equals:
        return {"method": "POST", "nth": parse_whole(value)}
    if name not in OPTIONS or not value:
        known = ", ".join(["before", "after", "post=K", *(f"{n}=..." for n in OPTIONS)])
        raise SettingError(f"{word!r} is not one of {known}")
    field, read = OPTIONS[name]
    return {field: read(value)}


GARBAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
)


_DENIALS = {
    Kind.UNAUTHORIZED: "Invalid API Key provided.",
    Kind.FORBIDDEN: "The provided key does not have the required permissions for this endpoint.",
}


def apply_fault(
    fault: Fault, request: Request, response: Response, settings: Settings
) -> Response | None:
    """Return what the client receives instead of the response; None when it receives nothing.

    For a fault before the effect, the response has an empty body.
    """
    if fault.kind in (Kind.RESET, Kind.TIMEOUT):
        return None
    headers = dict(response.headers)
    if fault.kind is not Kind.TRUNCATED:
        headers.pop("Stripe-Should-Retry", None)  # the answer is no longer that of the execution
    if fault.should_retry:
        headers["Stripe-Should-Retry"] = fault.should_retry
    if fault.kind is Kind.GARBAGE:
        return Response(fault.status, GARBAGE, headers | {"Content-Type": "text/html"})
    if fault.kind is Kind.TRUNCATED:
        return Response(response.status, response.body[: len(response.body) // 2] or "{", headers)
    error = _build_error(fault, request, settings)
    body = error.render(v2=request.is_v2)
    return Response(error.status, body, headers | dict(error.headers))


def _build_error(fault: Fault, request: Request, settings: Settings) -> RequestError:
    if fault.kind is Kind.UNAVAILABLE:
        text = "Stripe is temporarily unavailable. Please try again later."
        return RequestError.internal(text, 503)
    if fault.kind is Kind.FAILURE:
        return RequestError.internal()
    if fault.kind in (Kind.UNAUTHORIZED, Kind.FORBIDDEN):
        return RequestError(int(fault.kind), _DENIALS[fault.kind])
    if fault.code == "idempotency_key_in_use":
        return RequestError.key_in_use(request.key or "", settings.key_in_use_error)
    if fault.code == "too_many_concurrent_requests":
        text = "Another meter event of this customer and meter is being processed. Try again later."
        return RequestError(int(fault.kind), text, fault.code)
    if fault.kind is Kind.RATE_LIMITED and fault.code != "lock_timeout":
        return RequestError.rate_limited(fault.reason)
    return RequestError.locked(int(fault.kind))
