"""Convert what Python programs have to the text of a meter event; raise ServiceError (S045)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from ...diagnostics.codes import service
from ...diagnostics.errors import ServiceError
from ...timestamps import LATEST

_MOST_DIGITS = 100  # characters that a value may have


def to_text(name: str, value: object) -> str:
    """Return a text that is not empty and can be encoded."""
    if not isinstance(value, str):
        raise _reject(f"{name} is of type {type(value).__name__}, not a string")
    if not value:
        raise _reject(f"{name} is empty")
    if not _is_encodable(value):
        raise _reject(f"{name} contains a lone surrogate")
    return value


def to_payload(payload: Mapping[str, str | int | Decimal]) -> dict[str, str]:
    """Return a copy of a payload, whose values are strings."""
    if not isinstance(payload, Mapping):
        raise _reject(f"the payload is of type {type(payload).__name__}, not a mapping")
    return {
        to_text("a key of the payload", key): _format_value(key, value)
        for key, value in payload.items()
    }


def _format_value(key: str, value: object) -> str:
    """Format a value. A float is no exact number, and a bool is none at all."""
    place = f"the value of {key[:80]!a} in the payload"
    match value:
        case str():
            if not _is_encodable(value):
                raise _reject(f"{place} contains a lone surrogate")
            return value
        case bool():
            raise _reject(f"{place} is a bool: use int, Decimal or str")
        case int() if abs(value) < 10**_MOST_DIGITS:
            return str(value)
        case Decimal() if value.is_finite() and _count_digits(value) <= _MOST_DIGITS:
            whole = value == value.to_integral_value()
            return str(int(value)) if whole else format(value, "f")
        case int() | Decimal():
            raise _reject(f"{place} is not finite, or has more than {_MOST_DIGITS} digits")
    raise _reject(f"{place} is of type {type(value).__name__}: use int, Decimal or str")


def _count_digits(value: Decimal) -> int:
    """Count the digits of a finite number that is written without an exponent."""
    _, digits, exponent = value.as_tuple()
    return max(len(digits), len(digits) + exponent, -exponent) if isinstance(exponent, int) else 0


def to_seconds(name: str, moment: datetime | float) -> float:
    """Return Unix seconds. A time without a time zone is refused: it could be any of 24 hours."""
    match moment:
        case datetime():
            if moment.utcoffset() is None:
                raise _reject(f"{name} has no time zone: use datetime.now(UTC), for instance")
            return moment.timestamp()
        case bool():
            raise _reject(f"{name} is a bool, not a time")
        case int() | float() if math.isfinite(moment) and 0 <= moment <= LATEST:
            return moment
        case int() | float():
            raise _reject(f"{name} is {moment:.80g}, which is not a time in Unix seconds")
    raise _reject(f"{name} is of type {type(moment).__name__}: use datetime or Unix seconds")


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _reject(why: str) -> ServiceError:
    return ServiceError(service.INVALID_EVENT(why))
