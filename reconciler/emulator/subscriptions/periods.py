"""Billing periods: from an anchor on, by days, weeks, months and years, in UTC."""

from __future__ import annotations

from calendar import monthrange, timegm

from ..usage.moments import find_date

_DAY = 24 * 3600
_LONGEST = {"day": _DAY, "week": 7 * _DAY, "month": 31 * _DAY, "year": 366 * _DAY}


def add_intervals(moment: int, interval: str, count: int) -> int:
    """Add intervals to a time; a day that a month does not have is its last one."""
    if interval in ("day", "week"):
        return moment + count * _LONGEST[interval]
    days, second = divmod(moment, _DAY)
    year, month, day = find_date(days)
    months = 12 * year + month - 1 + count * (12 if interval == "year" else 1)
    year, month = months // 12, months % 12 + 1
    return timegm((year, month, min(day, monthrange(year, month)[1]), 0, 0, 0)) + second


def find_period(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """Find the period that a time from the anchor on is in: its start, and its end."""
    n = max(0, at - anchor) // (_LONGEST[interval] * count)
    while (end := add_intervals(anchor, interval, (n + 1) * count)) <= at:
        n += 1
    return add_intervals(anchor, interval, n * count), end
