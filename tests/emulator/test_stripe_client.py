"""The official `stripe` package as a client: its types and its typed errors."""

import pytest
import stripe
from emulator.client import DAY, meter

from reconciler.emulator import Key, Server, Settings, open_state

KEY = "sk_test_emulator"


def connect(server, key=KEY, retries=0):
    addresses = {"api": server.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=retries)


@pytest.fixture
def server(clock):
    with open_state() as store, Server(store, clock=clock) as running:
        yield running


@pytest.fixture
def meters(server):
    return connect(server).v1.billing.meters


def test_every_call_on_a_meter(meters, server, clock):
    made = meters.create(
        meter(
            customer_mapping={"type": "by_id", "event_payload_key": "who"},
            value_settings={"event_payload_key": "n"},
            event_time_window="day",
        )
    )
    assert isinstance(made, stripe.billing.Meter)
    assert (made.status, made.customer_mapping.event_payload_key) == ("active", "who")
    assert (made.value_settings.event_payload_key, made.event_time_window) == ("n", "day")
    assert made.last_response.request_id.startswith("req_")
    assert meters.retrieve(made.id).to_dict() == made.to_dict()
    assert meters.update(made.id, {"display_name": "Other"}).display_name == "Other"
    clock.sleep(60)
    inactive = meters.deactivate(made.id)
    assert inactive.status == "inactive"
    assert inactive.status_transitions.deactivated_at == inactive.updated == made.created + 60
    assert meters.reactivate(made.id).status_transitions.deactivated_at is None
    assert [entry.method for entry in server.log] == ["POST", "GET", "POST", "POST", "POST"]


def test_auto_paging_over_250_meters():
    """Each meter once, newest first, in pages of 100, whatever the filter."""
    seeded = [meter(f"m{n}", status="inactive" if n % 5 == 0 else "active") for n in range(250)]
    with open_state(None, {"meters": seeded}) as store, Server(store) as server:
        meters = connect(server).v1.billing.meters
        for params, count in [({}, 250), ({"status": "active"}, 200), ({"status": "inactive"}, 50)]:
            server.log.clear()
            listed = list(meters.list({"limit": 100} | params).auto_paging_iter())
            assert len({each.event_name for each in listed}) == len(listed) == count
            times = [each.created for each in listed]
            assert times == sorted(times, reverse=True)
            assert len(server.log) == -(-count // 100)


def test_a_replay_is_the_same_answer(meters, server):
    options = {"idempotency_key": "k"}
    first = meters.create(meter(), options)
    second = meters.create(meter(), options)
    assert second.to_dict() == first.to_dict()
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.idempotency_key == "k"
    assert len(server.store.ledger.meters) == 1


def test_a_key_cannot_be_reused_for_another_path(meters):
    """Not even where the parameters are equal: the second call is an error, never a replay."""
    made = meters.create(meter())
    options = {"idempotency_key": "k"}
    meters.deactivate(made.id, options=options)
    with pytest.raises(stripe.IdempotencyError) as caught:
        meters.reactivate(made.id, options=options)
    assert caught.value.http_status == 400
    assert meters.retrieve(made.id).status == "inactive"


def test_a_key_in_use_is_a_conflict(meters, server):
    """A second request while the first is in progress: 409, which the package calls APIError."""
    codes = []

    def reached(moment):
        if moment.number == 1 and moment.phase == "before":
            with pytest.raises(stripe.APIError) as caught:
                meters.create(meter(), {"idempotency_key": "k"})
            codes.append((caught.value.http_status, caught.value.error.code))

    server.reached = reached
    assert meters.create(meter(), {"idempotency_key": "k"}).status == "active"
    assert codes == [(409, "idempotency_key_in_use")]
    assert len(server.store.ledger.meters) == 1


@pytest.mark.parametrize(
    ("call", "status", "param", "code"),
    [
        (lambda m: m.create({"event_name": "a"}), 400, "default_aggregation", "parameter_missing"),
        (lambda m: m.create(meter(metadata={"a": "b"})), 400, "metadata", "parameter_unknown"),
        (lambda m: m.create(meter(default_aggregation={"formula": "max"})), 400,
         "default_aggregation[formula]", None),
        (lambda m: m.update("mtr_1", {"event_name": "b"}), 400, "event_name", "parameter_unknown"),
        (lambda m: m.list({"limit": 101}), 400, "limit", "parameter_invalid_integer"),
        (lambda m: m.list({"event_name": "a"}), 400, "event_name", "parameter_unknown"),
        (lambda m: m.retrieve("mtr_nope"), 404, "id", "resource_missing"),
        (lambda m: [m.create(meter()) for _ in range(2)], 400, None, None),
    ],
)  # fmt: skip
def test_a_refusal_is_an_invalid_request(meters, call, status, param, code):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(meters)
    error = caught.value
    assert (error.http_status, error.param, error.code) == (status, param, code)
    assert error.request_id.startswith("req_")


@pytest.mark.parametrize("key", ["sk_live_emulator", "hello"])
def test_an_invalid_key_is_an_authentication_error(server, key):
    with pytest.raises(stripe.AuthenticationError) as caught:
        connect(server, key).v1.billing.meters.list()
    assert caught.value.http_status == 401
    assert "Invalid API Key provided: " in caught.value.user_message


def test_a_missing_permission_is_a_permission_error():
    settings = Settings(keys=(Key("rk_test_1", frozenset({"billing_meter_read"})),))
    with open_state() as store, Server(store, settings) as server:
        restricted = connect(server, "rk_test_1").v1
        assert restricted.billing.meters.list().data == []
        for call in (restricted.prices.list, restricted.events.list):
            with pytest.raises(stripe.PermissionError, match="Permission denied"):
                call()


def test_too_many_requests_are_a_rate_limit_error(clock):
    with open_state() as store, Server(store, Settings(rate_limit=1), clock=clock) as server:
        meters = connect(server).v1.billing.meters
        meters.list()
        with pytest.raises(stripe.RateLimitError) as caught:
            meters.list()
        assert caught.value.headers["stripe-rate-limited-reason"] == "global-rate"
        clock.sleep(1)
        meters.list()


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("500", stripe.APIError), ("503", stripe.APIError), ("409", stripe.APIError),
        ("429", stripe.RateLimitError), ("garbage", stripe.APIError),
        ("truncated", stripe.APIError), ("reset", stripe.APIConnectionError),
        ("timeout=9s", stripe.APIConnectionError),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_faults_are_typed_errors(meters, server, spec, error, phase, effects):
    server.arm(f"{spec}:{phase}")
    with pytest.raises(error):
        meters.create(meter())
    assert len(server.store.ledger.meters) == effects


def test_prices_events_and_the_account(server, meters):
    v1 = connect(server).v1
    made = meters.create(meter(), {"idempotency_key": "k"})
    price = v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 2,
            "product_data": {"name": "Searches"},
            "recurring": {"interval": "month", "usage_type": "metered", "meter": made.id},
        }
    )
    found = v1.prices.list({"recurring": {"meter": made.id}})
    assert [each.id for each in found.data] == [price.id]
    assert found.data[0].recurring.meter == made.id
    (expanded,) = v1.prices.list({"expand": ["data.product"]}).data
    assert isinstance(expanded.product, stripe.Product)
    assert expanded.product.id == price.product
    (event,) = v1.events.list({"types": ["billing.meter.created"]}).data
    assert event.request.idempotency_key == "k"
    assert event.request.id == made.last_response.request_id
    assert v1.events.retrieve(event.id).data.object["id"] == made.id
    assert v1.accounts.retrieve_current().id == server.store.ledger.account.id


