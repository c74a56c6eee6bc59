"""Billing alerts of an account: which of them count, and in how many requests."""

from __future__ import annotations

import pytest
from stripe_client.scripted import a_list, http, scripted

from reconciler.model.alert import BillingAlert
from reconciler.stripe.billing.alerts import Alerts
from reconciler.stripe.errors import UnexpectedAnswerError


def an_alert(alert_id="alrt_1", **fields):
    threshold = {"meter": "mtr_1", "gte": 5, "filters": [], "recurrence": "one_time"}
    return {"id": alert_id, "status": "active", "title": "T", "usage_threshold": threshold} | fields


def watching(**threshold):
    return {"usage_threshold": an_alert()["usage_threshold"] | threshold}


def read(clock, alert):
    with scripted(clock, http(200, a_list(alert))) as (_, transport):
        return Alerts(transport).active_on(("mtr_1",))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "inactive"},
        {"status": "archived"},
        {"usage_threshold": None},
        watching(meter=None),
        watching(meter="mtr_2"),
    ],
)
def test_alerts_that_are_off_or_watch_another_meter_are_left_out(fields, clock):
    assert read(clock, an_alert(**fields)) == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, BillingAlert("alrt_1", "mtr_1", "T", 5)),
        ({"status": None}, BillingAlert("alrt_1", "mtr_1", "T", 5)),
        ({"status": "paused"}, BillingAlert("alrt_1", "mtr_1", "T", 5)),
        (watching(meter={"id": "mtr_1"}), BillingAlert("alrt_1", "mtr_1", "T", 5)),
        (watching(filters=None, gte=None) | {"title": None}, BillingAlert("alrt_1", "mtr_1")),
        (
            watching(filters=[{"type": "customer", "customer": {"id": "cus_1"}}]),
            BillingAlert("alrt_1", "mtr_1", "T", 5, "cus_1"),
        ),
    ],
)
def test_what_may_be_null_expanded_or_new_is_read(fields, expected, clock):
    assert read(clock, an_alert(**fields)) == (expected,)


@pytest.mark.parametrize("fields", [{"id": None}, watching(gte="5"), watching(filters=[1])])
def test_malformed_alerts_are_an_error(fields, clock):
    with pytest.raises(UnexpectedAnswerError):
        read(clock, an_alert(**fields))


@pytest.mark.parametrize(("number", "requests"), [(0, 0), (2, 2), (50, 50), (51, 1)])
def test_of_many_meters_all_alerts_are_listed_once(number, requests, clock):
    with scripted(clock, http(200, a_list())) as (server, transport):
        assert Alerts(transport).active_on(tuple(f"mtr_{n}" for n in range(number))) == ()
        assert len(server.asked) == requests
