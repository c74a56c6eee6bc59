"""What a plan says besides its lines."""

from __future__ import annotations

import pytest
from builders.worlds import OWNING, declare, existing, lines, priced, retire, stopped

from reconciler.diagnostics.diagnostic import Level
from reconciler.model.price import Price, group_by_meter
from reconciler.model.project import Policy
from reconciler.planning import renames
from reconciler.planning.renames import find_renames
from reconciler.planning.warnings import plan_warnings

REPORTING = Policy()
NOW = 1_800_000_000
ODD = existing(formula="count")
SAID = {
    "nothing": (
        [declare(), declare("b", display="New"), retire("c"), retire("d")],
        [existing(), existing("mtr_b", "b"), existing("mtr_c", "c"), stopped("mtr_z", "z")],
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
    "prices on another twin": (
        [declare()],
        [stopped("mtr_1", formula="count")],
        ("p@mtr_1",),
        [("P002", "error", "use mtr_1, which differs (p on mtr_1)", "retires: [mtr_1]")],
    ),
    "prices on another twin of a replacement": (
        [declare(retires=("mtr_a",))],
        [ODD, stopped("mtr_1", formula="last")],
        ("p@mtr_1",),
        [("P002", "error", "use mtr_1, which differs (p on mtr_1)", "retires: [mtr_1]")],
    ),
    "prices on several twins": (
        [declare()],
        [stopped("mtr_1", at=2), stopped("mtr_2", at=1)],
        ("p@mtr_1", "q@mtr_2"),
        [("P003", "error", "(p on mtr_1, q on mtr_2)", "under `retires`")],
    ),
    "two active": (
        [declare()],
        [existing(), existing("mtr_b"), stopped("mtr_c")],
        (),
        [("P004", "error", "'calls' has 2 active meters: mtr_b, mtr_a", "Dashboard")],
    ),
    "two active, undeclared": (
        [],
        [existing(), existing("mtr_b")],
        (),
        [("P004", "warning", "'calls' has 2 active meters: mtr_b, mtr_a", "Dashboard")],
    ),
    "replaced by a new one": (
        [declare(retires=("mtr_a",))],
        [ODD],
        (),
        [("P102", "warning", "between deactivating mtr_a and activating the new meter", "senders")],
    ),
    "replaced by a twin": (
        [declare(retires=("mtr_a",))],
        [ODD, stopped("mtr_1")],
        (),
        [("P102", "warning", "between deactivating mtr_a and activating mtr_1", "senders")],
    ),
    "created beside twins": (
        [declare()],
        [stopped("mtr_1", formula="last", at=1), stopped("mtr_2", formula="count", at=2)],
        (),
        [("P103", "info", "inactive meters of this event_name: mtr_2, mtr_1", "")],
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_each_line_says_what_a_reviewer_must_know(case):
    """The code, how bad it is, the facts by id, and the way out."""
    wants, account, prices, expected = SAID[case]
    said = plan_warnings(lines(wants, account, priced(*prices), REPORTING), NOW)
    assert [(p.code, str(p.level)) for p in said] == [row[:2] for row in expected]
    for diagnostic, (_, _, message, hint) in zip(said, expected, strict=True):
        assert message in diagnostic.message
        assert hint in diagnostic.hint
        assert diagnostic.event_name == "calls"
        assert diagnostic.location == (wants[0].location if wants else None)


def test_a_difference_in_name_is_not_called_immutable():
    """A blocked line may be renamed as well; that is not what blocks it."""
    (said,) = plan_warnings(lines([declare(display="New")], [ODD]), NOW)
    assert "display_name" not in said.message


@pytest.mark.parametrize(
    ("old", "policy", "warned"),
    [
        (existing("mtr_a", "search_call"), REPORTING, True),
        (existing("mtr_a", "search_call"), OWNING, True),
        (existing("mtr_a", "zzz", display="Search_Calls"), REPORTING, True),
        (existing("mtr_a", "zzz"), REPORTING, False),
        (existing("mtr_a", "search_call", formula="count"), REPORTING, False),
        (existing("mtr_a", "search_call", window="day"), REPORTING, False),
        (stopped("mtr_a", "search_call"), REPORTING, False),
    ],
    ids=[
        "alike",
        "stopped for it",
        "same display_name",
        "another name",
        "formula",
        "window",
        "retired",
    ],
)
def test_a_new_meter_that_looks_like_a_rename_warns(old, policy, warned):
    """Of an active undeclared meter with the same settings."""
    said = plan_warnings(lines([declare("search_calls")], [old], policy=policy), NOW)
    assert [p.code for p in said] == (["P101"] if warned else [])
    assert all(old.id in p.message and p.level is Level.WARNING for p in said)


def test_of_several_with_the_same_settings_only_a_like_name_is_told():
    """The defaults are everybody's settings: a first meter is no rename of any other."""
    account = [existing("mtr_1", "xxx"), existing("mtr_2", "yyy")]
    assert plan_warnings(lines([declare("search_calls")], account, policy=REPORTING), NOW) == ()


def test_the_rename_named_is_the_likeliest():
    """Of several that are gone, the one that is most like the new one."""
    account = [
        existing("mtr_1", "search_cal"),
        existing("mtr_2", "search_call"),
        existing("mtr_3", "sea"),
    ]
    (said,) = plan_warnings(lines([declare("search_calls")], account, policy=REPORTING), NOW)
    assert "mtr_2" in said.message


def test_a_declared_meter_is_never_taken_for_the_old_name():
    """Both names are declared, so that nothing was renamed."""
    changes = lines(
        [declare("search_calls"), retire("search_call")], [existing("mtr_a", "search_call")]
    )
    assert plan_warnings(changes, NOW) == ()


def test_a_thousand_renames_are_found_with_few_comparisons(monkeypatch):
    """The comparisons of each new meter are bounded, however many undeclared meters there are."""
    compared, similarity = [], renames._similarity
    monkeypatch.setattr(
        renames, "_similarity", lambda *names: compared.append(names) or similarity(*names)
    )
    account = [existing(f"mtr_{n}", f"use_{n * 7919:07}", display=f"Old {n}") for n in range(1000)]
    wants = [declare(f"user_{n * 7919:07}", display=f"New {n}") for n in range(1000)]
    found = find_renames(lines(wants, account, policy=REPORTING))
    assert len(found) == 1000
    assert sum(name[5:] == former.event_name[4:] for name, former in found.items()) > 950
    assert len(compared) <= 600_000


def test_a_meter_that_keeps_its_display_name_is_found_among_a_thousand():
    """However little the two event_names have in common."""
    account = [existing(f"mtr_{n}", f"old_{n:04}", display=f"Old {n}") for n in range(1000)]
    (said,) = plan_warnings(
        lines([declare("zzz", display="Old 567")], account, policy=REPORTING), NOW
    )
    assert "(mtr_567)" in said.message


def test_all_the_prices_of_one_meter_are_gathered_in_one_pass():
    """However many; their order stays."""
    prices = [Price(f"price_{n}", "mtr_a") for n in range(40_000)]
    assert group_by_meter(iter(prices)) == {"mtr_a": tuple(prices)}


def test_an_unusual_event_name_is_warned_of_only_where_the_meter_is_created():
    """A meter that exists shows that the name works."""
    changes = lines(
        [declare("a b"), declare("c d"), declare("é"), retire("e f")],
        [existing("mtr_c", "c d"), stopped("mtr_e", "é")],
    )
    (warning,) = (each for each in plan_warnings(changes, NOW) if each.code == "C022")
    assert (warning.code, warning.level, warning.event_name) == ("C022", Level.WARNING, "a b")
    assert "'a b' contains characters other than" in warning.message


DAY = 86_400
SINCE = 1_790_000_000


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (SINCE + 3 * DAY, "(3 days); lost usage can be re-sent until 2026-10-26T14:13:20Z"),
        (SINCE + 35 * DAY, "(35 days); lost usage of the last 35 days can be re-sent"),
    ],
)
def test_a_reactivation_says_since_when_the_meter_was_inactive(now, said):
    """And until when lost usage can be sent again."""
    (diagnostic,) = plan_warnings(lines([declare()], [stopped("mtr_i", at=SINCE)]), now)
    since = "'calls' (mtr_i) has been inactive since 2026-09-21T14:13:20Z "
    end = ", unless its invoice is finalized earlier"
    assert diagnostic.message == since + said + end
    assert (diagnostic.code, diagnostic.level) == ("P105", Level.WARNING)
