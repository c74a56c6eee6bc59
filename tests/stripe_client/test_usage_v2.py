"""Meter events by API v2: checked at once, or in a stream whose sessions expire."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from stripe_client.scripted import KEY, Scripted, http, in_turn, refusal
from stripe_client.usage import answered, event, world

from reconciler import MeterEventsV2
from reconciler.diagnostics.errors import ServiceError, StoppedError
from reconciler.stripe.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DuplicateEventError,
    InvalidRequestError,
    ServerError,
)
from reconciler.stripe.transport import API_VERSION

EVENTS, STREAM = "/v2/billing/meter_events", "/v2/billing/meter_event_stream"
SESSION, ADJUSTMENTS = "/v2/billing/meter_event_session", "/v2/billing/meter_event_adjustments"
TOKEN = "token_test_SecretSecret"


def posts(one, path):
    """The requests to a path that arrived."""
    return [entry for entry in one.server.log.posts if entry.path == path]


def a_session(**fields):
    """A session as the API shows it."""
    return {
        "id": "mes_1",
        "object": "v2.billing.meter_event_session",
        "authentication_token": TOKEN,
        "created": "2026-09-21T14:13:20.000Z",
        "expires_at": "2026-09-21T14:28:20.000Z",
        "livemode": False,
        **fields,
    }


def test_an_event_is_returned_as_stripe_received_it():
    with world(in_process=False) as one, MeterEventsV2(KEY, **one.options) as events:
        at = datetime.fromtimestamp(one.clock.now(), UTC) - timedelta(milliseconds=750)
        received = events.send(event(7, timestamp=at, identifier='a "ü" \n'))
        assert received.identifier == 'a "ü" \n'
        assert received.payload == {"stripe_customer_id": "cus_1", "value": "7"}
        assert received.timestamp == at.timestamp()
        assert received.created == one.clock.now()
        assert one.used() == 7


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"event_name": "other"}, "no_meter"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "many"}}, "payload_invalid_value"),
        ({"payload": {"value": 1}}, "payload_no_customer_defined"),
    ],
)
def test_what_is_wrong_is_said_at_once(wrong, code):
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        with pytest.raises(InvalidRequestError) as caught:
            events.send(event(**wrong))
        assert (caught.value.code, caught.value.status, caught.value.attempts) == (code, 400, 1)


@pytest.mark.parametrize(
    "fault",
    ["reset:after", "500", "500:after", "garbage:after", "409:code=too_many_concurrent_requests"],
)
def test_a_lost_answer_counts_once_under_one_key(fault):
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        one.server.arm(f"{fault}:times=2:path={EVENTS}")
        assert events.send(event(5)).payload["value"] == "5"
        found = posts(one, EVENTS)
        assert len({entry.params["identifier"] for entry in found}) == 1
        assert len({entry.key for entry in found}) == 1
        assert one.used() == 5


def test_an_event_that_arrived_before_this_call_is_named():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        given = event(5)
        events.send(given)
        with pytest.raises(DuplicateEventError) as caught:
            events.send(given)
        assert caught.value.code == "duplicate_meter_event"
        assert one.used() == 5


def test_a_cancelled_event_does_not_count():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        first = events.send(event(5))
        one.server.arm(f"reset:after:times=1:path={ADJUSTMENTS}")
        done = events.cancel(event_name="searches", identifier=first.identifier)
        assert (done.identifier, done.created) == (first.identifier, pytest.approx(one.clock.now()))
        assert done.id
        assert one.used() == 0
        with pytest.raises(InvalidRequestError) as caught:
            events.cancel(event_name="searches", identifier="unknown")
        assert caught.value.code == "invalid_cancel_configuration"


# The stream


@pytest.mark.parametrize(
    ("size", "requests"), [(0, []), (1, [1]), (100, [100]), (230, [100, 100, 30])]
)
def test_a_stream_is_sent_by_the_hundred(size, requests):
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        events.stream([event() for _ in range(size)])
        sent = [len(entry.params["events"][""]) for entry in posts(one, STREAM)]
        assert sent == requests
        assert len(posts(one, SESSION)) == bool(size)
        assert one.used() == size


def test_a_stream_over_http():
    with world(in_process=False) as one, MeterEventsV2(KEY, **one.options) as events:
        events.stream([event(2, timestamp=one.clock.now() - 1.5) for _ in range(101)])
        assert one.used() == 202


@pytest.mark.parametrize(
    "fault", ["reset:after", "500:after", "503", "truncated:after", "dup", "401:after"]
)
def test_a_lost_answer_of_a_stream_counts_once(fault):
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        one.server.arm(f"{fault}:times=1:path={STREAM}")
        events.stream([event() for _ in range(150)])
        assert one.used() == 150


def test_a_session_is_renewed_before_its_end():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        for _ in range(3):
            events.stream([event()])
            one.clock.sleep(7 * 60 + 15)
        assert len(posts(one, SESSION)) == 2
        assert not [entry for entry in posts(one, STREAM) if entry.status == 401]
        assert one.used() == 3


def test_a_session_that_expires_early_is_renewed_once():
    """Stripe's clock decides: here it runs ahead of the client's."""
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        events.stream([event()])
        one.server.advance(16 * 60)
        events.stream([event() for _ in range(120)])
        assert [entry.status for entry in posts(one, STREAM)] == [200, 401, 200, 200]
        first, second = [entry.key for entry in posts(one, STREAM)][1:3]
        assert first == second
        assert len(posts(one, SESSION)) == 2
        assert one.used(end_time=int(one.clock.now()) // 60 * 60 + 3600) == 121


def test_a_token_that_is_rejected_twice_is_an_error():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        one.server.arm(f"401:path={STREAM}")
        given = [event() for _ in range(2)]
        with pytest.raises(AuthenticationError) as caught:
            events.stream(given)
        assert caught.value.unsent == tuple(given)
        assert len(posts(one, SESSION)) == len(posts(one, STREAM)) == 2
        assert one.used() == 0


def test_a_key_that_was_rolled_is_an_error(clock):
    """The session cannot be renewed."""

    def script(asked):
        first = asked.number == 1
        return http(200, a_session()) if first else refusal(401, "Expired API Key provided")

    with Scripted(script) as server, MeterEventsV2(KEY, api_base=server.url, clock=clock) as events:
        with pytest.raises(AuthenticationError, match="Expired"):
            events.stream([event()])
        assert [asked.path for asked in server.asked] == [SESSION, STREAM, SESSION]


def test_a_failed_stream_says_what_may_not_have_arrived():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        given = [event() for _ in range(250)]
        one.server.arm(*(f"reset:after:nth={n}:path={STREAM}" for n in range(2, 7)))
        with pytest.raises(ConnectionFailedError) as caught:
            events.stream(given)
        assert caught.value.unsent == tuple(given[100:])
        one.server.disarm()
        events.stream(caught.value.unsent)
        assert one.used() == 250
        events.stream(given)
        assert one.used() == 250


def test_a_stop_ends_a_stream_between_requests():
    stopped = []
    with world() as one:
        options = {**one.options, "stopped": lambda: bool(stopped)}
        one.server.reached = lambda moment: moment.number > 3 and stopped.append(1)
        with MeterEventsV2(KEY, **options) as events:
            given = [event() for _ in range(250)]
            with pytest.raises(StoppedError):
                events.stream(given)
            assert 0 < one.used() < 250
        with MeterEventsV2(KEY, **one.options) as events:
            events.stream(given)
        assert one.used() == 250


# Headers, hosts and secrets


def test_the_stream_has_another_host_and_the_token_alone(clock):
    with Scripted(in_turn(http(200, a_session()))) as api, Scripted(in_turn(http(200, ""))) as host:
        options = {"api_base": api.url, "stream_base": host.url, "clock": clock}
        account = {"stripe_account": "acct_2", "stripe_context": "org/acct_3"}
        with MeterEventsV2(KEY, **options, **account) as events:
            events.stream([event()])
    (created,), (streamed,) = api.asked, host.asked
    assert created.headers["authorization"] == f"Bearer {KEY}"
    assert created.headers["stripe-account"] == "acct_2"
    assert streamed.headers["authorization"] == f"Bearer {TOKEN}"
    assert not {"stripe-account", "stripe-context"} & set(streamed.headers)
    for asked in (created, streamed):
        assert asked.headers["stripe-version"] == API_VERSION
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["idempotency-key"]
    assert (created.path, streamed.path) == (SESSION, STREAM)


def test_stripes_own_host_streams_on_another():
    with MeterEventsV2(KEY) as events:
        assert events.stream_base == "https://meter-events.stripe.com"


@pytest.mark.parametrize("option", ["api_base", "stream_base"])
def test_neither_key_nor_token_is_sent_in_the_clear(option):
    with pytest.raises(ServiceError, match="S005"):
        MeterEventsV2(KEY, **{option: "http://meter-events.example.com"})


def test_no_secret_is_in_an_error_a_repr_or_a_log(caplog, clock):
    caplog.set_level(logging.DEBUG)
    answers = http(200, a_session()), refusal(400, f"who sent {TOKEN}?")
    with answered(MeterEventsV2, clock, *answers) as (_, events):
        with pytest.raises(InvalidRequestError) as caught:
            events.stream([event()])
        shown = f"{caught.value}{caught.value!r}{events!r}{vars(events)}{caplog.text}"
    with answered(MeterEventsV2, clock, http(200, a_session())) as (_, events):
        session = events.create_session()
    assert session.authentication_token == TOKEN
    assert session.expires_at - session.created == 15 * 60
    assert "who sent [key hidden]?" in shown
    for secret in (TOKEN, KEY):
        assert secret not in shown + repr(session) + str(session.__rich_repr__())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"authentication_token": "a\nb"}, "authentication_token contains"),
        ({"expires_at": "soon"}, "expires_at is not a time"),
        ({"created": None}, "created is missing"),
    ],
)
def test_a_session_that_cannot_be_used_is_an_error(wrong, why, clock):
    with (
        answered(MeterEventsV2, clock, http(200, a_session(**wrong))) as (_, events),
        pytest.raises(ServiceError, match=why),
    ):
        events.stream([event()])


def test_an_empty_answer_is_none_where_one_is_promised(clock):
    with (
        answered(MeterEventsV2, clock, http(200, "")) as (_, events),
        pytest.raises(ServiceError, match="not a JSON object"),
    ):
        events.send(event())


def test_a_failure_of_stripe_ends_after_five_attempts():
    with world() as one, MeterEventsV2(KEY, **one.options) as events:
        one.server.arm(f"500:path={EVENTS}")
        with pytest.raises(ServerError):
            events.send(event())
        assert len(posts(one, EVENTS)) == 5
        assert one.used() == 0
