"""The official `stripe` package as a client: its types and its typed errors."""

import pytest
import stripe

from reconciler.emulator import Key, Server, Settings, open_state

KEY = "sk_test_emulator"


def client(server, key=KEY):
    """A client that neither retries nor leaves this machine."""
    return stripe.StripeClient(key, base_addresses={"api": server.url}, max_network_retries=0)


@pytest.fixture
def server(clock):
    with open_state() as store, Server(store, clock=clock) as served:
        yield served


@pytest.fixture
def meters(server):
    return client(server).v1.billing.meters


def asked(event_name="searches", **more):
    return {
        "event_name": event_name,
        "display_name": f"The {event_name}",
        "default_aggregation": {"formula": "sum"},
    } | more


def test_a_meters_life(meters, server, clock):
    """Create, retrieve, update, deactivate, reactivate, as typed objects."""
    made = meters.create(
        asked(
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
    stopped = meters.deactivate(made.id)
    assert stopped.status == "inactive"
    assert stopped.status_transitions.deactivated_at == stopped.updated == made.created + 60
    assert meters.reactivate(made.id).status_transitions.deactivated_at is None
    assert [entry.method for entry in server.log] == ["POST", "GET", "POST", "POST", "POST"]


@pytest.mark.parametrize(("status", "count"), [(None, 250), ("active", 200), ("inactive", 50)])
def test_auto_paging_over_250_meters(status, count):
    """Each meter once, newest first, in pages of 100, whatever the filter."""
    seeded = [asked(f"m{n}", status="inactive" if n % 5 == 0 else "active") for n in range(250)]
    with open_state(None, {"meters": seeded}) as store, Server(store) as server:
        params = {"limit": 100} | ({"status": status} if status else {})
        listed = list(client(server).v1.billing.meters.list(params).auto_paging_iter())
        names = [each.event_name for each in listed]
        assert len(names) == len(set(names)) == count
        times = [each.created for each in listed]
        assert times == sorted(times, reverse=True)
        assert len(server.log) == -(-count // 100)


def test_a_duplicate_name_is_an_invalid_request(meters):
    """Status 400, no code, the message that was observed."""
    meters.create(asked())
    with pytest.raises(stripe.InvalidRequestError) as caught:
        meters.create(asked())
    error = caught.value
    assert (error.http_status, error.code) == (400, None)
    assert "An active meter already exists for event name 'searches'" in error.user_message
    assert error.request_id.startswith("req_")


def test_a_replay_is_the_same_answer(meters, server):
    """Under one key there is one meter."""
    options = {"idempotency_key": "k"}
    first = meters.create(asked(), options)
    second = meters.create(asked(), options)
    assert second.to_dict() == first.to_dict()
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.idempotency_key == "k"
    assert len(server.store.ledger.meters) == 1


def test_another_request_under_a_key_is_an_idempotency_error(meters):
    """400, with the type that makes it one."""
    meters.create(asked("a"), {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError) as caught:
        meters.create(asked("b"), {"idempotency_key": "k"})
    assert caught.value.http_status == 400


def test_a_key_cannot_be_reused_for_another_path(meters):
    """Not even where the parameters are equal: the second call is an error, never a replay."""
    made = meters.create(asked())
    options = {"idempotency_key": "k"}
    meters.deactivate(made.id, options=options)
    with pytest.raises(stripe.IdempotencyError):
        meters.reactivate(made.id, options=options)
    assert meters.retrieve(made.id).status == "inactive"


def test_a_key_in_use_is_a_conflict(meters, server):
    """A second request while the first is under way: 409, which the package calls APIError."""
    codes = []

    def meanwhile(moment):
        if moment.number == 1 and moment.phase == "before":
            with pytest.raises(stripe.APIError) as caught:
                meters.create(asked(), {"idempotency_key": "k"})
            codes.append((caught.value.http_status, caught.value.error.code))

    server.reached = meanwhile
    assert meters.create(asked(), {"idempotency_key": "k"}).status == "active"
    assert codes == [(409, "idempotency_key_in_use")]
    assert len(server.store.ledger.meters) == 1


@pytest.mark.parametrize(
    ("call", "param", "code"),
    [
        (lambda m: m.create({"event_name": "a"}), "default_aggregation", "parameter_missing"),
        (lambda m: m.create(asked(metadata={"a": "b"})), "metadata", "parameter_unknown"),
        (lambda m: m.create(asked(default_aggregation={"formula": "max"})),
         "default_aggregation[formula]", None),
        (lambda m: m.update("mtr_1", {"event_name": "b"}), "event_name", "parameter_unknown"),
        (lambda m: m.list({"limit": 101}), "limit", "parameter_invalid_integer"),
        (lambda m: m.list({"event_name": "a"}), "event_name", "parameter_unknown"),
    ],
)  # fmt: skip
def test_bad_parameters_are_invalid_requests(meters, call, param, code):
    """Status 400, with the parameter's name."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(meters)
    assert (caught.value.http_status, caught.value.param, caught.value.code) == (400, param, code)


def test_an_unknown_meter_is_an_invalid_request(meters):
    """404, resource_missing."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        meters.retrieve("mtr_nope")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


@pytest.mark.parametrize("key", ["sk_live_emulator", "hello"])
def test_a_bad_key_is_an_authentication_error(server, key):
    """401, the key masked."""
    with pytest.raises(stripe.AuthenticationError) as caught:
        client(server, key).v1.billing.meters.list()
    assert caught.value.http_status == 401
    assert "Invalid API Key provided: " in caught.value.user_message


def test_a_lacking_permission_is_a_permission_error():
    """403, with the permission's name."""
    settings = Settings(keys=(Key("rk_test_1", frozenset({"billing_meter_read"})),))
    with open_state() as store, Server(store, settings) as server:
        restricted = client(server, "rk_test_1").v1
        assert restricted.billing.meters.list().data == []
        for call in (restricted.prices.list, restricted.events.list):
            with pytest.raises(stripe.PermissionError, match="Permission denied"):
                call()


def test_too_many_requests_are_a_rate_limit_error(clock):
    """429, by the clock that the emulator was given."""
    with open_state() as store, Server(store, Settings(rate_limit=1), clock=clock) as server:
        meters = client(server).v1.billing.meters
        meters.list()
        with pytest.raises(stripe.RateLimitError) as caught:
            meters.list()
        assert caught.value.headers["stripe-rate-limited-reason"] == "global-rate"
        clock.sleep(1)
        meters.list()


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("500", stripe.APIError),
        ("503", stripe.APIError),
        ("409", stripe.APIError),
        ("429", stripe.RateLimitError),
        ("garbage", stripe.APIError),
        ("truncated", stripe.APIError),
        ("reset", stripe.APIConnectionError),
        ("timeout=9s", stripe.APIConnectionError),
    ],
)
@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_faults_come_out_as_stripes_own_errors(meters, server, spec, error, phase, effects):
    """On either side of the effect."""
    server.arm(f"{spec}:{phase}")
    with pytest.raises(error):
        meters.create(asked())
    assert len(server.store.ledger.meters) == effects


def test_prices_events_and_the_account(server, meters):
    """The other objects come out typed as well."""
    v1 = client(server).v1
    made = meters.create(asked(), {"idempotency_key": "k"})
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
    (whole,) = v1.prices.list({"expand": ["data.product"]}).data
    assert isinstance(whole.product, stripe.Product)
    assert whole.product.id == price.product
    events = v1.events.list({"types": ["billing.meter.created"]})
    assert events.data[0].request.idempotency_key == "k"
    assert events.data[0].request.id == made.last_response.request_id
    assert v1.events.retrieve(events.data[0].id).data.object["id"] == made.id
    assert v1.accounts.retrieve_current().id == server.store.ledger.account.id


def test_its_own_retries_are_safe(server, monkeypatch):
    """A lost answer, tried again under the package's own key: one meter, a replayed answer."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server.arm("reset:after:post=1")
    patient = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=2)
    made = patient.v1.billing.meters.create(asked())
    assert list(server.store.ledger.meters) == [made.id]
    assert [entry.replayed for entry in server.log.posts] == [False, True]
