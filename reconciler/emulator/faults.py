"""Faults on demand: what goes wrong, on which side of the effect, for which requests.

Written `KIND[:PHASE][:NAME=VALUE]...`, for instance `500:after:post=3`, `reset:n=7`,
`429:chance=0.1:reason=global-rate`, `latency=250ms:path=/v1/billing/meters/*`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from .errors import SettingError
from .messages import Phase, Request
from .settings import seconds, whole


class Kind(StrEnum):
    """What goes wrong. Only a 500 comes from behind the idempotency layer and is stored."""

    LATENCY = "latency"
    RATE_LIMITED = "429"
    CONFLICT = "409"
    FAILURE = "500"
    UNAVAILABLE = "503"
    GARBAGE = "garbage"  # HTML where JSON belongs
    TRUNCATED = "truncated"  # the right answer, cut in half
    RESET = "reset"
    TIMEOUT = "timeout"  # silence for `wait` seconds, then a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule. It applies to the requests that every given selector matches.

    `number` is the request's number overall; `nth` counts the requests that `method` and
    `path` (a glob) match, from 1, since the fault was armed; `chance` is drawn from the
    seed and the request's number; `times` is how often it applies at most. `wait` is
    seconds, for latency and timeout. `reason` is the Stripe-Rate-Limited-Reason of a 429
    (None: no such header), `code` the error code of a 409 or 429 (None: lock_timeout and
    rate_limit), `status` the HTTP status of garbage.
    """

    kind: Kind
    phase: Phase = Phase.BEFORE
    number: int | None = None
    method: str | None = None
    path: str | None = None
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
            chosen: dict[str, Any] = {"kind": _kind(kind)}
            if equals or kind == Kind.LATENCY:
                chosen["wait"] = _wait(kind, wait)
            for word in words:
                chosen |= _parse_word(word)
        except SettingError as error:
            raise SettingError(f"fault {spec!r}: {error}") from None
        return cls(**chosen)

    @property
    def silent(self) -> bool:
        """Whether it only delays."""
        return self.kind is Kind.LATENCY

    def matches(self, request: Request) -> bool:
        """Whether method and path are those of the rule."""
        return self.method in (None, request.method) and (
            self.path is None or fnmatchcase(request.path, self.path)
        )


class Armed:
    """An active fault, and what it has counted so far."""

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


def _kind(word: str) -> Kind:
    if word not in list(Kind):
        raise SettingError(f"{word!r} is not one of {', '.join(Kind)}")
    return Kind(word)


def _wait(kind: str, word: str) -> float:
    if kind not in (Kind.LATENCY, Kind.TIMEOUT):
        raise SettingError(f"a {kind} takes no duration")
    return seconds(word)


def _chance(word: str) -> float:
    try:
        chance = float(word)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise SettingError(f"{word!r} is not a chance from 0 to 1")
    return chance


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in choices:
            raise SettingError(f"{word!r} is not one of {', '.join(choices)}")
        return word

    return read


_NAMES: dict[str, tuple[str, Callable[[str], object]]] = {
    "n": ("number", whole),
    "nth": ("nth", whole),
    "method": ("method", str.upper),
    "path": ("path", str),
    "chance": ("chance", _chance),
    "times": ("times", whole),
    "reason": ("reason", str),
    "code": ("code", _one_of("lock_timeout", "idempotency_key_in_use", "rate_limit")),
    "status": ("status", whole),
    "should_retry": ("should_retry", _one_of("true", "false")),
}


def _parse_word(word: str) -> dict[str, object]:
    """Parse one word of a fault into the fields that it sets."""
    name, equals, value = word.partition("=")
    if not equals and name in list(Phase):
        return {"phase": Phase(name)}
    if name == "post" and equals:
        return {"method": "POST", "nth": whole(value)}
    if name not in _NAMES or not value:
        known = ", ".join(["before", "after", "post=K", *(f"{n}=..." for n in _NAMES)])
        raise SettingError(f"{word!r} is not one of {known}")
    field, read = _NAMES[name]
    return {field: read(value)}
