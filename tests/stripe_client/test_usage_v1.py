"""Meter events by API v1: no event is counted twice, and none is lost silently."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from stripe_client.scripted import KEY, http, refusal
from stripe_client.usage import answered, event, world

from reconciler import MeterEvents
from reconciler.emulator import Key
from reconciler.stripe.errors import (
    DuplicateEventError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedAnswerError,
)
from reconciler.stripe.retry import ATTEMPTS

PATH = "/v1/billing/meter_events"


def sent(one):
    """The identifiers and the keys of the events that arrived."""
    posts = [entry for entry in one.server.log.posts if entry.path == PATH]
    return [entry.params["identifier"] for entry in posts], [entry.key for entry in posts]


def test_an_event_is_returned_as_stripe_received_it():
    at = datetime(2026, 9, 21, 14, 13, 0, 999_999, tzinfo=UTC)
    with world(in_process=False) as one, MeterEvents(KEY, **one.options) as events:
        given = event(7, timestamp=at, identifier="order/1 ü&=")
        received = events.send(given)
        assert received.identifier == "order/1 ü&="
        assert received.payload == {"stripe_customer_id": "cus_1", "value": "7"}
        assert received.timestamp == int(at.timestamp())
        assert received.livemode is False
        assert received.created == int(one.clock.now())
        assert one.used() == 7


def test_an_identifier_is_always_sent_and_no_time_unless_given():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        received = events.send(event())
        (entry,) = [each for each in one.server.log.posts if each.path == PATH]
        assert entry.params["identifier"] == received.identifier
        assert "timestamp" not in entry.params


@pytest.mark.parametrize(
    "fault",
    [
        "reset",
        "reset:after",
        "garbage",
        "garbage:after",
        "truncated:after",
        "503",
        "409",
        "429",
        "timeout",
    ],
)
def test_a_lost_answer_counts_once_under_one_key(fault):
    with world() as one, MeterEvents(KEY, **one.options) as events:
        one.server.arm(f"{fault}:times=2:path={PATH}")
        events.send(event(5))
        identifiers, keys = sent(one)
        assert len(keys) == 3
        assert len(set(identifiers)) == len(set(keys)) == 1
        assert one.used() == 5


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_stored_failure_is_tried_again_under_another_key(phase):
    """With the first key Stripe would return the 500 for a day."""
    with world() as one, MeterEvents(KEY, **one.options) as events:
        one.server.arm(f"500:{phase}:times=1:path={PATH}")
        received = events.send(event(5))
        identifiers, keys = sent(one)
        assert len(set(identifiers)) == 1
        assert len(set(keys)) == 2
        assert (received.created is None) == (phase == "after")
        assert received.payload["value"] == "5"
        assert one.used() == 5


def test_a_key_that_is_given_is_the_only_one():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        one.server.arm(f"500:times=1:path={PATH}")
        given = event()
        with pytest.raises(ServerError):
            events.send(given, idempotency_key="mine")
        assert set(sent(one)[1]) == {"mine"}
        events.send(given)
        assert one.used() == 1


def test_a_delivery_that_the_network_repeats_counts_once():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        one.server.arm(f"dup:path={PATH}")
        events.send(event(5))
        assert one.used() == 5


def test_an_event_that_arrived_before_this_call_is_named():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        given = event(5)
        events.send(given)
        with pytest.raises(DuplicateEventError, match="S046") as caught:
            events.send(given)
        assert given.identifier in caught.value.message
        assert caught.value.attempts == 1
        assert one.used() == 5


@pytest.mark.parametrize(
    ("message", "code", "arrived"),
    [
        ("An event already exists with identifier x.", None, True),
        ("This identifier is taken.", "duplicate_meter_event", True),
        ("This identifier is taken.", None, False),
    ],
)
def test_only_a_refusal_of_the_identifier_shows_that_an_event_arrived(
    message, code, arrived, clock
):
    """After a lost answer; a text that is not known is the error that it is."""
    more = {"code": code} if code else {}
    answers = (None, refusal(400, message, **more))
    with answered(MeterEvents, clock, *answers) as (server, events):
        if arrived:
            assert events.send(event()).created is None
        else:
            with pytest.raises(InvalidRequestError, match="taken") as caught:
                events.send(event())
            assert caught.value.record.doubts == 1
        assert len(server.asked) == 2


def test_a_refusal_is_final(clock):
    answer = refusal(400, "Received unknown parameter")
    with answered(MeterEvents, clock, answer) as (server, events):
        with pytest.raises(InvalidRequestError) as caught:
            events.send(event())
        assert not isinstance(caught.value, DuplicateEventError)
        assert len(server.asked) == 1


def test_rejections_by_the_rate_limit_end():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        one.server.arm("429:reason=endpoint-rate")
        with pytest.raises(RateLimitError):
            events.send(event())
        assert len(sent(one)[0]) == ATTEMPTS
        assert one.used() == 0


def test_the_rate_is_a_thousand_a_second_and_adapts(clock):
    with world() as one:
        options = {**one.options}
        del options["rate_limit"]
        one.server.arm("429:reason=endpoint-rate:nth=40")
        with MeterEvents(KEY, **options) as events:
            for _ in range(60):
                events.send(event())
        spent = sum(one.clock.slept)
        assert 0.5 < spent < 5
        assert one.used() == 60


def test_a_cancelled_event_does_not_count():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        first, second = events.send(event(5)), events.send(event(2))
        one.server.arm("reset:after:times=1:path=/v1/billing/meter_event_adjustments")
        done = events.cancel(event_name="searches", identifier=first.identifier)
        assert (done.event_name, done.identifier, done.type) == (
            "searches",
            first.identifier,
            "cancel",
        )
        assert done.status in ("pending", "complete")
        assert done.id is done.created is None
        assert one.used() == 2
        assert second.identifier != first.identifier


def test_a_cancellation_that_fits_no_event_may_be_refused():
    """Or reported later, as the emulator does by default."""
    with (
        world(cancel_unknown="error") as one,
        MeterEvents(KEY, **one.options) as events,
        pytest.raises(InvalidRequestError, match="No event"),
    ):
        events.cancel(event_name="searches", identifier="unknown")
    with world() as one, MeterEvents(KEY, **one.options) as events:
        done = events.cancel(event_name="searches", identifier="unknown")
    assert done.status == "pending"


def test_a_restricted_key_names_the_permission():
    key = "rk_test_reads"
    keys = (Key(KEY), Key(key, frozenset({"billing_meter_read"})))
    with world(keys=keys) as one, MeterEvents(key, **one.options) as events:
        with pytest.raises(PermissionDeniedError) as caught:
            events.send(event())
        assert caught.value.permission == "billing_meter_event_write"


def test_an_answer_without_a_promised_field_is_an_error(clock):
    answer = http(200, {"object": "billing.meter_event"})
    with (
        answered(MeterEvents, clock, answer) as (_, events),
        pytest.raises(UnexpectedAnswerError, match="payload is missing"),
    ):
        events.send(event())


def test_the_key_is_in_no_error_and_no_log(caplog, clock):
    caplog.set_level(logging.DEBUG)
    with answered(MeterEvents, clock, refusal(400, f"who sent {KEY}?")) as (_, events):
        with pytest.raises(InvalidRequestError) as caught:
            events.send(event())
        shown = f"{caught.value}{caught.value!r}{events!r}{vars(events)}{caplog.text}"
    assert "who sent [key hidden]?" in shown
    assert KEY not in shown
