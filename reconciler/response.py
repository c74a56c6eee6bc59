"""What an answer means: a reply, or a typed error; and what another try depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .codes import service
from .errors import (
    Circumstances,
    ConnectionFailedError,
    StripeError,
    UnexpectedAnswerError,
    kind_of,
)
from .exchange import Broken, Incoming
from .retry import Tried
from .wire import MalformedError

T = TypeVar("T")

Scrub = Callable[[str], str]
"""Makes foreign words fit to be shown: without the key and control characters."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SECONDS = re.compile(r"\d{1,6}(\.\d{1,6})?")
_ADVICE = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx answer: its JSON object, and the circumstances in which it came."""

    body: Mapping[str, Any]
    about: Circumstances

    def read(self, how: Callable[[Mapping[str, Any]], T]) -> T:
        """The body as a noun; raises UnexpectedAnswerError where it is not what was promised."""
        try:
            return how(self.body)
        except MalformedError as error:
            raise UnexpectedAnswerError(str(error), self.about) from None


def judge(came: Incoming | Broken, attempt: int, scrub: Scrub) -> tuple[Tried, Reply | StripeError]:
    """What try number `attempt` came to."""
    if isinstance(came, Broken):
        return Tried(hopeless=came.hopeless), _no_answer(came, attempt, scrub)
    body = _json_object(came.body)
    if came.status >= 300:
        error = body.get("error") if body else None
        refusal = _refusal(came, error if isinstance(error, dict) else {}, attempt, scrub)
        return _tried(came), refusal
    about = _about(came, attempt)
    if body is None:
        message = f"HTTP {came.status} with a body that is not a JSON object"
        return Tried(), UnexpectedAnswerError(message, about, service.GARBLED)
    return _tried(came), Reply(body, about)


def _no_answer(came: Broken, attempt: int, scrub: Scrub) -> StripeError:
    """An exchange that failed before, or in the middle of, its answer."""
    kind = ConnectionFailedError if came.status is None else UnexpectedAnswerError
    return kind(scrub(came.message), _about(came, attempt), came.rule)


def _refusal(came: Incoming, error: Mapping[str, Any], attempt: int, scrub: Scrub) -> StripeError:
    """The typed error of an answer that says no."""

    def said(name: str) -> str | None:
        value = error.get(name)
        return scrub(value) if isinstance(value, str) else None

    about = _about(came, attempt, said("type"), said("code"), said("param"))
    message = said("message") or f"HTTP {came.status} without an explanation"
    return kind_of(came.status, about.type, about.code)(message, about)


def _about(
    came: Incoming | Broken,
    attempt: int,
    kind: str | None = None,
    code: str | None = None,
    param: str | None = None,
) -> Circumstances:
    """The circumstances of an answer; a request id that is none is left out."""
    given = came.headers.get("request-id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else None
    return Circumstances(came.status, kind, code, param, request_id, attempt, _replayed(came))


def _replayed(came: Incoming | Broken) -> bool:
    """Whether the answer is the stored one of an earlier request with the same key."""
    return came.headers.get("idempotent-replayed", "").lower() == "true"


def _tried(came: Incoming) -> Tried:
    """What a full answer says about trying again."""
    pause = came.headers.get("retry-after", "")
    return Tried(
        status=came.status,
        advice=_ADVICE.get(came.headers.get("stripe-should-retry", "").lower()),
        pause=float(pause) if _SECONDS.fullmatch(pause) else None,
        limited="stripe-rate-limited-reason" in came.headers,
        replayed=_replayed(came),
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body holds; None for anything else."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
