"""Stripe's command line: its own triggers, and fixtures with usage."""

import json

import pytest
from clients.stacks import install_node, run

pytestmark = pytest.mark.full

TRIGGERS = {
    "price.created": ["product.created", "price.created"],
    "price.updated": ["product.created", "price.created", "price.updated"],
    "product.deleted": ["product.created", "product.deleted"],
    "customer.created": ["customer.created"],
    "customer.deleted": ["customer.created", "customer.deleted"],
    "customer.subscription.updated": [
        *("customer.created", "product.created", "price.created", "customer.updated"),
        *("customer.subscription.created", "customer.subscription.updated"),
    ],
}


@pytest.fixture
def stripe(checked, tmp_path):
    """Run the command line with a home of its own."""
    program = install_node() / ".bin" / "stripe"

    def command(*words):
        return run(
            program,
            *words,
            f"--api-base={checked.url}",
            cwd=tmp_path,
            HOME=str(tmp_path),
            XDG_CONFIG_HOME=str(tmp_path),
            STRIPE_API_KEY="sk_test_emulator",
            STRIPE_CLI_TELEMETRY_OPTOUT="1",
        )

    return command


@pytest.mark.parametrize("event", TRIGGERS)
def test_a_trigger_causes_its_events(event, stripe, checked):
    assert "Trigger succeeded" in stripe("trigger", event)
    events = checked.store.ledger.events.values()
    assert [each["type"] for each in events] == TRIGGERS[event]


def fixture(name, path, method="post", **more):
    return {"name": name, "path": path, "method": method} | more


def list_fixtures(url):
    """A meter, a price on it, a subscriber, and usage by both versions of the API."""
    bearer = "Bearer ${session:authentication_token}"
    usage = {"event_name": "calls", "payload": {"stripe_customer_id": "${customer:id}"}}
    usage["payload"] |= {"value": "5"}
    unknown = {"event_name": "nothing", "payload": {"value": "1"}}
    recurring = {"interval": "month", "usage_type": "metered", "meter": "${meter:id}"}
    return [
        fixture("meter", "/v1/billing/meters", params={
            "event_name": "calls", "display_name": "Calls",
            "default_aggregation": {"formula": "sum"}}),
        fixture("product", "/v1/products", params={"name": "Calls"}),
        fixture("price", "/v1/prices", params={
            "product": "${product:id}", "currency": "usd", "unit_amount": 5,
            "recurring": recurring}),
        fixture("customer", "/v1/customers", params={"name": "Jenny"}),
        fixture("subscription", "/v1/subscriptions", params={
            "customer": "${customer:id}", "items": [{"price": "${price:id}"}]}),
        fixture("usage", "/v1/billing/meter_events", params=usage),
        fixture("session", "/v2/billing/meter_event_session", params={}),
        fixture("stream", "/v2/billing/meter_event_stream", api_base=url,
                headers={"Content-Type": "application/json", "Authorization": bearer,
                         "Stripe-Version": "2026-09-30.endive"},
                params={"events": [usage, unknown]}),
    ]  # fmt: skip


def test_fixtures_set_up_usage(stripe, checked, tmp_path):
    """Both events are in the sum; the one of an unknown meter is reported."""
    path = tmp_path / "usage.json"
    fixtures = {"_meta": {"template_version": 0}, "fixtures": list_fixtures(checked.url)}
    path.write_text(json.dumps(fixtures), "utf-8")
    stripe("fixtures", str(path))
    ledger = checked.store.ledger
    (subscription,) = ledger.subscriptions.values()
    assert subscription["status"] == "active"
    (meter,) = ledger.meters
    day = int(checked.now()) // 86400 * 86400
    found = json.loads(
        stripe(
            *("get", f"/v1/billing/meters/{meter}/event_summaries"),
            *("-d", f"customer={subscription['customer']}"),
            *("-d", f"start_time={day - 86400}", "-d", f"end_time={day + 2 * 86400}"),
        )
    )
    assert [each["aggregated_value"] for each in found["data"]] == [10]
    reports = json.loads(stripe("get", "/v2/core/events"))["data"]
    assert [each["type"] for each in reports].count("v1.billing.meter.no_meter_found") == 1


def test_resources_of_the_command_line(stripe, checked):
    """Its generated commands create, list, and read the API's refusals."""
    made = json.loads(stripe("products", "create", "--name=Calls", "-d", "metadata[a]=b"))
    assert made["metadata"] == {"a": "b"}
    listed = json.loads(stripe("products", "list", "--limit=1"))
    assert [each["id"] for each in listed["data"]] == [made["id"]]
    refused = stripe("prices", "create", f"--product={made['id']}", "--currency=zzz")
    assert "Invalid currency: zzz" in refused
    assert len(checked.exchanged) == 3
