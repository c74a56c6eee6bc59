"""What an answer means: a reply, or a typed error; and what another try depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from ..diagnostics.codes import service
from .codec import MalformedError
from .errors import (
    ConnectionFailedError,
    ResponseInfo,
    StripeError,
    UnexpectedAnswerError,
    kind_of,
)
from .exchange import Response, TransportError
from .retry import Tried

T = TypeVar("T")

UNTRIED = ResponseInfo(attempts=0)
"""Before the first try of a request."""

Scrub = Callable[[str], str]
"""Makes foreign words fit to be shown: without the key and control characters."""

_REQUEST_ID = re.compile(r"req_[A-Za-z0-9_-]{1,100}")
_SECONDS = re.compile(r"\d{1,6}(\.\d{1,6})?")
_ADVICE = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx answer: its JSON object, and the circumstances in which it came."""

    body: Mapping[str, Any]
    about: ResponseInfo

    def read(self, how: Callable[[Mapping[str, Any]], T]) -> T:
        """The body as a noun; raises UnexpectedAnswerError where it is not what was promised."""
        try:
            return how(self.body)
        except MalformedError as error:
            raise UnexpectedAnswerError(str(error), _unseen(self.about)) from None


def interpret(
    came: Response | TransportError, scrub: Scrub, before: ResponseInfo = UNTRIED
) -> tuple[Tried, Reply | StripeError]:
    """What one try came to, after those that `before` tells of."""
    about = _about(came, before)
    if isinstance(came, TransportError):
        kind = ConnectionFailedError if came.status is None else UnexpectedAnswerError
        return Tried(permanent=came.permanent), kind(scrub(came.message), about, came.rule)
    body = _json_object(came.body)
    if came.status >= 300:
        error = body.get("error") if body else None
        refusal = _refusal(about, error if isinstance(error, dict) else {}, scrub)
        return _tried(came, refusal.code), refusal
    if body is None:
        message = f"HTTP {came.status} with a body that is not a JSON object"
        return Tried(), UnexpectedAnswerError(message, _unseen(about), service.GARBLED)
    return _tried(came), Reply(body, about)


def _refusal(about: ResponseInfo, error: Mapping[str, Any], scrub: Scrub) -> StripeError:
    """The typed error of an answer that says no."""

    def said(name: str) -> str | None:
        value = error.get(name)
        return scrub(value) if isinstance(value, str) else None

    about = replace(about, type=said("type"), code=said("code"), param=said("param"))
    message = said("message") or f"HTTP {about.status} without an explanation"
    return kind_of(about.status or 0, about.type, about.code)(message, about)


def _about(came: Response | TransportError, before: ResponseInfo) -> ResponseInfo:
    """The circumstances of an answer; a request id that is none is left out."""
    given = came.headers.get("request-id", "")
    return ResponseInfo(
        status=came.status,
        request_id=given if _REQUEST_ID.fullmatch(given) else None,
        attempts=before.attempts + 1,
        replayed=_replayed(came),
        doubts=before.doubts + _doubtful(came),
        method=before.method,
        path=before.path,
        rate_limit=before.rate_limit,
    )


def _doubtful(came: Response | TransportError) -> bool:
    """Whether a request may have had an effect that its answer does not show.

    A rate limit, and whatever else is refused for good, comes before anything is executed;
    a conflict (409) says that a request with the same key may just be at it.
    """
    return isinstance(came, TransportError) or came.status >= 500 or came.status == 409


def _unseen(about: ResponseInfo) -> ResponseInfo:
    """The circumstances of an answer that said yes, and did not show what it did."""
    return replace(about, doubts=about.doubts + 1)


def _replayed(came: Response | TransportError) -> bool:
    """Whether the answer is the stored one of an earlier request with the same key."""
    return came.headers.get("idempotent-replayed", "").lower() == "true"


def _tried(came: Response, code: str | None = None) -> Tried:
    """What a full answer says about trying again.

    A 429 without a reason may be a lock on the object: only its code tells.
    """
    too_fast = came.status == 429 and code == "rate_limit"
    return Tried(
        status=came.status,
        advice=_ADVICE.get(came.headers.get("stripe-should-retry", "").lower()),
        pause=_pause(came.headers),
        limited=too_fast or "stripe-rate-limited-reason" in came.headers,
        replayed=_replayed(came),
    )


def _pause(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`, or from the answer's own `Date` until the one it names."""
    until = headers.get("retry-after", "")
    if _SECONDS.fullmatch(until):
        return float(until)
    try:
        moments = [parsedate_to_datetime(word) for word in (until, headers.get("date", ""))]
        return max(0.0, (moments[0] - moments[1]).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body holds; None for anything else."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
