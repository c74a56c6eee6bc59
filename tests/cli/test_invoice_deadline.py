"""Until when lost usage can be sent again: by its age, or by the invoices that it is on."""

from __future__ import annotations

import pytest
import stripe
from cli.conftest import KEY
from cli.world import CALLS, SEATS, account_of, existing
from conftest import Ran

from reconciler.emulator import Key, Settings
from reconciler.model.event import RESEND
from reconciler.render import FORMATS
from reconciler.report.read_report import read_report
from reconciler.timestamps import format_time

NOW = 1_790_000_000
HOUR, DAY = 3_600, 86_400
READ = "/v1/subscriptions"


def seed(*starts: int, interval: str = "month") -> dict[str, object]:
    """A meter with one price, and subscriptions to it that began so many days ago."""
    return {
        "meters": [existing("seats", "Seats", id="mtr_seats")],
        "prices": [{"id": "price_1", "meter": "mtr_seats", "interval": interval}],
        "subscriptions": [
            {"created": NOW - days * DAY, "items": [{"price": "price_1"}]} for days in starts
        ],
    }


def deactivate(made) -> None:
    made.server.edit("/v1/billing/meters/mtr_seats/deactivate", {})


def find(ran: Ran, kind: str = "inactive") -> dict[str, object]:
    (found,) = (each for each in account_of(ran)["findings"] if each["kind"] == kind)
    return found


def test_the_invoice_comes_before_the_age(world, run, clock):
    """The earliest end of a period, plus the hour as a draft; one request for the price."""
    made = world(SEATS, seed(10, 25))
    deactivate(made)
    clock.sleep(2 * HOUR)
    ran = run("drift", made.folder, "--format", "json")
    found, first = find(ran), NOW - 25 * DAY + 31 * DAY + HOUR
    assert found["resend_until"] == NOW + RESEND
    assert found["invoices"] == {
        "resend_limit": "invoice",
        "next_finalization": first,
        "finalized_before": None,
        "finalized_subscriptions": 0,
        "subscriptions": 2,
        "partial": False,
    }
    assert len(made.server.log.matching(path=READ)) == 1
    assert account_of(ran)["complete"] is True


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_which_of_the_two_it_is(format_, world, run, clock):
    made = world(SEATS, seed(25))
    deactivate(made)
    clock.sleep(HOUR)
    ran = run("drift", made.folder, "--format", format_)
    said, first = " ".join(ran.out.split()), NOW + 6 * DAY + HOUR
    if format_ == "json":
        assert find(ran)["invoices"]["next_finalization"] == first
        return
    assert format_time(first) in said
    assert "when the next invoice for it can be finalized; for later invoices until" in said
    assert format_time(NOW + RESEND) in said


def test_the_age_comes_before_the_invoice_of_a_year(world, run, clock):
    made = world(SEATS, seed(10, interval="year"))
    deactivate(made)
    clock.sleep(HOUR)
    assert find(run("drift", made.folder, "--format", "json"))["invoices"]["resend_limit"] == "age"
    said = " ".join(run("drift", made.folder).out.split())
    until, later = format_time(NOW + RESEND), format_time(NOW + 355 * DAY + HOUR)
    assert f"can be re-sent until {until}, 35 days after it began; the next invoice" in said
    assert f"invoice for it can be finalized {later}" in said


def test_an_invoice_that_is_finalized_takes_no_more(world, run, clock):
    """Of two subscriptions one has had its period end; its draft was open for an hour."""
    made = world(SEATS, seed(30, 10))
    deactivate(made)
    ended = NOW + DAY
    clock.sleep(DAY + HOUR / 2)
    draft = find(run("drift", made.folder, "--format", "json"))["invoices"]
    assert (draft["next_finalization"], draft["finalized_before"]) == (ended + HOUR, None)
    clock.sleep(HOUR)
    found = find(run("drift", made.folder, "--format", "json"))["invoices"]
    assert found["finalized_before"] == ended
    assert (found["finalized_subscriptions"], found["subscriptions"]) == (1, 2)
    assert found["next_finalization"] == NOW + 20 * DAY + HOUR
    said = " ".join(run("drift", made.folder).out.split())

    before = format_time(ended)
    late = f"too late: 1 of 2 subscriptions: the invoice for usage before {before} is finalized"
    assert f"{late}, unless the account has a longer grace period" in said


def test_rejected_usage_of_the_last_period_only_is_on_no_later_invoice(world, run, clock):
    made = world(CALLS, {**seed(30), "meters": [existing("calls", "Calls", "sum", id="mtr_seats")]})
    client = stripe.StripeClient(
        KEY, base_addresses={"api": made.server.url}, max_network_retries=0
    )
    payload = {"stripe_customer_id": "cus_x", "value": "1"}
    client.v1.billing.meter_events.create({"event_name": "calls", "payload": payload})
    clock.sleep(DAY - HOUR)
    open_ = find(run("drift", made.folder, "--format", "json"), "usage_rejected")["invoices"]
    assert open_["next_finalization"] == NOW + DAY + HOUR
    made.write(CALLS, policy="{usage_window: 3d}")
    clock.sleep(DAY)
    found = find(run("drift", made.folder, "--format", "json"), "usage_rejected")
    assert found["invoices"]["next_finalization"] is None
    assert found["invoices"]["finalized_before"] == NOW + DAY
    said = " ".join(run("drift", made.folder).out.split())
    late = "every invoice for it is finalized already"
    assert f"{late}, unless the account has a longer grace period" in said


@pytest.mark.parametrize("starts", [(), (10,)])
def test_without_subscriptions_or_the_permission_both_are_said(starts, world, run, clock):
    """The report stays complete, and the exit code as it is."""
    may = {"billing_meter_read", "plan_read", "event_read", "accounts_kyc_basic_read"}
    settings = Settings(keys=(Key(KEY, frozenset(may)),)) if starts else None
    made = world(SEATS, seed(*starts), settings=settings)
    deactivate(made)
    clock.sleep(HOUR)
    ran = run("drift", made.folder, "--format", "json")
    assert (ran.code, account_of(ran)["complete"]) == (2, True)
    assert "invoices" not in find(ran)
    said = " ".join(run("drift", made.folder).out.split())
    assert "or until the invoice is finalized, if earlier" in said


def test_of_many_subscriptions_one_page_is_read(world, run, clock):
    made = world(SEATS, seed(*[10] * 101))
    deactivate(made)
    clock.sleep(HOUR)
    found = find(run("drift", made.folder, "--format", "json"))["invoices"]
    assert (found["subscriptions"], found["partial"]) == (100, True)
    assert len(made.server.log.matching(path=READ)) == 1
    said = " ".join(run("drift", made.folder).out.split())
    assert "when the next invoice for it of the 100 subscriptions read can be finalized" in said


def test_no_subscription_is_read_where_no_usage_is_lost(world, run):
    made = world(SEATS.replace("Seats,", "Chairs,"), seed(10))
    assert run("drift", made.folder).code == 2
    assert made.server.log.matching(path=READ) == []


def test_a_report_is_read_back_with_its_invoices(world, run, clock):
    made = world(SEATS, seed(25))
    deactivate(made)
    clock.sleep(HOUR)
    ran = run("drift", made.folder, "--format", "json")
    (account,) = read_report(ran.out, "report.json").accounts
    (entry,) = account.entries
    assert entry.findings[0].resend_deadline == find(ran)["invoices"]["next_finalization"]