def test_the_retries_of_the_package_are_safe(server, monkeypatch):
    """A lost answer, requested again under the package's own key: one meter, a replay."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server.arm("reset:after:post=1")
    made = connect(server, retries=2).v1.billing.meters.create(meter())
    assert list(server.store.ledger.meters) == [made.id]
    assert [entry.replayed for entry in server.log.posts] == [False, True]


def test_from_a_product_to_a_subscription(server, clock):
    """Typed objects, expanded ones among them; a period later the archived price is in use."""
    v1 = connect(server).v1
    made = v1.billing.meters.create(meter())
    product = v1.products.create({"name": "Searches", "metadata": {"team": "search"}})
    price = v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 10, "unit_amount": 5}, {"up_to": "inf", "unit_amount": 3}],
            "recurring": {"interval": "month", "usage_type": "metered", "meter": made.id},
            "lookup_key": "searches",
            "expand": ["tiers", "product"],
        }
    )
    assert (price.product.name, price.tiers[1].up_to) == ("Searches", None)
    customer = v1.customers.create({"email": "jenny@example.com"})
    items = [{"price": price.id}]
    sub = v1.subscriptions.create(
        {"customer": customer.id, "items": items, "expand": ["customer", "latest_invoice"]}
    )
    assert isinstance(sub.customer, stripe.Customer)
    assert (sub.status, sub.customer.email) == ("active", "jenny@example.com")
    v1.prices.update(price.id, {"active": False})
    clock.sleep(31 * DAY)
    (using,) = v1.subscriptions.list({"price": price.id}).data
    start = using["items"].data[0].current_period_start
    assert start == sub["items"].data[0].current_period_end
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.subscriptions.create({"customer": customer.id, "items": items})
    assert caught.value.param == "items[0][price]"
    assert v1.subscriptions.cancel(sub.id).status == "canceled"
    v1.customers.delete(customer.id)
    assert v1.customers.retrieve(customer.id).deleted
    kinds = [event.type for event in v1.events.list({"type": "customer.*"}).auto_paging_iter()]
    renewed, ended = "customer.subscription.updated", "customer.subscription.deleted"
    assert kinds[::-1] == [renewed, ended, "customer.deleted"]  # older ones have expired


def test_a_declined_card_is_a_card_error(server):
    v1 = connect(server).v1
    monthly = {"currency": "usd", "unit_amount": 5, "recurring": {"interval": "month"}}
    price = v1.prices.create(monthly | {"product_data": {"name": "Seat"}})
    method = {"default_payment_method": "pm_card_chargeDeclined"}
    customer = v1.customers.create({"invoice_settings": method})
    with pytest.raises(stripe.CardError) as caught:
        v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": price.id}],
                "payment_behavior": "error_if_incomplete",
            }
        )
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
