"""Format and parse times and durations: UTC and ISO 8601, independent of the locale."""

from __future__ import annotations

from datetime import UTC, datetime

LATEST = 253_402_300_799
"""The last second of the year 9999, in Unix seconds: later times cannot be formatted."""

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def format_time(seconds: int) -> str:
    """Format Unix seconds as `2026-11-04T14:02:00Z`; later times than `LATEST` as `LATEST`."""
    return datetime.fromtimestamp(min(seconds, LATEST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> int | None:
    """Parse an RFC 3339 time as Unix seconds, without an offset as UTC; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LATEST else None


def format_date(seconds: int) -> str:
    """Format the date of Unix seconds as `2026-11-04`."""
    return format_time(seconds)[:10]


def format_duration(seconds: int) -> str:
    """Format a duration in its two largest units: `3 days 4 hours`, `5 minutes`; never negative."""
    left, parts = max(0, seconds), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 seconds"
