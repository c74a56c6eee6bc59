"""What a line costs, on the one scale of plan and drift."""

from __future__ import annotations

import pytest
from core.worlds import OWNING, declare, existing, lines, priced, retire, stopped

from reconciler.model.project import Policy

REPORTING = Policy()
ODD = existing(formula="count")


@pytest.mark.parametrize(
    ("desired", "meters", "prices", "policy", "cost"),
    [
        (declare(), [], (), OWNING, "revenue"),
        (declare(), [stopped()], (), OWNING, "revenue"),
        (declare(), [stopped(formula="count")], (), OWNING, "revenue"),
        (declare(), [stopped(formula="count")], ("p@mtr_i",), OWNING, "revenue"),
        (declare(), [ODD], (), OWNING, "high"),
        (declare(retires=("mtr_a",)), [ODD], (), OWNING, "high"),
        (declare(), [existing(), existing("mtr_b")], (), OWNING, "high"),
        (declare(display="New"), [existing()], (), OWNING, "low"),
        (declare(), [existing(), stopped()], (), OWNING, "none"),
        (retire(), [existing()], (), OWNING, "low"),
        (retire(), [ODD], (), OWNING, "high"),
        (retire(), [stopped()], (), OWNING, "none"),
        (retire(), [], (), OWNING, "none"),
        (None, [existing()], (), REPORTING, "low"),
        (None, [existing()], ("p@mtr_a",), REPORTING, "high"),
        (None, [existing()], ("p@mtr_a",), OWNING, "revenue"),
        (retire(), [existing()], ("p@mtr_a",), OWNING, "revenue"),
        (retire(accepts=("p",)), [existing()], ("p@mtr_a",), OWNING, "low"),
        (declare(retires=("mtr_a",)), [ODD], ("p@mtr_a",), OWNING, "revenue"),
        (None, [stopped()], (), OWNING, "none"),
    ],
)
def test_how_bad_a_difference_is(desired, meters, prices, policy, cost):
    """Revenue: usage is being lost; high: a person must act; low: names and tidiness."""
    (line,) = lines([desired] if desired else [], meters, priced(*prices), policy)
    assert str(line.severity) == cost
