"""Usage with the official `stripe` package: both addresses, both versions, sync and async."""

import asyncio
from itertools import pairwise

import pytest
import stripe
from emulator.client import CUSTOMERS, DAY, meter

from reconciler.emulator import Server, Settings, open_state

REPORTS = [
    "v1.billing.meter.error_report_triggered",
    "v1.billing.meter.no_meter_found",
]


def connect(server, key="sk_test_emulator", **more):
    addresses = {"api": server.url, "meter_events": server.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0, **more)


def serve(clock, **settings):
    return Server(open_state(None, {"customers": CUSTOMERS}), Settings(**settings), clock=clock)


@pytest.fixture
def server(clock):
    with serve(clock) as running:
        yield running


@pytest.fixture
def client(server):
    return connect(server)


@pytest.fixture
def searches(client):
    return client.v1.billing.meters.create(meter())


def event(value, customer="cus_1", **more):
    payload = {"stripe_customer_id": customer, "value": str(value)}
    return {"event_name": "searches", "payload": payload} | more


def period(server, **more):
    day = int(server.now()) // DAY * DAY
    return {"customer": "cus_1", "start_time": day - 40 * DAY, "end_time": day + DAY} | more


def test_sums_by_customer(server, client, searches):
    sent = client.v1.billing.meter_events.create(event(3, identifier="a"))
    assert isinstance(sent, stripe.billing.MeterEvent)
    assert (sent.identifier, sent.payload["value"]) == ("a", "3")
    client.v2.billing.meter_events.create(event(4))
    client.v1.billing.meter_events.create(event(50, "cus_2"))
    summaries = client.v1.billing.meters.event_summaries
    for customer, total in (("cus_1", 7), ("cus_2", 50)):
        (found,) = summaries.list(searches.id, period(server, customer=customer)).data
        assert isinstance(found, stripe.billing.MeterEventSummary)
        assert (found.aggregated_value, found.meter) == (total, searches.id)


def test_auto_paging_over_hours(server, client, searches):
    now = int(server.now())
    for hour in range(60):
        client.v1.billing.meter_events.create(event(hour, timestamp=now - hour * 3600))
    asked = period(server, value_grouping_window="hour", limit=25)
    listed = client.v1.billing.meters.event_summaries.list(searches.id, asked)
    found = list(listed.auto_paging_iter())
    assert [each.aggregated_value for each in found] == list(range(60))
    assert all(one.start_time - 3600 == other.start_time for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"event_name": "nope"}, "no_meter"),
        ({"payload": {"value": "1"}}, "payload_no_customer_defined"),
        ({"payload": {"stripe_customer_id": "cus_1"}}, "payload_no_value_defined"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "x"}}, "payload_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": 1}}, "invalid_fields"),
        ({"identifier": "a"}, "duplicate_meter_event"),
    ],
)
def test_a_refusal_of_v2_has_a_code(client, searches, wrong, code):
    client.v2.billing.meter_events.create(event(1, identifier="a"))
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v2.billing.meter_events.create(event(1) | wrong)
    assert (caught.value.http_status, caught.value.code) == (400, code)
    assert searches.status == "active"


