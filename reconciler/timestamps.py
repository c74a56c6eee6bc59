"""Format and parse times and durations: UTC and ISO 8601, independent of the locale."""

from __future__ import annotations

from datetime import UTC, datetime

LATEST = 253_402_300_799
"""The last second of the year 9999, in Unix seconds: later times cannot be formatted."""

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SECONDS = {name[0]: size for name, size in _UNITS}


def format_time(seconds: int) -> str:
    """Format Unix seconds as `2026-11-04T14:02:00Z`; later times than `LATEST` as `LATEST`."""
    return datetime.fromtimestamp(min(seconds, LATEST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_date(seconds: int) -> str:
    """Format the date of Unix seconds as `2026-11-04`."""
    return format_time(seconds)[:10]


def format_moment(seconds: float) -> str:
    """Format Unix seconds with milliseconds: `2026-11-04T14:02:00.250Z`."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{format_time(whole)[:-1]}.{milliseconds:03}Z"


def parse_moment(text: str) -> float | None:
    """Parse a time of API v2 (RFC 3339) to Unix seconds; None for text that is none."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.utcoffset() is None else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def parse_duration(text: str) -> int:
    """Return the seconds of a whole number and a unit: `30s`, `90m`, `24h`, `7d`."""
    return int(text[:-1]) * _SECONDS[text[-1]]


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
