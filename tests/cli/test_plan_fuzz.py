"""Whatever passes `validate` can be planned: a report by its schema, a saved plan that loads."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from cli.test_validate_fuzz import called
from hypothesis import given
from hypothesis import strategies as st
from published import held

from reconciler.planning.plan_file import load_plan

_WORDS = (
    st.sampled_from(["null", "~", "on", "123", "1e3", "2020-01-01", "", "max", "'x", '"\\u202ex"'])
    | st.text(max_size=110).map(json.dumps)
    | st.text("\"'\\u {}[]:,#&*!|>%@`-?=~nsum", max_size=8)
)
_FILE = """version: 1
allow_unknown_values: true
meters:
  - event_name: {}
    display_name: {}
    default_aggregation: {{formula: {}}}
    event_time_window: {}
    customer_mapping: {{type: {}, event_payload_key: {}}}
"""
_LOCAL = "version: 1\naccounts: {local: {emulator: state.json}}\n"


def _mostly(sound: str) -> st.SearchStrategy[str]:
    return st.just(sound) | st.just(sound) | _WORDS


@given(
    st.tuples(
        _mostly("a"), _mostly("A"), _mostly("sum"), _mostly("day"), _mostly("by_id"), _mostly("k")
    )
)
def test_what_is_valid_can_be_planned_saved_and_loaded(words):
    """The account has no meters: Stripe would judge the values on create."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "m.yaml").write_text(_FILE.format(*words), "utf-8", "replace")
        (folder / "reconciler.yaml").write_text(_LOCAL, "utf-8")
        code, _, _ = called("validate", folder)
        saved = folder / "plan"
        ended, out, _ = called("plan", folder, "--format", "json", "--save", saved)
        report = held(out)
        assert ended == code == report["exit_code"]
        if not code:
            (line,) = load_plan(saved.read_text("utf-8"), "plan").changes
            assert line.event_name == report["accounts"][0]["changes"][0]["event_name"]
