"""The audit over real HTTP: what it asks for, what it may not read, whom it takes for whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from builders.stage import context
from builders.worlds import declare, existing, stopped
from virtual import VirtualClock

from reconciler import detect_drift
from reconciler.diagnostics.errors import Exit
from reconciler.emulator import Key, Settings
from reconciler.model.finding import Severity
from reconciler.model.price import Price
from reconciler.model.project import Policy
from reconciler.planning.scope import Scope

NOW = int(VirtualClock().now())
READ = {"billing_meter_read", "plan_read", "event_read", "accounts_kyc_basic_read"}


def acted(meters=(), prices=(), declared=(), *, may=None, settings=None, **account):
    """An account, asked with a key that holds these permissions (None: all)."""
    given = settings or Settings()
    if may is not None:
        given = replace(given, keys=(Key("sk_test_emulator", frozenset(may)),))
    return context(meters, prices, declared, settings=given, policy=Policy(), **account)


def report(on, *words, **more):
    with on.session() as session:
        return detect_drift(on.project, session, *words, **more)


def asked(on):
    """How many requests of which method went to which path."""
    return Counter((entry.method, entry.path) for entry in on.server.log)


def test_a_thousand_meters_in_sync_take_a_dozen_pages_and_no_events():
    """The listing, the account, and the metered prices paged once; nothing else is asked."""
    names = [f"m{n:04}" for n in range(1000)]
    meters = [existing(f"mtr_{name}", name, created=NOW - n) for n, name in enumerate(names)]
    prices = [Price(f"price_{n}", f"mtr_m{n:04}") for n in range(250)]
    with acted(meters, prices, map(declare, names)) as on:
        told = report(on)
        requests = asked(on)
    assert (told.exit_code, told.complete, told.diagnostics) == (Exit.DONE, True, ())
    assert not any(line.findings for line in told.entries)
    assert requests.pop(("GET", "/v1/billing/meters")) <= 12
    assert requests == {("GET", "/v1/prices"): 3, ("GET", "/v1/account"): 1}


def test_hundreds_of_findings_take_one_pass_over_the_events():
    """Page by page until the last of them is explained, never once for each."""
    names = [f"m{n:03}" for n in range(250)]
    with acted(declared=map(declare, names)) as on:
        on.apply()
        for meter_id in on.list_all():
            on.tell(meter_id, "deactivate")
        on.server.log.clear()
        told = report(on)
        requests = asked(on)
    assert {line.findings[0].attribution.origin for line in told.entries} == {"outside"}
    assert {line.severity for line in told.entries} == {Severity.REVENUE}
    assert requests["GET", "/v1/events"] == 3  # of five: the 250 creations are older
    assert not on.posts()


def test_a_read_only_restricted_key_is_enough():
    """Every permission ends in _read, and not one POST is sent."""
    with acted([stopped(at=NOW)], [Price("p", "mtr_i")], [declare()], may=READ) as on:
        told = report(on)
        assert {entry.method for entry in on.server.log} == {"GET"}
    assert (told.exit_code, told.complete) == (Exit.CHANGES, True)


def test_unreadable_events_leave_the_verdict_as_it_is():
    """The audit goes on, says what is missing, and is not complete."""
    may = READ - {"event_read"}
    with acted([existing(display="Other", updated=NOW)], (), [declare()], may=may) as on:
        told = report(on)
    assert (told.exit_code, told.complete) == (Exit.CHANGES, False)
    assert [said.code for said in told.diagnostics] == ["D102"]
    assert "event_read" in told.diagnostics[0].message
    assert told.entries[0].findings[0].attribution is None
    assert told.entries[0].findings[0].since == NOW


@pytest.mark.parametrize(
    ("meter", "fail_on", "code"),
    [
        (existing(), Severity.LOW, Exit.DENIED),
        (existing(display="Other"), Severity.LOW, Exit.CHANGES),
        (existing(display="Other"), Severity.HIGH, Exit.DENIED),
    ],
)
def test_unreadable_prices_exit_6_unless_drift_is_found(meter, fail_on, code):
    """An audit without prices never ends with 0."""
    with acted([meter], (), [declare()], may=READ - {"plan_read"}) as on:
        told = report(on, fail_on=fail_on)
    assert (told.exit_code, told.complete) == (code, False)
    assert [said.code for said in told.diagnostics] == ["D101"]
    assert "plan_read" in told.diagnostics[0].message


def test_an_unreadable_account_id_stops_no_audit():
    """It refuses writes; an audit writes nothing."""
    may = READ - {"accounts_kyc_basic_read"}
    with acted([existing()], (), [declare()], may=may, account_id="acct_1EmulatedAccount") as on:
        told = report(on)
    assert (told.exit_code, told.complete, told.account.id) == (Exit.DONE, True, None)


@pytest.mark.parametrize(
    ("wrong", "code"), [({"account_id": "acct_other"}, "G007"), ({"livemode": True}, "G006")]
)
def test_the_wrong_account_or_mode_is_refused_and_not_compared(wrong, code):
    """Every line of it would be a false alarm."""
    with acted([existing(display="Other")], (), [declare()], **wrong) as on:
        told = report(on)
        requests = asked(on)
    assert (told.exit_code, told.complete, told.entries) == (Exit.REFUSED, False, ())
    assert [said.code for said in told.diagnostics] == [code]
    assert ("GET", "/v1/prices") not in requests


def test_a_narrowed_audit_judges_no_absence():
    """Undeclared meters are left out, and the report says that it is partial."""
    with acted([existing("mtr_1", "calls"), existing("mtr_2", "stray")], (), [declare()]) as on:
        assert report(on).exit_code is Exit.CHANGES
        told = report(on, Scope(("ca*",)))
    assert (told.exit_code, told.complete) == (Exit.DONE, False)
    assert [line.event_name for line in told.entries] == ["calls"]
    assert [said.code for said in told.diagnostics] == ["P104"]


SWITCHES = {
    "a status moves no `updated`": Settings(updated_moves="off"),
    "a stop has two events": Settings(deactivate_emits_updated="on"),
    "the plain list is of active meters": Settings(list_scope="active"),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_findings_are_dated_and_attributed_however_the_api_behaves(switch):
    """Where Stripe's behaviour is unknown, the audit is right under both."""
    settings = SWITCHES[switch]
    with acted(declared=[declare("calls"), declare("seats")], settings=settings) as on:
        on.apply()
        ids = {meter.event_name: meter.id for meter in on.list_all().values()}
        on.clock.sleep(86_400)
        on.tell(ids["calls"], "deactivate")
        on.clock.sleep(3_600)
        on.declare(declare("calls"))
        on.tell(ids["seats"], "deactivate")
        on.tell(ids["seats"], "reactivate")
        found = {line.event_name: line.findings for line in report(on).entries}
    (outage,), (stray,) = found["calls"], found["seats"]
    began = int(on.clock.now()) - 3_600
    assert (outage.kind, outage.since, outage.attribution.at) == ("inactive", began, began)
    assert (stray.kind, stray.since) == ("unmanaged", began + 3_600)
    assert stray.attribution.note.startswith("billing.meter.reactivated at ")
