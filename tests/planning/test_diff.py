"""The decision table, and what a change carries: fields, prices, risk."""

from __future__ import annotations

import pytest
from builders.meters import (
    OWNING,
    active_prices,
    decide_all,
    declare,
    existing,
    inactive,
    plan_of,
    retire,
)
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from planning.decision_table import I1, I2, ODD1, OTHER, REPORTING, TABLE, A

from reconciler.model.change import Action, FieldChange, Reason
from reconciler.model.match import match_meters
from reconciler.model.pattern import matches
from reconciler.planning.diff import compare_fields, decide, list_price_dependencies
from reconciler.planning.renames import mark_renames


def decide_one(desired, account, prices=(), policy=OWNING):
    """Return the change of an account with one event_name."""
    wants = [desired] if desired else []
    (change,) = decide_all(wants, account, active_prices(*prices), policy)
    return change


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_every_case_of_the_table(case):
    """The order of the listing has no influence, and every existing meter is in the change once."""
    (change,) = decide_all(case.desired, case.account, case.prices, case.policy)
    meters = [change.existing, change.reactivates]
    decided = [change.action, change.reason, *(meter.id if meter else "-" for meter in meters)]
    assert decided == case.expected
    assert sorted(m.id for m in change.existing_meters) == sorted(m.id for m in case.account)
    assert [change.desired] == (case.desired or [None])
    assert change.event_name == "calls"
    assert (change,) == decide_all(case.desired, case.account[::-1], case.prices, case.policy)


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        ((100, 50, "mtr_a"), (200, 40, "mtr_b"), "mtr_b"),
        ((100, 50, "mtr_b"), (100, 60, "mtr_a"), "mtr_a"),
        ((100, 50, "mtr_a"), (100, 50, "mtr_b"), "mtr_b"),
        ((None, 50, "mtr_b"), (1, 40, "mtr_a"), "mtr_a"),
    ],
    ids=["deactivated last", "tie: created last", "tie: id", "no date"],
)
def test_of_same_meters_the_one_deactivated_last_is_reactivated(first, second, chosen):
    """Then the one created last, then by id, so that every run chooses the same one."""
    others = [inactive(id_, at=at, created=created) for at, created, id_ in (first, second)]
    assert decide_one(declare(), others).existing.id == chosen


@pytest.mark.parametrize(
    ("field", "path", "before", "after"),
    [
        ("formula", "default_aggregation.formula", "count", "sum"),
        ("value_key", "value_settings.event_payload_key", "tokens", "value"),
        ("customer_key", "customer_mapping.event_payload_key", "user", "stripe_customer_id"),
        ("window", "event_time_window", "day", None),
    ],
)
def test_a_difference_in_an_immutable_field_blocks_the_change(field, path, before, after):
    change = decide_one(declare(), [existing(**{field: before})])
    assert change.action is Action.BLOCKED
    assert change.fields == (FieldChange(path, before, after),)


@pytest.mark.parametrize(
    ("desired", "account", "fields"),
    [
        (declare(display="New"), [A], [("display_name", "Calls", "New")]),
        (
            declare(display="New"),
            [I1],
            [("display_name", "Calls", "New"), ("status", "inactive", "active")],
        ),
        (retire(display="New"), [A], [("status", "active", "inactive")]),
        (None, [A], [("status", "active", "inactive")]),
        (declare(), [A], []),
        (declare(), [], []),
        (
            declare(display="New", retires=("mtr_a",)),
            [OTHER],
            [("default_aggregation.formula", "count", "sum"), ("display_name", "Calls", "New")],
        ),
        (retire(), [OTHER], [("default_aggregation.formula", "count", "sum")]),
    ],
)
def test_a_change_has_the_fields_that_differ_in_order_of_path(desired, account, fields):
    assert decide_one(desired, account).fields == tuple(FieldChange(*field) for field in fields)


