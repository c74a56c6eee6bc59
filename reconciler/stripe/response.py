"""Interpret a response as a reply or a typed error, and decide what a retry depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import service
from ..model.request import Outcome, RequestRecord, may_have_effect, outcome_of
from .codec import MalformedError
from .errors import ConnectionFailedError, StripeError, UnexpectedAnswerError, select_error
from .http.connection import Response, TransportError
from .retry import Attempt

T = TypeVar("T")

Scrub = Callable[[str], str]
"""Removes the key and control characters from text of others."""

_REQUEST_ID = re.compile(r"req_[A-Za-z0-9_-]{1,100}")
_SECONDS = re.compile(r"[0-9]{1,300}(\.[0-9]{1,6})?")
_ADVICE = {"true": True, "false": False}


class Reply(Struct, frozen=True):
    """A 2xx response: its JSON object, the record of the request, and the bytes of the body.

    `sent_at` is the header with the server's time, `version` that of the API.
    """

    body: Mapping[str, Any]
    record: RequestRecord
    size: int = 0
    sent_at: str = ""
    version: str | None = None

    @property
    def date(self) -> float | None:
        """The time at which the server responded, in Unix seconds."""
        try:
            return float(_parse_date(self.sent_at).timestamp())
        except (ValueError, TypeError, OverflowError):
            return None

    def read(self, parse: Callable[[Mapping[str, Any]], T]) -> T:
        """Return the body as a noun; raise UnexpectedAnswerError if a promised field is missing."""
        try:
            return parse(self.body)
        except MalformedError as error:
            raise UnexpectedAnswerError(str(error), _mark_unreadable(self.record)) from None


def interpret(
    response: Response | TransportError,
    scrub: Scrub,
    before: RequestRecord,
    rate_limit: float | None = None,
    *,
    may_be_empty: bool = False,
) -> tuple[Attempt, Reply | StripeError]:
    """Return what one attempt came to, with the record of it and of the attempts `before`."""
    record = _extend(before, response, scrub)
    if isinstance(response, TransportError):
        kind = ConnectionFailedError if response.status is None else UnexpectedAnswerError
        error = kind(scrub(response.message), record, response.rule)
        return Attempt(permanent=response.permanent), error
    body = _parse_object(response.body or (b"{}" if may_be_empty else b""))
    if response.status >= 300:
        refusal = _build_error(record, (body or {}).get("error"), scrub, rate_limit)
        return _describe_attempt(response, refusal.code), refusal
    if body is None:
        message = f"HTTP {response.status} with a body that is not a JSON object"
        return Attempt(), UnexpectedAnswerError(message, _mark_unreadable(record), service.NOT_JSON)
    sent_at, version = map(response.headers.get, ("date", "stripe-version"))
    reply = Reply(body, record, len(response.body), sent_at or "", version)
    return _describe_attempt(response), reply


def _extend(
    before: RequestRecord, response: Response | TransportError, scrub: Scrub
) -> RequestRecord:
    """Return the record after one more attempt; a malformed request id is left out."""
    request_id = scrub(response.headers.get("request-id", ""))
    posted = before.operation.startswith("POST ")
    unseen = isinstance(response, TransportError) or may_have_effect(response.status, posted=posted)
    return replace(
        before,
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else None,
        attempts=before.attempts + 1,
        result=_read_outcome(response, posted=posted),
        status=response.status,
        replayed=_is_replayed(response),
        doubts=before.doubts + unseen,
    )


def _read_outcome(response: Response | TransportError, *, posted: bool) -> Outcome:
    """Return what an attempt proves; a 2xx whose body was rejected does not show the effect."""
    found = outcome_of(response.status, posted=posted)
    unreadable = isinstance(response, TransportError) and found is Outcome.CONFIRMED
    return Outcome.INDETERMINATE if unreadable else found


def _mark_unreadable(record: RequestRecord) -> RequestRecord:
    """Return the record of a 2xx response that does not show what was done."""
    return replace(record, result=Outcome.INDETERMINATE, doubts=record.doubts + 1)


def _build_error(
    record: RequestRecord, error: object, scrub: Scrub, rate_limit: float | None
) -> StripeError:
    """Return the typed error of a response that is none of 2xx."""
    fields = error.items() if isinstance(error, dict) else ()
    details = {name: scrub(value) for name, value in fields if isinstance(value, str)}
    message = details.get("message") or f"HTTP {record.status} without an explanation"
    kind = select_error(record.status or 0, details.get("type"), details.get("code"))
    return kind(message, record, details=details, rate_limit=rate_limit)


def _is_replayed(response: Response | TransportError) -> bool:
    return response.headers.get("idempotent-replayed", "").lower() == "true"


def _describe_attempt(response: Response, code: str | None = None) -> Attempt:
    """Return what a complete response says about a retry.

    A 429 without a reason may be a lock on the object, unless its code is that of a rate limit.
    """
    too_fast = response.status == 429 and code == "rate_limit"
    return Attempt(
        status=response.status,
        advice=_ADVICE.get(response.headers.get("stripe-should-retry", "").lower()),
        pause=_parse_retry_after(response.headers),
        limited=too_fast or "stripe-rate-limited-reason" in response.headers,
        replayed=_is_replayed(response),
    )


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`; a date counts from the response's own `Date`."""
    until = headers.get("retry-after", "")
    if _SECONDS.fullmatch(until):
        return float(until)
    if not until:
        return None
    try:
        end, start = map(_parse_date, (until, headers.get("date", "")))
        return max(0.0, float((end - start).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return None


def _parse_date(text: str) -> Any:
    """Return the datetime of a header; raise ValueError or TypeError for a malformed one."""
    from email.utils import parsedate_to_datetime  # 8 ms, before the first request

    return parsedate_to_datetime(text)


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
