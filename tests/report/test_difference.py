"""What differs between two plans: exactly what their hashes differ in."""

from __future__ import annotations

from builders.meters import decide_all, declare, existing, inactive, plan_of, retire
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.planning.plan import Target, seal
from reconciler.report.difference import compare_plans
from reconciler.report.report import PlanField

DECLARED = [
    declare("a"),
    declare("a", display="Other"),
    declare("a", formula="count"),
    declare("a", retires=("mtr_1",)),
    retire("a"),
    declare("b"),
]
EXISTING = [
    existing("mtr_1", "a"),
    existing("mtr_1", "a", formula="count"),
    existing("mtr_2", "a", display="Hand"),
    inactive("mtr_3", "a"),
    existing("mtr_4", "b", display="B"),
]


@st.composite
def plans(draw):
    declared = draw(
        st.lists(st.sampled_from(DECLARED), max_size=2, unique_by=lambda it: it.event_name)
    )
    account = draw(st.lists(st.sampled_from(EXISTING), max_size=3, unique_by=lambda it: it.id))
    made = plan_of(*decide_all(declared, account))
    target = Target(account_id=draw(st.sampled_from([None, "acct_1", "acct_2"])))
    return seal(replace(made, target=target))


@given(plans(), plans())
def test_plans_differ_where_their_hashes_do(one, other):
    differences = compare_plans(one, other)
    assert bool(differences) is (one.plan_hash != other.plan_hash)
    names = [each.event_name for each in differences]
    assert len(names) == len(set(names))
    for each in differences:
        assert all(field.approved != field.planned for field in each.fields)
        assert each.fields or each.approved is not each.planned
    back = compare_plans(other, one)
    assert [(each.approved, each.planned) for each in differences] == [
        (each.planned, each.approved) for each in back
    ]


def test_a_meter_that_only_one_plan_has_is_told_by_its_status():
    approved = plan_of(*decide_all([declare("a", display="New")], [existing("mtr_1", "a")]))
    planned = plan_of(*decide_all([declare("a", display="New")], [inactive("mtr_2", "a")]))
    (found,) = compare_plans(approved, planned)
    assert (found.approved, found.planned) == ("update", "reactivate")
    assert found.fields == (
        PlanField("existing", "mtr_1", "mtr_2"),
        PlanField("meters.mtr_1.status", "active", None),
        PlanField("meters.mtr_2.status", None, "inactive"),
    )


def test_what_a_guard_refuses_now_is_a_difference():
    (change,) = decide_all([declare("a", display="New")], [existing("mtr_1", "a")])
    refused = replace(change, refused_by=("G001", "G003"))
    (found,) = compare_plans(plan_of(change), plan_of(refused))
    assert found.fields == (PlanField("refused_by", None, "G001, G003"),)
