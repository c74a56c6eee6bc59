"""Billing periods against the calendar of the standard library, and how metadata merges."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.resources.changes import find_previous, merge_metadata
from reconciler.emulator.subscriptions.periods import add_intervals, find_period

MOMENTS = st.integers(0, 4_000_000_000)
INTERVALS = st.sampled_from(["day", "week", "month", "year"])


@given(MOMENTS, INTERVALS, st.integers(1, 36), st.integers(0, 400_000_000))
def test_a_time_is_in_exactly_one_period(anchor, interval, count, later):
    start, end = find_period(anchor, interval, count, anchor + later)
    assert start <= anchor + later < end
    assert find_period(anchor, interval, count, end)[0] == end
    assert find_period(anchor, interval, count, start) == (start, end)


@given(MOMENTS, st.integers(0, 60))
def test_months_keep_the_day_where_there_is_one(anchor, count):
    before = datetime.fromtimestamp(anchor, UTC)
    after = datetime.fromtimestamp(add_intervals(anchor, "month", count), UTC)
    assert (after.year - before.year) * 12 + after.month - before.month == count
    assert after.time() == before.time()
    tomorrow = datetime.fromtimestamp(after.timestamp() + 86400, UTC)
    assert after.day == before.day or (after.day < before.day and tomorrow.day == 1)


NAMES = st.sampled_from("abc")
METADATA = st.dictionaries(NAMES, st.sampled_from(["", "1", "2"]))


@given(METADATA, METADATA)
def test_metadata_merges_and_its_event_undoes_it(old, asked):
    before = merge_metadata({}, old)
    after = merge_metadata(before, asked)
    for name in "abc":
        assert after.get(name) == ((asked[name] or None) if name in asked else before.get(name))
    changed = find_previous({"metadata": before}, {"metadata": after}).get("metadata", {})
    undo = {name: value or "" for name, value in changed.items()}
    assert merge_metadata(after, undo) == before
