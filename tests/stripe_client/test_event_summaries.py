"""What a customer used of a meter, page after page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from stripe_client.scripted import KEY, Scripted, a_list, http, in_turn
from stripe_client.usage import event, world

from reconciler import MeterEvents, Meters, ServiceError
from reconciler.stripe.errors import InvalidRequestError, UnexpectedAnswerError

HOUR = 3600
DAY = {"customer": "cus_1", "start_time": 1_789_948_800, "end_time": 1_790_035_200}


def test_sums_are_read_to_the_last_page():
    with world() as one, MeterEvents(KEY, **one.options) as events:
        for n in range(5):
            events.send(event(10**n, timestamp=DAY["start_time"] + n * HOUR))
        events.send(event(7, "cus_2"))
        with Meters(KEY, **one.options) as meters:
            hours = list(
                meters.event_summaries(one.meter_id, value_grouping_window="hour", limit=2, **DAY)
            )
            (total,) = meters.event_summaries(one.meter_id, **DAY)
    assert [each.aggregated_value for each in hours] == [10_000, 1000, 100, 10, 1]
    assert {each.end_time - each.start_time for each in hours} == {HOUR}
    assert (total.aggregated_value, total.meter, total.livemode) == (11_111, one.meter_id, False)


def test_times_may_be_those_of_any_zone():
    west = timezone(timedelta(hours=-8))
    times = {name: datetime.fromtimestamp(DAY[name], west) for name in ("start_time", "end_time")}
    assert times["start_time"].hour == 16
    with world() as one, MeterEvents(KEY, **one.options) as events:
        events.send(event(3))
        with Meters(KEY, **one.options) as meters:
            (total,) = meters.event_summaries(one.meter_id, customer="cus_1", **times)
    assert (total.aggregated_value, total.start_time) == (3, DAY["start_time"])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"start_time": datetime.fromtimestamp(0, UTC).replace(tzinfo=None)}, "no time zone"),
        ({"meter_id": "../prices"}, "cannot be the id of a meter"),
        ({"start_time": DAY["start_time"] + 1}, "aligned"),
        ({"customer": "cus_unknown"}, "No such customer"),
    ],
)
def test_what_cannot_be_read_is_an_error(wrong, why):
    with world() as one, Meters(KEY, **one.options) as meters:
        asked = {"meter_id": one.meter_id, **DAY, **wrong}
        with pytest.raises((ServiceError, InvalidRequestError), match=why):
            list(meters.event_summaries(**asked))


@pytest.mark.parametrize("value", [None, "3", True])
def test_a_sum_that_is_no_number_is_an_error(value, clock):
    found = {"id": "mtrusg_1", "meter": "mtr_1", "aggregated_value": value, "livemode": False}
    entry = found | {"start_time": 0, "end_time": 60}
    with (
        Scripted(in_turn(http(200, a_list(entry)))) as server,
        Meters(KEY, api_base=server.url, clock=clock) as meters,
        pytest.raises(UnexpectedAnswerError, match="aggregated_value"),
    ):
        list(meters.event_summaries("mtr_1", **DAY))