@pytest.mark.parametrize(
    ("desired", "account", "prices", "named"),
    [
        (retire(), [A], ("p@mtr_a", "q@mtr_x"), ["p"]),
        (None, [A], ("p@mtr_a",), ["p"]),
        (declare(retires=("mtr_a",)), [OTHER, I1], ("p@mtr_a", "q@mtr_1"), ["p"]),
        (declare(), [I1, I2], ("p@mtr_1", "q@mtr_1"), ["p", "q"]),
        (declare(), [I1, I2], ("p@mtr_1", "q@mtr_2"), ["q", "p"]),
        (declare(retires=("mtr_a",)), [OTHER, ODD1], ("p@mtr_1",), ["p"]),
        (declare(), [OTHER], ("p@mtr_a",), ["p"]),
        (declare(), [OTHER, ODD1], ("p@mtr_a", "q@mtr_1"), ["p", "q"]),
        (retire(), [OTHER], ("p@mtr_a",), ["p"]),
    ],
)
def test_a_change_has_the_prices_that_it_depends_on(desired, account, prices, named):
    """Those of a meter to deactivate, and those of inactive meters to choose from."""
    assert [price.id for price in decide_one(desired, account, prices).prices] == named


@pytest.mark.parametrize(
    ("desired", "account", "policy", "ids"),
    [
        (declare(), [A, I1, I2], OWNING, ()),
        (declare(display="New"), [A, I1], OWNING, ()),
        (declare(), [OTHER], OWNING, ("mtr_a",)),
        (declare(), [OTHER, I1], OWNING, ("mtr_a",)),
        (declare(), [OTHER, ODD1], OWNING, ("mtr_a", "mtr_1")),
        (retire(), [OTHER, ODD1], OWNING, ("mtr_a",)),
        (declare(), [], OWNING, ()),
        (declare(), [I1], OWNING, ()),
        (declare(), [ODD1], OWNING, ("mtr_1",)),
        (declare(), [I1, I2], OWNING, ("mtr_2", "mtr_1")),
        (declare(retires=("mtr_a",)), [OTHER], OWNING, ("mtr_a",)),
        (declare(retires=("mtr_a",)), [OTHER, I1], OWNING, ("mtr_a",)),
        (declare(retires=("mtr_a",)), [OTHER, ODD1], OWNING, ("mtr_a", "mtr_1")),
        (retire(), [A, I1], OWNING, ("mtr_a",)),
        (retire(), [I1], OWNING, ()),
        (None, [A, I1], OWNING, ("mtr_a",)),
        (None, [A, I1], REPORTING, ()),
        (declare(), [OTHER, existing("mtr_b"), I1], OWNING, ()),
        (retire(), [A, existing("mtr_b")], OWNING, ()),
        (None, [A, existing("mtr_b")], OWNING, ()),
    ],
)
def test_prices_are_read_only_where_a_change_depends_on_them(desired, account, policy, ids):
    (names,) = match_meters([desired] if desired else [], account)
    assert list_price_dependencies(names, policy) == ids


PRICES = st.sets(st.sampled_from(["mtr_a", "mtr_1", "mtr_2"])).map(
    lambda ids: active_prices(*(f"p_{id_}@{id_}" for id_ in sorted(ids)))
)


@given(case=st.sampled_from(list(TABLE.values())), prices=PRICES)
def test_prices_that_were_not_read_would_not_have_mattered(case, prices):
    (names,) = match_meters(case.desired, case.account)
    read = list_price_dependencies(names, case.policy)
    known = {id_: prices[id_] for id_ in read if id_ in prices}
    change, informed = decide(names, known, case.policy), decide(names, prices, case.policy)
    assert replace(change, prices=()) == replace(informed, prices=())
    if change.action.deactivates:
        assert change.prices == informed.prices


VALUES = st.one_of(st.none(), st.text(max_size=4))
MAPPING = st.fixed_dictionaries(
    {"a.b": VALUES, "a": VALUES, "display_name": VALUES, "é'\"]": VALUES}
)


@given(before=MAPPING, after=MAPPING)
def test_compare_fields_names_exactly_what_differs(before, after):
    """Whatever the names and values: each difference once, by path, in order."""
    expected = [
        FieldChange(key, before[key], after[key])
        for key in sorted(before)
        if before[key] != after[key]
    ]
    assert list(compare_fields(before, after)) == expected


