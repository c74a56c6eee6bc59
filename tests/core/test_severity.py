"""What a line costs, on the one scale of plan and drift."""

from __future__ import annotations

import pytest
from core.worlds import OWNING, declare, lines, live, priced, retire, stopped

from reconciler.model.project import Policy

REPORTING = Policy()
ODD = live(formula="count")


@pytest.mark.parametrize(
    ("want", "meters", "prices", "policy", "cost"),
    [
        (declare(), [], (), OWNING, "revenue"),
        (declare(), [stopped()], (), OWNING, "revenue"),
        (declare(), [stopped(formula="count")], (), OWNING, "revenue"),
        (declare(), [stopped(formula="count")], ("p@mtr_i",), OWNING, "revenue"),
        (declare(), [ODD], (), OWNING, "high"),
        (declare(retires=("mtr_a",)), [ODD], (), OWNING, "high"),
        (declare(), [live(), live("mtr_b")], (), OWNING, "high"),
        (declare(display="New"), [live()], (), OWNING, "low"),
        (declare(), [live(), stopped()], (), OWNING, "none"),
        (retire(), [live()], (), OWNING, "low"),
        (retire(), [ODD], (), OWNING, "high"),
        (retire(), [stopped()], (), OWNING, "none"),
        (retire(), [], (), OWNING, "none"),
        (None, [live()], (), REPORTING, "low"),
        (None, [live()], ("p@mtr_a",), REPORTING, "high"),
        (None, [live()], ("p@mtr_a",), OWNING, "revenue"),
        (retire(), [live()], ("p@mtr_a",), OWNING, "revenue"),
        (retire(accepts=("p",)), [live()], ("p@mtr_a",), OWNING, "low"),
        (declare(retires=("mtr_a",)), [ODD], ("p@mtr_a",), OWNING, "revenue"),
        (None, [stopped()], (), OWNING, "none"),
    ],
)
def test_how_bad_a_difference_is(want, meters, prices, policy, cost):
    """Revenue: usage is being lost; high: a person must act; low: names and tidiness."""
    (line,) = lines([want] if want else [], meters, priced(*prices), policy)
    assert str(line.severity) == cost
