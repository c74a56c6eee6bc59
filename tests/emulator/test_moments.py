"""Times of API v2."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.usage.moments import format_moment, parse_moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_is_formatted_as_the_calendar_has_it(milliseconds):
    text = format_moment(milliseconds / 1000)
    known = EPOCH + timedelta(milliseconds=milliseconds)
    assert text == known.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert round(parse_moment(text) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01.5z", 1.5),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("2024-02-29T00:00:00.000000Z", 1_709_164_800),
    ],
)
def test_a_time_is_parsed(text, seconds):
    assert parse_moment(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "1790000000", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
     "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00", "2026-01-01",
     "0000-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n"],
)  # fmt: skip
def test_other_text_is_no_time(text):
    assert parse_moment(text) is None
