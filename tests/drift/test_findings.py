"""The audit's table: which state of a name is which finding, how bad, and what is to be done."""

from __future__ import annotations

import pytest
from builders.meters import COMMANDS, OWNING, active_prices, declare, existing, inactive, retire

from reconciler.diagnostics.codes import CATALOGUE
from reconciler.drift.findings import DriftInput, inspect
from reconciler.model.event import RESEND
from reconciler.model.finding import Kind, Severity
from reconciler.model.match import match_meters
from reconciler.model.project import Policy

NOW = 1_790_000_000  # 2026-09-21T14:13:20Z
HOUR = 3600
APPLY = "reconciler apply --account test --only calls"
LOW, HIGH, REVENUE = Severity.LOW, Severity.HIGH, Severity.REVENUE


def take_snapshot(declared=(), account=(), prices=(), policy=None, now=NOW):
    """The one line of an account in which there is one name."""
    known = DriftInput(
        commands=COMMANDS, policy=policy or Policy(), prices=active_prices(*prices), now=now
    )
    (names,) = match_meters(declared, account)
    return inspect(names, known)


TABLE = {
    "in sync": ([declare()], [existing()], [], [], []),
    "in sync with a price": ([declare()], [existing()], ["p@mtr_a"], [], []),
    "retired, as declared": ([retire()], [inactive()], [], [], []),
    "retired, never made": ([retire()], [], [], [], []),
    "retired, no file speaks of it": ([], [inactive()], [], [], []),
    "stopped": ([declare()], [inactive()], [], [("inactive", REVENUE)], [APPLY]),
    "stopped, with a price: told once": (
        [declare()],
        [inactive()],
        ["p@mtr_i"],
        [("inactive", REVENUE)],
        [APPLY],
    ),
    "stopped, renamed: one apply does both": (
        [declare()],
        [inactive(display="Other")],
        [],
        [("inactive", REVENUE)],
        [APPLY],
    ),
    "stopped, the priced twin differs": (
        [declare()],
        [inactive("mtr_1"), inactive("mtr_2", formula="count")],
        ["p@mtr_2"],
        [("inactive", REVENUE)],
        ['default_aggregation: {formula: "count"}'],
    ),
    "stopped, several priced twins": (
        [declare(retires=("mtr_0",))],
        [inactive("mtr_1"), inactive("mtr_2", at=1_700_000_600)],
        ["p@mtr_2", "q@mtr_1"],
        [("inactive", REVENUE)],
        ['retires: ["mtr_0", "mtr_2", "mtr_1"]  # leave out the one to keep'],
    ),
    "stopped, a priced twin given up, another differs": (
        [declare(retires=("mtr_0",))],
        [inactive("mtr_0", at=1_700_000_600), inactive("mtr_2", formula="count")],
        ["p@mtr_2", "q@mtr_0"],
        [("inactive", REVENUE)],
        ['default_aggregation: {formula: "count"}'],
    ),
    "missing": ([declare()], [], [], [("missing", REVENUE)], [APPLY]),
    "missing, a twin differs": (
        [declare()],
        [inactive(formula="count")],
        [],
        [("missing", REVENUE)],
        [APPLY],
    ),
    "missing, a price is left on the retired twin": (
        [declare(retires=("mtr_i",))],
        [inactive()],
        ["p@mtr_i"],
        [("missing", REVENUE), ("price_on_inactive", REVENUE)],
        [APPLY, 'accepts: {prices: ["p"]}'],
    ),
    "a price on an inactive twin": (
        [declare(accepts=("old",))],
        [existing(), inactive()],
        ["p@mtr_i"],
        [("price_on_inactive", REVENUE)],
        ['accepts: {prices: ["old", "p"]}'],
    ),
    "a price on a retired meter": (
        [retire()],
        [inactive()],
        ["p@mtr_i"],
        [("price_on_inactive", REVENUE)],
        ['accepts: {prices: ["p"]}'],
    ),
    "an accepted price": ([retire(accepts=("p",))], [inactive()], ["p@mtr_i"], [], []),
    "a price on an undeclared inactive meter": (
        [],
        [inactive()],
        ["p@mtr_i"],
        [("price_on_inactive", REVENUE)],
        [
            '- {event_name: "calls", display_name: "Calls", default_aggregation: {formula: "sum"}, '
            'status: "inactive", accepts: {prices: ["p"]}}'
        ],
    ),
    "renamed": ([declare()], [existing(display="Other")], [], [("renamed", LOW)], [APPLY]),
    "differs": (
        [declare()],
        [existing(formula="count")],
        [],
        [("differs", HIGH)],
        ['default_aggregation: {formula: "count"}'],
    ),
    "differs in a field that cannot be written as null": (
        [declare(window="hour")],
        [existing()],
        [],
        [("differs", HIGH)],
        ["# leave event_time_window out"],
    ),
    "differs in two fields": (
        [declare(window="hour", value_key="n")],
        [existing(window="day")],
        [],
        [("differs", HIGH)],
        ['{value_settings: {event_payload_key: "value"}, event_time_window: "day"}'],
    ),
    "differs and is renamed": (
        [declare()],
        [existing(formula="count", display='My "name"')],
        [],
        [("differs", HIGH), ("renamed", LOW)],
        ['default_aggregation: {formula: "count"}', 'display_name: "My \\"name\\""'],
    ),
    "differs, and the file consents": (
        [declare(retires=("mtr_a",))],
        [existing(formula="count")],
        [],
        [("differs", HIGH)],
        [APPLY],
    ),
    "differs, and the file consents, but to no price": (
        [declare(retires=("mtr_a",), accepts=("old",))],
        [existing(formula="count")],
        ["p@mtr_a"],
        [("differs", HIGH)],
        ['accepts: {prices: ["old", "p"]}'],
    ),
    "running": ([retire()], [existing()], [], [("running", LOW)], [APPLY]),
    "running, with a price": (
        [retire()],
        [existing()],
        ["p@mtr_a"],
        [("running", LOW)],
        ['accepts: {prices: ["p"]}'],
    ),
    "running, another meter than the declared": (
        [retire(retires=("mtr_x",))],
        [existing(formula="count")],
        [],
        [("differs", HIGH), ("running", LOW)],
        ['default_aggregation: {formula: "count"}', 'retires: ["mtr_x", "mtr_a"]'],
    ),
    "undeclared": (
        [],
        [existing(window="day")],
        [],
        [("unmanaged", LOW)],
        [
            '- {event_name: "calls", display_name: "Calls", default_aggregation: {formula: "sum"}, '
            'event_time_window: "day"}'
        ],
    ),
    "undeclared, with a price": (
        [],
        [existing(customer_key="who")],
        ["p@mtr_a"],
        [("price_on_undeclared", HIGH)],
        [
            '- {event_name: "calls", display_name: "Calls", default_aggregation: {formula: "sum"}, '
            'customer_mapping: {type: "by_id", event_payload_key: "who"}}'
        ],
    ),
    "two active": (
        [declare()],
        [existing("mtr_a"), existing("mtr_b", created=1_700_000_001)],
        ["p@mtr_b"],
        [("two_active", HIGH)],
        ["stripe post /v1/billing/meters/mtr_a/deactivate"],
    ),
    "two active, undeclared, with a price": (
        [],
        [existing("mtr_a"), existing("mtr_b")],
        ["p@mtr_a"],
        [("two_active", HIGH)],
        ["stripe post /v1/billing/meters/mtr_b/deactivate"],
    ),
    "two active, undeclared": (
        [],
        [existing("mtr_a", livemode=True), existing("mtr_b", livemode=True, created=1_700_000_001)],
        [],
        [("two_active", LOW)],
        ["stripe post /v1/billing/meters/mtr_b/deactivate --live"],
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_every_state_is_its_findings_the_worst_first(case):
    """Kind, severity and remedy; the line is as bad as the worst of them."""
    declared, account, prices, expected, remedies = TABLE[case]
    line = take_snapshot(declared, account, prices)
    assert [(f.kind, f.severity) for f in line.findings] == expected
    assert [f.remediation.text for f in line.findings] == remedies
    assert line.severity == (expected[0][1] if expected else None)
    assert {price.id for price in line.prices} == {word.split("@")[0] for word in prices}


def test_every_kind_is_acted_out_and_explained():
    """The table reaches the whole closed list, and each kind has a code of its own."""
    reached = {kind for *_, expected, _ in TABLE.values() for kind, _ in expected}
    assert reached == set(Kind)
    codes = [kind.rule.code for kind in Kind]
    assert len(set(codes)) == len(codes)
    assert all(CATALOGUE[code].code.startswith("D") for code in codes)


def test_the_outage_clock_says_since_when_how_long_and_until_when():
    """Usage may be dated back 35 days, unless its invoice was finalised before."""
    at = NOW - 3 * 24 * HOUR - 4 * HOUR
    (finding,) = take_snapshot([declare()], [inactive(at=at)], ["p@mtr_i", "q@mtr_i"]).findings
    assert (finding.since, finding.resend_until) == (at, at + RESEND)
    assert finding.message == (
        "'calls' is declared active, but mtr_i has been inactive for 3 days 4 hours; usage sent "
        "since then is lost"
    )
    assert [price.id for price in finding.prices] == ["p", "q"]


def test_an_outage_of_more_than_35_days_has_lost_usage_for_good():
    """Nothing is promised that the API would refuse."""
    at = NOW - RESEND
    (finding,) = take_snapshot([declare()], [inactive(at=at)]).findings
    assert finding.resend_until is None


def test_the_outage_began_when_the_last_twin_stopped():
    """Of several inactive meters, the one that ran last."""
    others = [inactive("mtr_1", at=NOW - 9000), inactive("mtr_2", at=NOW - HOUR)]
    (finding,) = take_snapshot([declare()], others).findings
    assert (finding.since, finding.meter_ids) == (NOW - HOUR, ("mtr_2",))


SINCE = {
    "the settings, since it was made": ([declare()], existing(formula="count", updated=NOW)),
    "unmanaged, since it was made": ([], existing(updated=NOW)),
    "the name, since it last moved": ([declare()], existing(display="Other", updated=NOW)),
    "running, since it last moved": ([retire()], existing(updated=NOW)),
}


@pytest.mark.parametrize("case", SINCE)
def test_before_events_are_asked_the_meter_itself_dates_the_finding(case):
    """As well as it can: `created` or `updated`."""
    declared, meter = SINCE[case]
    (finding,) = take_snapshot(declared, [meter]).findings
    assert finding.since == (NOW if "moved" in case else meter.created)


def test_of_several_stopped_meters_the_last_stop_dates_their_prices():
    """From then on none of them served the prices."""
    others = [inactive("mtr_1", at=NOW - HOUR), inactive("mtr_2", at=NOW - 9000)]
    (finding,) = take_snapshot([retire()], others, ["p@mtr_1", "q@mtr_2"]).findings
    assert (finding.since, finding.meter_ids) == (NOW - HOUR, ("mtr_1", "mtr_2"))


def test_a_finding_has_all_its_prices():
    """Formats shorten the list; the data do not."""
    entry = take_snapshot([], [existing()], [f"price_{n}@mtr_a" for n in range(8)])
    assert len(entry.findings[0].prices) == len(entry.prices) == 8


def test_what_the_policy_would_stop_is_applied_not_declared():
    """`undeclared: deactivate` has decided already; a price that bills on it has to be reviewed."""
    assert (
        take_snapshot([], [existing()], policy=OWNING).findings[0].remediation.text
        == "reconciler apply --account test"
    )
    billed = take_snapshot([], [existing()], ["p@mtr_a"], policy=OWNING).findings[0]
    assert billed.remediation.text.startswith('- {event_name: "calls"')
