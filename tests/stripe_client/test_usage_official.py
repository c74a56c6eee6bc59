"""Our requests are those of the official `stripe` package for the same usage."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
import stripe
from stripe_client.scripted import KEY
from stripe_client.usage import event, world

from reconciler import MeterEvents, MeterEventsV2
from reconciler.emulator import Phase

AT = 1_790_000_000 - 20
GIVEN = event(3, identifier="a")
TIMED = event(4, identifier="b", timestamp=AT)
CANCEL = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": "a"}}
SAME = {"event_name": "searches", "identifier": "a", "payload": GIVEN.texts}
LATER = {"event_name": "searches", "identifier": "b", "payload": TIMED.texts}
MOMENT = "2026-09-21T14:13:00.000Z"


def send_ours(one):
    with MeterEvents(KEY, **one.options) as v1:
        v1.send(GIVEN)
        v1.send(TIMED)
        v1.cancel(event_name="searches", identifier="a")


def send_theirs(one):
    v1 = connect(one).v1.billing
    v1.meter_events.create(SAME)
    v1.meter_events.create(LATER | {"timestamp": AT})
    v1.meter_event_adjustments.create(CANCEL)


def send_ours_by_v2(one):
    with MeterEventsV2(KEY, **one.options) as v2:
        v2.send(GIVEN)
        v2.send(TIMED)
        v2.cancel(event_name="searches", identifier="a")


def send_theirs_by_v2(one):
    v2 = connect(one).v2.billing
    v2.meter_events.create(SAME)
    v2.meter_events.create(LATER | {"timestamp": MOMENT})
    v2.meter_event_adjustments.create(CANCEL)


def stream_ours(one):
    with MeterEventsV2(KEY, **one.options) as v2:
        v2.stream([GIVEN, TIMED])


def stream_theirs(one):
    token = connect(one).v2.billing.meter_event_session.create({}).authentication_token
    stream = connect(one, token).v2.billing.meter_event_stream
    stream.create({"events": [SAME, LATER | {"timestamp": MOMENT}]})


def connect(one, key=KEY):
    addresses = {"api": one.server.url, "meter_events": one.server.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)


def requests_of(call):
    """What arrives when a call is made for a new account."""
    found = []

    def note(moment):
        if moment.phase is Phase.AFTER:
            request = moment.request
            kind = request.headers["content-type"].split(";")[0]
            body = request.body.decode()
            params = json.loads(body) if kind.endswith("json") else dict(parse_qsl(body))
            credential = request.headers["authorization"]
            found.append((request.method, request.path, kind, params, credential))

    with world(in_process=False) as one:
        one.server.reached = note
        call(one)
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (send_ours, send_theirs),
        (send_ours_by_v2, send_theirs_by_v2),
        (stream_ours, stream_theirs),
    ],
    ids=["v1", "v2", "stream"],
)
def test_they_are_the_same(ours, theirs):
    sent = requests_of(ours)
    assert len(sent) >= 2
    assert sent == requests_of(theirs)
