"""Drift over HTTP: its requests, missing permissions, dates and attribution."""

from __future__ import annotations

from collections import Counter

import pytest
from builders.emulated import context
from builders.meters import declare, existing, inactive
from msgspec.structs import replace
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


def drift_context(meters=(), prices=(), declared=(), *, may=None, settings=None, **account):
    """Return a context whose key has these permissions (None: all)."""
    given = settings or Settings()
    if may is not None:
        given = replace(given, keys=(Key("sk_test_emulator", frozenset(may)),))
    return context(meters, prices, declared, settings=given, policy=Policy(), **account)


def report(on, *words, **more):
    with on.session() as session:
        return detect_drift(on.project, session, *words, **more)


def count_requests(on):
    """Count the requests by method and path."""
    return Counter((entry.method, entry.path) for entry in on.server.log)


def test_a_thousand_meters_in_sync_take_a_dozen_pages_and_no_events():
    """Only meters, the account, the metered prices and rejected usage are read, each once."""
    names = [f"m{n:04}" for n in range(1000)]
    meters = [existing(f"mtr_{name}", name, created=NOW - n) for n, name in enumerate(names)]
    prices = [Price(f"price_{n}", f"mtr_m{n:04}") for n in range(250)]
    with drift_context(meters, prices, map(declare, names)) as on:
        result = report(on)
        requests = count_requests(on)
    assert (result.exit_code, result.complete, result.diagnostics) == (Exit.DONE, True, ())
    assert not any(entry.findings for entry in result.entries)
    assert requests.pop(("GET", "/v1/billing/meters")) <= 12
    assert requests == {
        ("GET", "/v1/prices"): 3,
        ("GET", "/v1/account"): 1,
        ("GET", "/v2/core/events"): 1,
    }


def test_hundreds_of_findings_take_one_pass_over_the_events():
    """Page by page, until all are explained."""
    names = [f"m{n:03}" for n in range(250)]
    with drift_context(declared=map(declare, names)) as on:
        on.apply()
        for meter_id in on.list_all():
            on.edit(meter_id, "deactivate")
        on.server.log.clear()
        result = report(on)
        requests = count_requests(on)
    assert {entry.findings[0].attribution.origin for entry in result.entries} == {"outside"}
    assert {entry.severity for entry in result.entries} == {Severity.REVENUE}
    assert requests["GET", "/v1/events"] == 3  # of five: the 250 creations are older
    assert not on.posts()


def test_a_read_only_restricted_key_is_enough():
    with drift_context([inactive(at=NOW)], [Price("p", "mtr_i")], [declare()], may=READ) as on:
        result = report(on)
        assert {entry.method for entry in on.server.log} == {"GET"}
    assert (result.exit_code, result.complete) == (Exit.CHANGES, True)


def test_unreadable_events_do_not_change_the_exit_code():
    """The report is incomplete, and names the permission."""
    may = READ - {"event_read"}
    with drift_context([existing(display="Other", updated=NOW)], (), [declare()], may=may) as on:
        result = report(on)
    assert (result.exit_code, result.complete) == (Exit.CHANGES, False)
    assert [each.code for each in result.diagnostics] == ["D104", "D102"]
    assert all("event_read" in each.message for each in result.diagnostics)
    assert result.entries[0].findings[0].attribution is None
    assert result.entries[0].findings[0].since == NOW


@pytest.mark.parametrize(
    ("meter", "fail_on", "code"),
    [
        (existing(), Severity.LOW, Exit.DENIED),
        (existing(display="Other"), Severity.LOW, Exit.CHANGES),
        (existing(display="Other"), Severity.HIGH, Exit.DENIED),
    ],
)
def test_unreadable_prices_exit_6_unless_drift_is_found(meter, fail_on, code):
    """Without prices, "no drift" would not be known."""
    with drift_context([meter], (), [declare()], may=READ - {"plan_read"}) as on:
        result = report(on, fail_on=fail_on)
    assert (result.exit_code, result.complete) == (code, False)
    assert [each.code for each in result.diagnostics] == ["D101"]
    assert "plan_read" in result.diagnostics[0].message


def test_an_unreadable_account_id_is_no_error():
    """The refusal to read the account names it."""
    may = READ - {"accounts_kyc_basic_read"}
    with drift_context(
        [existing()], (), [declare()], may=may, account_id="acct_1EmulatedAccount"
    ) as on:
        result = report(on)
    account_id = result.account.id
    assert (result.exit_code, result.complete) == (Exit.DONE, True)
    assert account_id == "acct_1EmulatedAccount"


@pytest.mark.parametrize(
    ("wrong", "code"), [({"account_id": "acct_other"}, "G007"), ({"livemode": True}, "G006")]
)
def test_the_wrong_account_or_mode_is_refused_and_not_compared(wrong, code):
    with drift_context([existing(display="Other")], (), [declare()], **wrong) as on:
        result = report(on)
        requests = count_requests(on)
    assert (result.exit_code, result.complete, result.entries) == (Exit.REFUSED, False, ())
    assert [each.code for each in result.diagnostics] == [code]
    assert ("GET", "/v1/prices") not in requests


def test_a_narrowed_run_does_not_evaluate_undeclared_meters():
    """Its report is partial."""
    with drift_context(
        [existing("mtr_1", "calls"), existing("mtr_2", "stray")], (), [declare()]
    ) as on:
        assert report(on).exit_code is Exit.CHANGES
        result = report(on, Scope(("ca*",)))
    assert (result.exit_code, result.complete) == (Exit.DONE, False)
    assert [entry.event_name for entry in result.entries] == ["calls"]
    assert [each.code for each in result.diagnostics] == ["P104"]


SWITCHES = {
    "a status does not change `updated`": Settings(updated_moves="off"),
    "a deactivation has two events": Settings(deactivate_emits_updated="on"),
    "the list has only active meters": Settings(list_scope="active"),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_findings_are_dated_and_attributed_however_the_api_behaves(switch):
    """Stripe does not document which of these it does."""
    settings = SWITCHES[switch]
    with drift_context(declared=[declare("calls"), declare("seats")], settings=settings) as on:
        on.apply()
        ids = {meter.event_name: meter.id for meter in on.list_all().values()}
        on.clock.sleep(86_400)
        on.edit(ids["calls"], "deactivate")
        on.clock.sleep(3_600)
        on.declare(declare("calls"))
        on.edit(ids["seats"], "deactivate")
        on.edit(ids["seats"], "reactivate")
        found = {entry.event_name: entry.findings for entry in report(on).entries}
    (outage,), (stray,) = found["calls"], found["seats"]
    began = int(on.clock.now()) - 3_600
    assert (outage.kind, outage.since, outage.attribution.at) == ("inactive", began, began)
    assert (stray.kind, stray.since) == ("unmanaged", began + 3_600)
    assert stray.attribution.note.startswith("billing.meter.reactivated at ")
