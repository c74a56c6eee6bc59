"""Which findings the state of an event_name leads to, how bad, since when, and the remediation."""

from __future__ import annotations

import pytest
from builders.meters import NOW, OWNING, REPORTING, declare, existing, inactive, inspect_all, retire
from msgspec.structs import replace

from reconciler.diagnostics.catalogue import CATALOGUE
from reconciler.model.event import RESEND
from reconciler.model.finding import Kind, Severity

HOUR = 3600
APPLY = "reconciler apply --account test --only calls"
DEACTIVATE = "stripe post /v1/billing/meters/{}/deactivate"
COUNT = 'default_aggregation: {formula: "count"}'
ENTRY = '- {event_name: "calls", display_name: "Calls", default_aggregation: {formula: "sum"}, '
OR = "  # or give it up: "
MOVE = "  # to give them up; or move the subscriptions"
LOW, HIGH, REVENUE = Severity.LOW, Severity.HIGH, Severity.REVENUE


def inspect_one(declared, account, prices=(), policy=REPORTING):
    (entry,) = inspect_all(declared, account, *prices, policy=policy)
    return entry


def _case(desired, account, prices=(), *expected):
    return [desired] if desired else [], account, prices, list(expected)


# The expected findings of each state: kind, severity, remediation; the worst first.
TABLE = {
    "in sync": _case(declare(), [existing()]),
    "in sync with a price": _case(declare(), [existing()], ["p@mtr_a"]),
    "retired, as declared": _case(retire(), [inactive()]),
    "retired, never made": _case(retire(), []),
    "retired, undeclared": _case(None, [inactive()]),
    "inactive": _case(declare(), [inactive()], [], ("inactive", REVENUE, APPLY)),
    "inactive, with a price": _case(
        declare(), [inactive()], ["p@mtr_i"], ("inactive", REVENUE, APPLY)
    ),
    "inactive, renamed": _case(
        declare(), [inactive(display="Other")], [], ("inactive", REVENUE, APPLY)
    ),
    "inactive, the priced one differs": _case(
        declare(),
        [inactive("mtr_1"), inactive("mtr_2", formula="count")],
        ["p@mtr_2"],
        ("inactive", REVENUE, COUNT),
    ),
    "inactive, several priced": _case(
        declare(retires=("mtr_0",)),
        [inactive("mtr_1"), inactive("mtr_2", at=1_700_000_600)],
        ["p@mtr_2", "q@mtr_1"],
        ("inactive", REVENUE, 'retires: ["mtr_0", "mtr_2", "mtr_1"]  # leave out the one to keep'),
    ),
    "inactive, one retired, the priced one differs": _case(
        declare(retires=("mtr_0",)),
        [inactive("mtr_0", at=1_700_000_600), inactive("mtr_2", formula="count")],
        ["p@mtr_2", "q@mtr_0"],
        ("inactive", REVENUE, COUNT),
    ),
    "missing": _case(declare(), [], [], ("missing", REVENUE, APPLY)),
    "missing, the inactive one differs": _case(
        declare(), [inactive(formula="count")], [], ("missing", REVENUE, COUNT)
    ),
    "missing, a price is left on the retired one": _case(
        declare(retires=("mtr_i",)),
        [inactive()],
        ["p@mtr_i"],
        ("missing", REVENUE, "retires: []"),
        ("price_on_inactive", REVENUE, f"retires: []{OR}" + 'accepts: {prices: ["p"]}'),
    ),
    "a price on an inactive meter": _case(
        declare(accepts=("old",)),
        [existing(), inactive()],
        ["p@mtr_i"],
        ("price_on_inactive", REVENUE, 'accepts: {prices: ["old", "p"]}' + MOVE),
    ),
    "a price on the meter that the declared replacement reactivates": _case(
        declare(retires=("mtr_a",)),
        [existing(formula="count"), inactive()],
        ["p@mtr_i"],
        ("price_on_inactive", REVENUE, APPLY),
        ("differs", HIGH, APPLY),
    ),
    "a price on the meter that a replacement without consent would reactivate": _case(
        declare(),
        [existing(formula="count"), inactive()],
        ["p@mtr_i"],
        ("price_on_inactive", REVENUE, 'accepts: {prices: ["p"]}' + MOVE),
        ("differs", HIGH, COUNT),
    ),
    "a price on a retired meter": _case(
        retire(),
        [inactive()],
        ["p@mtr_i"],
        ("price_on_inactive", REVENUE, f'status: "active"{OR}' + 'accepts: {prices: ["p"]}'),
    ),
    "an accepted price": _case(retire(accepts=("p",)), [inactive()], ["p@mtr_i"]),
    "a price on an undeclared inactive meter": _case(
        None,
        [inactive()],
        ["p@mtr_i"],
        (
            "price_on_inactive",
            REVENUE,
            f"{ENTRY[:-2]}}}{OR}" + 'status: "inactive", accepts: {prices: ["p"]}',
        ),
    ),
    "renamed": _case(declare(), [existing(display="Other")], [], ("renamed", LOW, APPLY)),
    "differs": _case(declare(), [existing(formula="count")], [], ("differs", HIGH, COUNT)),
    "differs in a field that cannot be written as null": _case(
        declare(window="hour"), [existing()], [], ("differs", HIGH, "# leave event_time_window out")
    ),
    "differs in two fields": _case(
        declare(window="hour", value_key="n"),
        [existing(window="day")],
        [],
        (
            "differs",
            HIGH,
            '{value_settings: {event_payload_key: "value"}, event_time_window: "day"}',
        ),
    ),
    "differs and is renamed": _case(
        declare(),
        [existing(formula="count", display='My "name"')],
        [],
        ("differs", HIGH, COUNT),
        ("renamed", LOW, 'display_name: "My \\"name\\""'),
    ),
    "differs, with consent": _case(
        declare(retires=("mtr_a",)), [existing(formula="count")], [], ("differs", HIGH, APPLY)
    ),
    "differs, with consent but not for the price": _case(
        declare(retires=("mtr_a",), accepts=("old",)),
        [existing(formula="count")],
        ["p@mtr_a"],
        (
            "differs",
            HIGH,
            f"{{retires: [], {COUNT}}}{OR}" + 'accepts: {prices: ["old", "p"]}',
        ),
    ),
    "running": _case(retire(), [existing()], [], ("running", LOW, APPLY)),
    "running, with a price": _case(
        retire(),
        [existing()],
        ["p@mtr_a"],
        ("running", LOW, f'status: "active"{OR}' + 'accepts: {prices: ["p"]}'),
    ),
    "running, and differs": _case(
        retire(retires=("mtr_x",)),
        [existing(formula="count")],
        [],
        ("differs", HIGH, COUNT),
        (
            "running",
            LOW,
            f'{{status: "active", {COUNT}}}{OR}retires: ["mtr_x", "mtr_a"]',
        ),
    ),
    "undeclared": _case(
        None, [existing(window="day")], [], ("unmanaged", LOW, ENTRY + 'event_time_window: "day"}')
    ),
    "undeclared, with a price": _case(
        None,
        [existing(customer_key="who")],
        ["p@mtr_a"],
        (
            "price_on_undeclared",
            HIGH,
            ENTRY + 'customer_mapping: {type: "by_id", event_payload_key: "who"}}',
        ),
    ),
    "two active": _case(
        declare(),
        [existing("mtr_a"), existing("mtr_b", created=1_700_000_001)],
        ["p@mtr_b"],
        ("two_active", HIGH, DEACTIVATE.format("mtr_a")),
    ),
    "two active, undeclared, with a price": _case(
        None,
        [existing("mtr_a"), existing("mtr_b")],
        ["p@mtr_a"],
        ("two_active", HIGH, DEACTIVATE.format("mtr_b")),
    ),
    "unknown status": _case(
        declare(),
        [replace(existing(), status="suspended")],
        ["p@mtr_a"],
        ("unknown_status", HIGH, None),
    ),
    "unknown status, undeclared": _case(
        None,
        [replace(existing(), status="suspended")],
        [],
        ("unknown_status", LOW, None),
    ),
    "two active, undeclared": _case(
        None,
        [existing("mtr_a", livemode=True), existing("mtr_b", livemode=True, created=1_700_000_001)],
        [],
        ("two_active", LOW, DEACTIVATE.format("mtr_b") + " --live"),
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_every_state_has_its_findings(case):
    declared, account, prices, expected = TABLE[case]
    entry = inspect_one(declared, account, prices)
    found = [(f.kind, f.severity, f.remediation and f.remediation.text) for f in entry.findings]
    assert found == expected
    assert entry.severity == (expected[0][1] if expected else None)
    assert {price.id for price in entry.prices} == {word.split("@")[0] for word in prices}


def test_the_table_has_every_kind_and_each_has_its_own_code():
    reached = {kind for *_, expected in TABLE.values() for kind, *_ in expected}
    of_expectations = {
        Kind.PRICE_MISSING,
        Kind.PRICE_ON_OTHER_METER,
        Kind.NO_PRICE,
        Kind.UNEXPECTED_PRICE,
        Kind.USAGE_REJECTED,
        Kind.ZERO_USAGE,
        Kind.NO_USAGE,
    }  # in tests/cli/test_expected_prices.py, test_rejected_usage.py and test_usage_sample.py
    assert reached == set(Kind) - of_expectations
    codes = [kind.rule.code for kind in Kind]
    assert len(set(codes)) == len(codes)
    assert all(CATALOGUE[code].code.startswith("D") for code in codes)


def test_a_finding_has_the_start_of_an_outage_and_the_end_of_its_resend_window():
    """Usage may be dated back 35 days, unless its invoice was finalized before."""
    at = NOW - 3 * 24 * HOUR - 4 * HOUR
    (finding,) = inspect_one([declare()], [inactive(at=at)], ["p@mtr_i", "q@mtr_i"]).findings
    assert (finding.since, finding.resend_until) == (at, at + RESEND)
    assert finding.message == (
        "'calls' is declared active, but mtr_i has been inactive for 3 days 4 hours; usage sent "
        "since then is lost"
    )
    assert [price.id for price in finding.prices] == ["p", "q"]


def test_an_outage_of_more_than_35_days_has_no_resend_window():
    at = NOW - RESEND
    (finding,) = inspect_one([declare()], [inactive(at=at)]).findings
    assert finding.resend_until is None


def test_an_outage_began_when_the_last_meter_was_deactivated():
    others = [inactive("mtr_1", at=NOW - 9000), inactive("mtr_2", at=NOW - HOUR)]
    (finding,) = inspect_one([declare()], others).findings
    assert (finding.since, finding.meter_ids) == (NOW - HOUR, ("mtr_2",))


SINCE = {
    "settings, since creation": ([declare()], existing(formula="count", updated=NOW)),
    "unmanaged, since creation": ([], existing(updated=NOW)),
    "display_name, since the update": ([declare()], existing(display="Other", updated=NOW)),
    "running, since the update": ([retire()], existing(updated=NOW)),
}


@pytest.mark.parametrize("case", SINCE)
def test_without_events_a_finding_has_the_time_of_the_meter(case):
    declared, meter = SINCE[case]
    (finding,) = inspect_one(declared, [meter]).findings
    assert finding.since == (NOW if "update" in case else meter.created)


def test_prices_on_several_inactive_meters_are_dated_by_the_last_deactivation():
    others = [inactive("mtr_1", at=NOW - HOUR), inactive("mtr_2", at=NOW - 9000)]
    (finding,) = inspect_one([retire()], others, ["p@mtr_1", "q@mtr_2"]).findings
    assert (finding.since, finding.meter_ids) == (NOW - HOUR, ("mtr_1", "mtr_2"))


def test_prices_beside_a_meter_of_unknown_status_can_only_be_accepted():
    """Declaring the inactive meter active changes nothing while the other one is unclear."""
    unclear = replace(existing("mtr_u"), status="paused")
    entry = inspect_one([retire()], [unclear, inactive()], ["p@mtr_i"])
    found = {finding.kind: finding.remediation for finding in entry.findings}
    remedy = found[Kind.PRICE_ON_INACTIVE]
    assert remedy
    assert remedy.text == 'accepts: {prices: ["p"]}' + MOVE


def test_a_finding_has_all_its_prices():
    """Formats shorten the list; the data do not."""
    entry = inspect_one([], [existing()], [f"price_{n}@mtr_a" for n in range(8)])
    assert len(entry.findings[0].prices) == len(entry.prices) == 8


def test_a_meter_that_the_policy_deactivates_is_applied_and_not_declared():
    """Unless an active price uses it, which has to be reviewed."""
    (finding,) = inspect_one([], [existing()], policy=OWNING).findings
    assert finding.remediation.text == "reconciler apply --account test"
    (finding,) = inspect_one([], [existing()], ["p@mtr_a"], policy=OWNING).findings
    assert finding.remediation.text.startswith('- {event_name: "calls"')
