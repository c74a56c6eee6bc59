"""Meters with names that make code difficult."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.report.generated import CodeMeter

_ALPHABETS = ("ab_", "abAB019_.-", "ab\"\\'`$*/ ${}!", "aäß日😀")
TEXTS = st.one_of(*(st.text(alphabet, min_size=1, max_size=100) for alphabet in _ALPHABETS)).filter(
    lambda text: text == text.strip()
)
WORDS = ["class", "def", "meter_event", "build", "_", "1st", "MeterEvent", "a_b", "a.b", "NaN"]
METERS = st.builds(
    CodeMeter,
    event_name=TEXTS | st.sampled_from(WORDS),
    display_name=TEXTS,
    formula=st.sampled_from(["sum", "last"]),
    customer_key=TEXTS.map("c{}".format),
    value_key=TEXTS.map("v{}".format) | st.none(),
    deprecated=st.booleans(),
)
SETS = st.lists(METERS, max_size=30, unique_by=lambda meter: meter.event_name).map(tuple)


def build_meter(event_name: str, **facts: object) -> CodeMeter:
    """Return a meter with payload keys of its own."""
    known = {"display_name": "Calls", "formula": "sum", "customer_key": "c", "value_key": "v"}
    return CodeMeter(event_name=event_name, **{**known, "deprecated": False, **facts})