@pytest.mark.parametrize(
    ("name", "patterns", "fits"),
    [
        ("ai_search", ["ai_*"], True),
        ("AI_search", ["ai_*"], False),
        ("ai_search", ["search", "ai_?earch"], True),
        ("ai_search", [], False),
        ("ai_search", ["ai_"], False),
        ("ai_a", ["ai_[ab]"], True),
    ],
)
def test_patterns_are_globs_over_the_whole_name(name, patterns, fits):
    assert matches(name, patterns) is fits


def test_every_declared_or_existing_name_is_matched_once_and_in_order():
    account = [
        existing("mtr_b", "b"),
        existing("mtr_a", "a"),
        inactive("mtr_c", "c"),
        inactive("mtr_d", "b"),
    ]
    names = match_meters([declare("d"), declare("b")], account)
    assert [each.event_name for each in names] == ["a", "b", "c", "d"]


def test_the_table_has_every_reason():
    assert {case.expected[1] for case in TABLE.values()} == set(Reason)


@pytest.mark.parametrize(
    ("others", "prices", "reactivates", "listed"),
    [
        ([], ["p@mtr_a"], None, ["p"]),
        ([inactive("mtr_t")], ["p@mtr_a"], "mtr_t", ["p"]),
        ([inactive("mtr_t")], ["p@mtr_a", "q@mtr_t"], "mtr_t", ["p"]),
        ([inactive("mtr_t", formula="last")], ["p@mtr_a", "q@mtr_t"], None, ["p", "q"]),
    ],
)
def test_a_blocked_change_has_what_consent_depends_on(others, prices, reactivates, listed):
    """The meter that would be reactivated, and every price that would be left behind."""
    change = decide_one(declare(), [OTHER, *others], prices)
    assert (change.reactivates and change.reactivates.id) == reactivates
    assert (change.action, [price.id for price in change.prices]) == (Action.BLOCKED, listed)


def test_the_successor_of_a_blocked_change_is_no_part_of_its_meaning():
    """Nothing is reactivated: the approved hash stays."""
    change = decide_one(declare(), [OTHER, I1, I2])
    assert change.reactivates == I2
    assert plan_of(change).plan_hash == plan_of(replace(change, reactivates=I1)).plan_hash


@pytest.mark.parametrize(
    ("desired", "account", "prices", "risk"),
    [
        (declare(), [], (), "none"),
        (declare(), [I1], (), "low"),
        (declare(), [ODD1], (), "none"),
        (declare(), [OTHER], ("p@mtr_a",), "none"),
        (declare(retires=("mtr_a",)), [OTHER], (), "high"),
        (declare(retires=("mtr_a",)), [OTHER], ("p@mtr_a",), "revenue"),
        (declare(retires=("mtr_a",), accepts=("p",)), [OTHER], ("p@mtr_a",), "revenue"),
        (declare(retires=("mtr_a",)), [OTHER, I1], ("p@mtr_1",), "high"),
        (declare(display="New"), [A], (), "none"),
        (declare(), [A, I1], (), "none"),
        (retire(), [A], (), "high"),
        (retire(), [A], ("p@mtr_a",), "revenue"),
        (retire(), [I1], (), "none"),
        (None, [A], ("p@mtr_a",), "revenue"),
        (None, [I1], (), "none"),
    ],
)
def test_the_risk_of_a_change_is_what_it_deactivates(desired, account, prices, risk):
    assert decide_one(desired, account, prices).risk == risk


def test_a_new_meter_that_looks_like_a_rename_has_low_risk():
    """Also one that has inactive meters of its own event_name, in another form."""
    declared = [declare(name, display="Calls") for name in ("calls_v2", "calls_v3")]
    declared.append(declare("other", formula="count"))
    account = [existing(), inactive("mtr_3", "calls_v3", formula="count")]
    changes = mark_renames(decide_all(declared, account), 0)
    assert {change.event_name: str(change.risk) for change in changes} == {
        "calls": "high",
        "calls_v2": "low",
        "calls_v3": "low",
        "other": "none",
    }
