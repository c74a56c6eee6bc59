"""Errors, warnings and notes on the changes of a plan."""

from __future__ import annotations

import pytest
from builders.meters import OWNING, active_prices, decide_all, declare, existing, inactive, retire

from reconciler.diagnostics.diagnostic import Level
from reconciler.model.price import Price, group_by_meter
from reconciler.model.project import Policy
from reconciler.planning import renames
from reconciler.planning.renames import mark_renames
from reconciler.planning.warnings import plan_warnings

REPORTING = Policy()
NOW = 1_800_000_000
ODD = existing(formula="count")
CASES = {
    "nothing": (
        [declare(), declare("b", display="New"), retire("d")],
        [existing(), existing("mtr_b", "b"), existing("mtr_c", "c"), inactive("mtr_z", "z")],
        (),
        [],
    ),
    "differs": (
        [declare(display="New")],
        [ODD],
        (),
        [("P001", "error", "default_aggregation.formula: 'count' -> 'sum'", "retires: [mtr_a]")],
    ),
    "retired differs": (
        [retire()],
        [ODD],
        (),
        [("P005", "error", "default_aggregation.formula: 'count' -> 'sum'", "retires: [mtr_a]")],
    ),
    "prices on another meter": (
        [declare()],
        [inactive("mtr_1", formula="count")],
        ("p@mtr_1",),
        [("P002", "error", "are on mtr_1, which differs (p on mtr_1)", "retires: [mtr_1]")],
    ),
    "prices on another meter, replaced": (
        [declare(retires=("mtr_a",))],
        [ODD, inactive("mtr_1", formula="last")],
        ("p@mtr_1",),
        [("P002", "error", "are on mtr_1, which differs (p on mtr_1)", "retires: [mtr_1]")],
    ),
    "prices on several meters": (
        [declare()],
        [inactive("mtr_1", at=2), inactive("mtr_2", at=1)],
        ("p@mtr_1", "q@mtr_2"),
        [("P003", "error", "(p on mtr_1, q on mtr_2)", "under `retires`")],
    ),
    "two active": (
        [declare()],
        [existing(), existing("mtr_b"), inactive("mtr_c")],
        (),
        [("P004", "error", "'calls' has 2 active meters: mtr_b, mtr_a", "Dashboard")],
    ),
    "two active, undeclared": (
        [],
        [existing(), existing("mtr_b")],
        (),
        [("P004", "warning", "'calls' has 2 active meters: mtr_b, mtr_a", "Dashboard")],
    ),
    "deactivated without a listed price": (
        [retire(retires=("mtr_a",))],
        [ODD],
        (),
        [("P108", "info", "'calls': No prices found. Inline prices cannot be listed", "")],
    ),
    "replaced without a listed price": (
        [declare(retires=("mtr_a",))],
        [ODD],
        (),
        [
            ("P102", "warning", "activating the new meter", "senders"),
            ("P108", "info", "and may still use this meter.", "inline prices"),
        ],
    ),
    "replaced by a new one": (
        [declare(retires=("mtr_a",))],
        [ODD],
        ("p@mtr_a",),
        [("P102", "warning", "between deactivating mtr_a and activating the new meter", "senders")],
    ),
    "replaced by an inactive meter": (
        [declare(retires=("mtr_a",))],
        [ODD, inactive("mtr_1")],
        ("p@mtr_a",),
        [("P102", "warning", "between deactivating mtr_a and activating mtr_1", "senders")],
    ),
    "created beside inactive meters": (
        [declare()],
        [inactive("mtr_1", formula="last", at=1), inactive("mtr_2", formula="count", at=2)],
        (),
        [("P103", "info", "inactive meters of this event_name: mtr_2, mtr_1", "")],
    ),
}


def warn(wants, account, prices=(), policy=REPORTING, now=NOW):
    changes = mark_renames(decide_all(wants, account, active_prices(*prices), policy), now)
    return plan_warnings(changes, now)


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_explained_to_its_reviewer(case):
    """With the code, the level, the facts by id, and a hint."""
    wants, account, prices, expected = CASES[case]
    found = warn(wants, account, prices)
    assert [(each.code, str(each.level)) for each in found] == [row[:2] for row in expected]
    for diagnostic, (_, _, message, hint) in zip(found, expected, strict=True):
        assert message in diagnostic.message
        assert hint in diagnostic.hint
        assert diagnostic.event_name == "calls"
        assert diagnostic.location == (wants[0].location if wants else None)


def test_a_difference_in_display_name_is_not_called_immutable():
    (error,) = warn([declare(display="New")], [ODD])
    assert "display_name" not in error.message


