"""Format times and durations."""

import pytest

from reconciler.timestamps import LATEST, format_date, format_duration, format_time


def test_times_are_formatted_in_utc():
    """In ISO 8601, whatever the time zone of the machine."""
    assert format_time(1_793_800_920) == "2026-11-04T14:02:00Z"
    assert format_time(0) == "1970-01-01T00:00:00Z"
    assert format_date(1_793_800_920) == "2026-11-04"


def test_times_after_the_year_9999():
    assert format_time(LATEST) == format_time(LATEST + 35 * 86_400) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 seconds"),
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3_600, "1 hour"),
        (3_601, "1 hour"),
        (7_260, "2 hours 1 minute"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (86_400 + 60, "1 day"),
        (3_024_000, "35 days"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert format_duration(seconds) == text
