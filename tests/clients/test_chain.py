"""Product, price, customer, subscription, usage, sums: by Stripe's packages, unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe
from clients.stacks import SOURCES, find_program, install_node, run
from emulator.client import DAY

from reconciler.emulator import Server, open_state

REPORTS = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"]

FOUND = {
    "sums": {"ada": [13], "bob": [42]},
    "reports": ["no_meter", "meter_event_customer_not_found", "meter_event_invalid_value"],
    "of_the_meter": 2,
    "price_on_the_meter": True,
    "subscriptions": ["active", "active"],
    "using_the_price": 2,
    "refusals": {
        "repeated_v1": [400, None],
        "repeated": [400, "duplicate_meter_event"],
        "no_meter": [400, "no_meter"],
        "no_customer": [400, "payload_no_customer_defined"],
        "no_value": [400, "payload_no_value_defined"],
        "invalid_value": [400, "payload_invalid_value"],
        "cancellation": [400, "invalid_cancel_configuration"],
        "archived": [400, "archived_meter"],
    },
}


@pytest.fixture
def server():
    with open_state() as store, Server(store) as running:
        yield running


def event(customer: str, value: Any, **more: Any) -> dict[str, Any]:
    payload = {"stripe_customer_id": customer, "value": str(value)}
    return {"event_name": "searches", "payload": payload} | more


def refusal(call: Any, params: Any) -> list[Any] | None:
    try:
        call(params)
    except stripe.StripeError as error:
        return [error.http_status, error.code]
    return None


class Chain:
    """The calls of `chain.js`, by the package for Python."""

    def __init__(self, server: Server) -> None:
        self.addresses: Any = {"api": server.url, "meter_events": server.url}
        self.now = int(server.now())
        self.client = self.connect("sk_test_emulator")
        v1 = self.client.v1
        self.meter = v1.billing.meters.create(
            {
                "event_name": "searches",
                "display_name": "Searches",
                "default_aggregation": {"formula": "sum"},
            }
        )
        metered: Any = {"interval": "month", "usage_type": "metered", "meter": self.meter.id}
        self.price = v1.prices.create(
            {
                "product": v1.products.create({"name": "Search"}).id,
                "currency": "usd",
                "unit_amount": 2,
                "recurring": metered,
            }
        )
        self.ada, self.bob = (v1.customers.create({"name": name}).id for name in ("Ada", "Bob"))
        self.subscriptions = [
            v1.subscriptions.create({"customer": customer, "items": [{"price": self.price.id}]})
            for customer in (self.ada, self.bob)
        ]

    def connect(self, key: str) -> stripe.StripeClient:
        return stripe.StripeClient(key, base_addresses=self.addresses, max_network_retries=0)

    def use(self) -> None:
        v1, v2 = self.client.v1.billing, self.client.v2.billing
        v1.meter_events.create(event(self.ada, 5, identifier="a"))
        v1.meter_events.create(event(self.bob, 40))
        v2.meter_events.create(event(self.ada, 7))
        v2.meter_events.create(event(self.ada, 100, identifier="b"))
        cancel: Any = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": "b"}}
        v2.meter_event_adjustments.create(cancel)
        stream = self.connect(v2.meter_event_session.create().authentication_token).v2.billing
        events: Any = [event(self.ada, 1), event(self.bob, 2), event(self.bob, "many")]
        stream.meter_event_stream.create({"events": events})

    def misuse(self) -> dict[str, Any]:
        v1, v2 = self.client.v1.billing, self.client.v2.billing
        v1.meter_events.create(event("cus_nobody", 1))
        v1.meter_events.create(event(self.ada, 1, event_name="nothing"))
        unknown = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": "z"}}
        wrong = {
            "repeated": event(self.ada, 5, identifier="a"),
            "no_meter": event(self.ada, 1, event_name="nothing"),
            "no_customer": event(self.ada, 1, payload={"value": "1"}),
            "no_value": event(self.ada, 1, payload={"stripe_customer_id": self.ada}),
            "invalid_value": event(self.ada, "1.5"),
        }
        refused = {name: refusal(v2.meter_events.create, each) for name, each in wrong.items()}
        refused["repeated_v1"] = refusal(v1.meter_events.create, wrong["repeated"])
        refused["cancellation"] = refusal(v2.meter_event_adjustments.create, unknown)
        return refused

    def read(self) -> dict[str, Any]:
        v1, start = self.client.v1, self.now // DAY * DAY - DAY
        sums = {}
        for name, customer in (("ada", self.ada), ("bob", self.bob)):
            period: Any = {
                "customer": customer,
                "start_time": start,
                "end_time": start + 3 * DAY,
            }
            found = v1.billing.meters.event_summaries.list(self.meter.id, period)
            sums[name] = [each.aggregated_value for each in found.auto_paging_iter()]
        listed = self.client.v2.core.events.list({"types": REPORTS, "limit": 1})
        reports: Any = list(listed.auto_paging_iter())
        related = [getattr(each, "related_object", None) for each in reports]
        return {
            "sums": sums,
            "reports": [kind.code for each in reports for kind in each.data.reason.error_types],
            "of_the_meter": sum(bool(each) and each.id == self.meter.id for each in related),
            "price_on_the_meter": self.price.recurring.meter == self.meter.id,
            "subscriptions": [each.status for each in self.subscriptions],
            "using_the_price": len(v1.subscriptions.list({"price": self.price.id}).data),
        }


def run_chain(server: Server) -> dict[str, Any]:
    """Run the chain, and return what it found."""
    chain = Chain(server)
    chain.use()
    refusals = chain.misuse()
    found = chain.read()
    chain.client.v1.billing.meters.deactivate(chain.meter.id)
    create = chain.client.v2.billing.meter_events.create
    refusals["archived"] = refusal(create, event(chain.ada, 1))
    return found | {"refusals": refusals}


def test_the_chain_with_the_package_for_python(server):
    assert run_chain(server) == FOUND


@pytest.mark.full
def test_the_chain_fits_the_specification(checked):
    assert run_chain(checked) == FOUND


@pytest.mark.full
def test_the_chain_with_the_package_for_node(checked):
    packages = install_node()
    program = SOURCES / "chain.js"
    printed = run(find_program("node"), program, str(checked.port), NODE_PATH=str(packages))
    assert json.loads(printed) == FOUND