@pytest.mark.parametrize(
    ("old", "policy", "warned"),
    [
        (existing("mtr_a", "search_call"), REPORTING, True),
        (existing("mtr_a", "search_call"), OWNING, True),
        (existing("mtr_a", "zzz", display="Search_Calls"), REPORTING, True),
        (existing("mtr_a", "zzz"), REPORTING, False),
        (existing("mtr_a", "search_call", formula="count"), REPORTING, False),
        (existing("mtr_a", "search_call", window="day"), REPORTING, False),
        (inactive("mtr_a", "search_call"), REPORTING, False),
    ],
)
def test_a_new_meter_that_looks_like_a_rename_warns(old, policy, warned):
    """That is of an active undeclared meter with the same settings."""
    found = warn([declare("search_calls")], [old], policy=policy)
    found = [each for each in found if each.code != "P108"]
    assert [each.code for each in found] == (["P101"] if warned else [])
    assert all(old.id in each.message and each.level is Level.WARNING for each in found)


@pytest.mark.parametrize(
    ("names", "renamed"),
    [(["xxx", "yyy"], None), (["search_cal", "search_call", "sea"], "search_call")],
)
def test_of_several_undeclared_meters_the_most_similar_is_the_renamed_one(names, renamed):
    """Equal settings alone do not make a rename: most meters have the defaults."""
    found = warn([declare("search_calls")], [existing(f"mtr_{name}", name) for name in names])
    assert [f"(mtr_{renamed})" in each.message for each in found] == ([True] if renamed else [])


def test_a_declared_meter_is_not_a_renamed_one():
    wants = [declare("search_calls"), retire("search_call")]
    (note,) = warn(wants, [existing("mtr_a", "search_call")], policy=OWNING)
    assert note.code == "P108"


def test_a_thousand_renames_are_found_with_few_comparisons(monkeypatch):
    """The comparisons of each new meter are bounded, however many undeclared meters there are."""
    compared, compare = [], renames._compare
    monkeypatch.setattr(
        renames, "_compare", lambda *names: compared.append(names) or compare(*names)
    )
    account = [existing(f"mtr_{n}", f"use_{n * 7919:07}", display=f"Old {n}") for n in range(1000)]
    wants = [declare(f"user_{n * 7919:07}", display=f"New {n}") for n in range(1000)]
    marked = mark_renames(decide_all(wants, account, policy=REPORTING), NOW)
    found = {c.event_name: c.renamed_from.event_name for c in marked if c.renamed_from}
    assert len(found) == 1000
    assert sum(name[5:] == former[4:] for name, former in found.items()) > 950
    assert len(compared) <= 600_000


def test_a_meter_that_keeps_its_display_name_is_found_among_a_thousand():
    """However different the two event_names are."""
    account = [existing(f"mtr_{n}", f"old_{n:04}", display=f"Old {n}") for n in range(1000)]
    (warning,) = warn([declare("zzz", display="Old 567")], account)
    assert "(mtr_567)" in warning.message


def test_prices_are_grouped_by_meter_in_their_order():
    """In one pass: an account can have many."""
    prices = [Price(f"price_{n}", "mtr_a") for n in range(40_000)]
    assert group_by_meter(iter(prices)) == {"mtr_a": tuple(prices)}


def test_an_unusual_event_name_is_warned_of_only_where_the_meter_is_created():
    """A meter that exists shows that the name works."""
    wants = [declare("a b"), declare("c d"), declare("é"), retire("e f")]
    found = warn(wants, [existing("mtr_c", "c d"), inactive("mtr_e", "é")])
    (warning,) = (each for each in found if each.code == "C022")
    assert (warning.level, warning.event_name) == (Level.WARNING, "a b")
    assert "'a b' contains characters other than" in warning.message


DAY = 86_400
SINCE = 1_790_000_000


@pytest.mark.parametrize(
    ("now", "resend"),
    [
        (SINCE + 3 * DAY, "(3 days); lost usage can be re-sent until 2026-10-26T14:13:20Z"),
        (SINCE + 35 * DAY, "(35 days); lost usage of the last 35 days can be re-sent"),
    ],
)
def test_a_reactivation_has_the_time_since_when_the_meter_was_inactive(now, resend):
    (diagnostic,) = warn([declare()], [inactive("mtr_i", at=SINCE)], now=now)
    since = "'calls' (mtr_i) has been inactive since 2026-09-21T14:13:20Z "
    assert diagnostic.message == f"{since}{resend}, unless its invoice is finalized earlier"
    assert (diagnostic.code, diagnostic.level) == ("P105", Level.WARNING)
