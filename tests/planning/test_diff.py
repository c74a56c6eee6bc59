"""The decision table of the design, row by row, and the comparison of fields below it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.decision_table import I1, I2, ODD1, OTHER, REPORTING, TABLE, A
from builders.worlds import OWNING, declare, existing, lines, plan_of, priced, retire, stopped
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.change import Action, FieldChange, Reason
from reconciler.model.match import match_meters
from reconciler.model.pattern import matches
from reconciler.planning.diff import decide, field_changes, price_dependencies


@pytest.mark.parametrize("row", TABLE)
def test_every_row_of_the_table(row):
    """One name, one line: what is done, why, with which meter; the rest are its twins."""
    desired, account, prices, policy, action, reason, existing, reactivates = TABLE[row]
    (line,) = lines([desired] if desired else [], account, priced(*prices), policy)
    acted = line.existing.id if line.existing else None
    woken = line.reactivates.id if line.reactivates else None
    assert (line.action, line.reason, acted, woken) == (action, reason, existing, reactivates)
    assert {meter.id for meter in line.existing_meters} == {meter.id for meter in account}
    assert len(line.existing_meters) == len(account)
    assert line.desired is desired
    assert line.event_name == "calls"
    assert {other.id for other in line.others} == {m.id for m in account} - {acted}


@pytest.mark.parametrize("row", TABLE)
def test_the_order_of_the_listing_decides_nothing(row):
    """Stripe lists newest first; a merge of two listings may come in any order."""
    desired, account, prices, policy, *_ = TABLE[row]
    wants = [desired] if desired else []
    forth = lines(wants, account, priced(*prices), policy)
    assert forth == lines(wants, account[::-1], priced(*prices), policy)


@pytest.mark.parametrize(
    ("first", "second", "woken"),
    [
        ((100, 50, "mtr_a"), (200, 40, "mtr_b"), "mtr_b"),
        ((100, 50, "mtr_b"), (100, 60, "mtr_a"), "mtr_a"),
        ((100, 50, "mtr_a"), (100, 50, "mtr_b"), "mtr_b"),
        ((None, 50, "mtr_b"), (1, 40, "mtr_a"), "mtr_a"),
    ],
    ids=["deactivated last", "tie: created last", "tie: id", "never said when"],
)
def test_of_same_twins_the_one_stopped_last_is_woken(first, second, woken):
    """Ties go to `created`, then to the id, so that every run picks the same one."""
    others = [stopped(id_, at=at, created=created) for at, created, id_ in (first, second)]
    (line,) = lines([declare()], others)
    assert line.existing
    assert line.existing.id == woken


@pytest.mark.parametrize(
    ("field", "path", "before", "after"),
    [
        ("formula", "default_aggregation.formula", "count", "sum"),
        ("value_key", "value_settings.event_payload_key", "tokens", "value"),
        ("customer_key", "customer_mapping.event_payload_key", "user", "stripe_customer_id"),
        ("window", "event_time_window", "day", None),
    ],
)
def test_every_immutable_field_blocks_and_is_named(field, path, before, after):
    """Only `display_name` can be updated; any other difference is never an update."""
    (line,) = lines([declare()], [existing(**{field: before})])
    assert line.action is Action.BLOCKED
    assert line.fields == (FieldChange(path, before, after),)


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
    ids=[
        *("rename", "wake and rename", "retire", "owned", "in sync", "create", "replace"),
        "retire what differs",
    ],
)
def test_a_line_names_what_changes_in_order_of_path(desired, account, fields):
    """Nothing is named that stays, and everything that will not."""
    (line,) = lines([desired] if desired else [], account)
    assert line.fields == tuple(FieldChange(*field) for field in fields)


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
    ids=[
        *("retire", "owned", "replace", "wake", "several twins", "blocked replacement"),
        *("differs", "differs, and a twin is in the way", "retired differs"),
    ],
)
def test_a_line_shows_the_prices_that_it_was_decided_on(desired, account, prices, named):
    """Of a meter that would stop, its own; of twins, those that point to one."""
    (line,) = lines([desired] if desired else [], account, priced(*prices))
    assert [price.id for price in line.prices] == named


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
        (declare(), [A, existing("mtr_b"), I1], OWNING, ()),
    ],
)
def test_prices_are_read_only_where_they_decide(desired, account, policy, ids):
    """Meters that a line would stop, or could with consent, and the twins to choose among."""
    (names,) = match_meters([desired] if desired else [], account)
    assert price_dependencies(names, policy) == ids


PRICES = st.sets(st.sampled_from(["mtr_a", "mtr_1", "mtr_2"])).map(
    lambda ids: priced(*(f"p_{id_}@{id_}" for id_ in sorted(ids)))
)


@given(row=st.sampled_from(sorted(TABLE)), prices=PRICES)
def test_prices_that_were_not_read_would_not_have_mattered(row, prices):
    """The line is the same whether all prices are known or only the ones asked for."""
    desired, account, _, policy, *_ = TABLE[row]
    (names,) = match_meters([desired] if desired else [], account)
    known = {id_: prices[id_] for id_ in price_dependencies(names, policy) if id_ in prices}
    line, informed = decide(names, known, policy), decide(names, prices, policy)
    same = ("action", "reason", "existing", "reactivates", "fields")
    assert [getattr(line, name) for name in same] == [getattr(informed, name) for name in same]
    if line.action.deactivates:
        assert line.prices == informed.prices


VALUES = st.one_of(st.none(), st.text(max_size=4))
MAPPING = st.fixed_dictionaries(
    {"a.b": VALUES, "a": VALUES, "display_name": VALUES, "é'\"]": VALUES}
)


@given(before=MAPPING, after=MAPPING)
def test_field_changes_names_exactly_what_differs(before, after):
    """Whatever stands in names and values: each difference once, by path, in order."""
    expected = [
        FieldChange(key, before[key], after[key])
        for key in sorted(before)
        if before[key] != after[key]
    ]
    assert list(field_changes(before, after)) == expected


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
    """Shell-style, case counts, any one of them is enough."""
    assert matches(name, patterns) is fits


def test_names_come_once_each_and_in_order():
    """From either side, and a reason is one of the stable words."""
    account = [
        existing("mtr_b", "b"),
        existing("mtr_a", "a"),
        stopped("mtr_c", "c"),
        stopped("mtr_d", "b"),
    ]
    names = match_meters([declare("d"), declare("b")], account)
    assert [each.event_name for each in names] == ["a", "b", "c", "d"]
    assert {row[5] for row in TABLE.values()} == set(Reason)


@pytest.mark.parametrize(
    ("account", "prices", "reactivates", "billing"),
    [
        ([existing("mtr_a", formula="last")], ["p@mtr_a"], None, ["p"]),
        ([existing("mtr_a", formula="last"), stopped("mtr_t")], ["p@mtr_a"], "mtr_t", ["p"]),
        (
            [existing("mtr_a", formula="last"), stopped("mtr_t")],
            ["p@mtr_a", "q@mtr_t"],
            "mtr_t",
            ["p"],
        ),
        (
            [existing("mtr_a", formula="last"), stopped("mtr_t", formula="count")],
            *(["p@mtr_a", "q@mtr_t"], None, ["p", "q"]),
        ),
    ],
    ids=["a new meter", "a twin", "a twin with a price", "a twin that is in the way"],
)
def test_a_blocked_line_knows_what_consent_would_bring(account, prices, reactivates, billing):
    """The meter that would take its place, and every price that would be left behind."""
    (line,) = lines([declare()], account, priced(*prices))
    assert (line.action, line.reactivates and line.reactivates.id) == (Action.BLOCKED, reactivates)
    assert [price.id for price in line.prices] == billing


def test_the_successor_of_a_blocked_line_is_no_part_of_its_meaning():
    """Nothing is woken: another twin leaves the approved hash as it is."""
    others = [stopped("mtr_1", at=1), stopped("mtr_2", at=2)]
    (line,) = lines([declare()], [existing("mtr_a", formula="last"), *others])
    other = replace(line, reactivates=others[0])
    assert line.reactivates == others[1]
    assert plan_of(line).plan_hash == plan_of(other).plan_hash
