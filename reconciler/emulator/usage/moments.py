"""Times as API v2 writes them: RFC 3339 in UTC, with milliseconds."""

from __future__ import annotations

import re
from calendar import monthrange, timegm

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_DAY = 24 * 3600


def format_moment(seconds: float) -> str:
    """Format Unix seconds, as in `2026-09-30T12:00:00.000Z`."""
    whole, fraction = divmod(round(seconds * 1000), 1000)
    days, second = divmod(whole, _DAY)
    year, month, day = find_date(days)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{year:04}-{month:02}-{day:02}T{clock}.{fraction:03}Z"


def parse_moment(text: str) -> float | None:
    """Parse a time to Unix seconds; None for text in another form, or for no such time."""
    found = _FORM.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    shift = int(f"{found[8] or '+'}1") * (int(found[9] or 0) * 3600 + int(found[10] or 0) * 60)
    return timegm((year, month, day, hour, minute, second)) - shift + float(found[7] or 0)


def find_date(days: int) -> tuple[int, int, int]:
    """Find the date that is a number of days after 1970-01-01."""
    era, left = divmod(days + 719_468, 146_097)  # of 400 years, from a first of March on
    year = (left - left // 1460 + left // 36_524 - left // 146_096) // 365
    left -= 365 * year + year // 4 - year // 100
    month = (5 * left + 2) // 153
    day = left - (153 * month + 2) // 5 + 1
    return era * 400 + year + (month > 9), (month + 2) % 12 + 1, day
