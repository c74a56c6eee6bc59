"""What applying a change could cost."""

from __future__ import annotations

import pytest
from builders.worlds import OWNING, declare, existing, lines, priced, retire, stopped

from reconciler.planning.plan import sort_for_apply
from reconciler.planning.warnings import mark_renames

ODD = existing(formula="count")


@pytest.mark.parametrize(
    ("desired", "meters", "prices", "risk"),
    [
        (declare(), [], (), "none"),
        (declare(), [stopped()], (), "low"),
        (declare(), [stopped(formula="count")], (), "none"),
        (declare(), [ODD], ("p@mtr_a",), "none"),
        (declare(retires=("mtr_a",)), [ODD], (), "high"),
        (declare(retires=("mtr_a",)), [ODD], ("p@mtr_a",), "revenue"),
        (declare(retires=("mtr_a",), accepts=("p",)), [ODD], ("p@mtr_a",), "revenue"),
        (declare(retires=("mtr_a",)), [ODD, stopped()], ("p@mtr_i",), "high"),
        (declare(display="New"), [existing()], (), "none"),
        (declare(), [existing(), stopped()], (), "none"),
        (retire(), [existing()], (), "high"),
        (retire(), [existing()], ("p@mtr_a",), "revenue"),
        (retire(), [stopped()], (), "none"),
        (None, [existing()], (), "high"),
        (None, [existing()], ("p@mtr_a",), "revenue"),
        (None, [stopped()], (), "none"),
    ],
)
def test_risk_is_what_a_change_deactivates(desired, meters, prices, risk):
    """Revenue where prices use the meter; a routine create or update has none."""
    (change,) = lines([desired] if desired else [], meters, priced(*prices), OWNING)
    assert str(change.risk) == risk


def test_a_create_that_looks_like_a_rename_has_low_risk():
    """The undeclared meter keeps the prices, and the new one starts empty."""
    declared = [declare("calls_v2", display="Calls"), declare("other", formula="count")]
    changes = mark_renames(sort_for_apply(lines(declared, [existing()])))
    assert {change.event_name: str(change.risk) for change in changes} == {
        "calls": "high",
        "calls_v2": "low",
        "other": "none",
    }