def test_an_archived_meter_and_a_wrong_cancellation(client, searches):
    client.v2.billing.meter_events.create(event(1, identifier="a"))
    client.v1.billing.meters.deactivate(searches.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v2.billing.meter_events.create(event(1))
    assert caught.value.code == "archived_meter"
    asked = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": "a"}}
    cancelled = client.v2.billing.meter_event_adjustments.create(asked)
    assert cancelled.cancel.identifier == "a"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v2.billing.meter_event_adjustments.create(asked)
    assert caught.value.code == "invalid_cancel_configuration"


def test_a_stream_until_its_session_expires(server, client, searches):
    session = client.v2.billing.meter_event_session.create()
    stream = connect(server, session.authentication_token).v2.billing.meter_event_stream
    stream.create({"events": [event(2), event(3), event("x")]})
    server.advance(15 * 60)
    with pytest.raises(stripe.TemporarySessionExpiredError) as caught:
        stream.create({"events": [event(2)]})
    assert caught.value.code == "billing_meter_event_session_expired"
    with pytest.raises(stripe.AuthenticationError):
        client.v2.billing.meter_event_stream.create({"events": [event(2)]})
    (found,) = client.v1.billing.meters.event_summaries.list(searches.id, period(server)).data
    assert found.aggregated_value == 5


def test_reports_are_typed_and_lead_to_their_meter(client, searches):
    for wrong in (event("x", identifier="a"), event(1, "nobody"), event(1, event_name="nope")):
        client.v1.billing.meter_events.create(wrong)
    listed = client.v2.core.events.list({"types": REPORTS, "limit": 1})
    lost, unknown, invalid = listed.auto_paging_iter()
    assert lost.data.reason.error_types[0].code == "no_meter"
    assert unknown.data.reason.error_types[0].code == "meter_event_customer_not_found"
    kind = invalid.data.reason.error_types[0]
    assert (kind.code, kind.error_count) == ("meter_event_invalid_value", 1)
    assert kind.sample_errors[0].request.identifier == "a"
    assert type(invalid).__name__ == "V1BillingMeterErrorReportTriggeredEvent"
    assert invalid.fetch_related_object().id == searches.id
    assert client.v2.core.events.retrieve(lost.id).to_dict() == lost.to_dict()
    of_meter = client.v2.core.events.list({"object_id": searches.id}).data
    assert [each.type.split(".")[-1] for each in of_meter] == [
        *("error_report_triggered", "error_report_triggered", "created"),
    ]


def test_time_passes_when_the_clock_is_moved(server, client, searches):
    """An identifier is unique for a day, events are listed for 30, usage is accepted for 35."""
    start = int(server.now())
    events, core = client.v1.billing.meter_events, client.v2.core.events
    events.create(event(1, identifier="a"))
    with pytest.raises(stripe.InvalidRequestError, match="An event already exists with identifier"):
        events.create(event(1, identifier="a"))
    server.advance(DAY)
    events.create(event(2, identifier="a"))
    events.create(event("x"))
    server.advance(29 * DAY)
    assert len(core.list({"types": REPORTS}).data) == 1
    server.advance(5 * DAY)
    assert core.list({"types": REPORTS}).data == []
    events.create(event(4, timestamp=start))
    server.advance(1)
    events.create(event(8, timestamp=start))
    (report,) = core.list({"types": REPORTS}).data
    assert report.data.reason.error_types[0].code == "timestamp_too_far_in_past"
    (found,) = client.v1.billing.meters.event_summaries.list(searches.id, period(server)).data
    assert found.aggregated_value == 7


def test_usage_and_reports_can_be_late(clock):
    with serve(clock, usage_lag=60.0, report_delay=90.0) as server:
        client = connect(server)
        searches = client.v1.billing.meters.create(meter())
        for value in (5, "x", "y"):
            client.v1.billing.meter_events.create(event(value))

        def look():
            sums = client.v1.billing.meters.event_summaries.list(searches.id, period(server)).data
            reports = client.v2.core.events.list({"types": REPORTS}).data
            return (
                [each.aggregated_value for each in sums],
                [each.data.reason.error_count for each in reports],
            )

        assert look() == ([], [])
        clock.sleep(60)
        assert look() == ([5], [])
        clock.sleep(30)
        assert look() == ([5], [2])


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the package's use of httpx
def test_the_async_client(server):
    """The same calls, many at once."""

    async def run():
        connections = stripe.HTTPXClient()
        client = connect(server, http_client=connections)
        billing = client.v1.billing
        searches = await billing.meters.create_async(meter())
        await asyncio.gather(
            *(billing.meter_events.create_async(event(n, identifier=str(n))) for n in range(10)),
            *(client.v2.billing.meter_events.create_async(event(100)) for _ in range(3)),
            billing.meter_events.create_async(event("x")),
        )
        session = await client.v2.billing.meter_event_session.create_async()
        token = session.authentication_token
        stream = connect(server, token, http_client=connections).v2.billing
        await stream.meter_event_stream.create_async({"events": [event(1000)]})
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            await billing.meter_events.create_async(event(1, identifier="3"))
        sums = await billing.meters.event_summaries.list_async(searches.id, period(server))
        reports = await client.v2.core.events.list_async({"types": REPORTS, "limit": 1})
        kinds = [each.type async for each in reports.auto_paging_iter()]
        await connections.close_async()
        return sums.data[0].aggregated_value, kinds

    assert asyncio.run(run()) == (1345, [REPORTS[0]])
