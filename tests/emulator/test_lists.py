"""Pages, prices and events: what lists hold, in which order, and when."""

import pytest
from emulator.asking import METERS, START, account, meter

PRICES, EVENTS = "/v1/prices", "/v1/events"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def twenty_five():
    """An account of 25 meters, every fifth one inactive, made second by second."""
    emulated = account()
    for n in range(25):
        made = emulated.post(**meter(f"m{n}")).json
        if n % 5 == 0:
            emulated.post(f"{METERS}/{made['id']}/deactivate")
        emulated.now += 1
    return emulated


@pytest.fixture(scope="module")
def newest_first(twenty_five):
    return [each["id"] for each in reversed(twenty_five.meters)]


def test_a_page_has_ten_unless_asked_otherwise(twenty_five, newest_first):
    """Newest first, with the fields that every list has."""
    page = twenty_five.get().json
    assert [each["id"] for each in page.pop("data")] == newest_first[:10]
    assert page == {"object": "list", "has_more": True, "url": METERS}


@pytest.mark.parametrize("limit", [1, 7, 24, 25, 100])
def test_paging_on_visits_everything_once(twenty_five, newest_first, limit):
    """`starting_after` the last id, until `has_more` is false."""
    page = twenty_five.get(limit=limit)
    seen = page.ids
    while page.json["has_more"]:
        page = twenty_five.get(limit=limit, starting_after=seen[-1])
        seen += page.ids
    assert seen == newest_first


def test_paging_back_gives_what_stands_right_before(twenty_five, newest_first):
    """`ending_before` gives the nearest ones, still newest first."""
    page = twenty_five.get(limit=3, ending_before=newest_first[10])
    assert page.ids == newest_first[7:10]
    assert page.json["has_more"] is True
    page = twenty_five.get(limit=3, ending_before=newest_first[2])
    assert page.ids == newest_first[:2]
    assert page.json["has_more"] is False


def test_a_cursor_need_not_pass_the_filter(twenty_five, newest_first):
    """A meter that changed its status between two pages still marks its place."""
    inactive = twenty_five.get(status="inactive").ids[0]
    place = newest_first.index(inactive)
    page = twenty_five.get(status="active", starting_after=inactive, limit=2)
    assert page.ids == newest_first[place + 1 : place + 3]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"limit": "ten"}, "parameter_invalid_integer", "limit"),
        ({"limit": "\u0661"}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "a", "ending_before": "b"}, "parameters_exclusive", "starting_after"),
        ({"starting_after": "mtr_nope"}, "resource_missing", "starting_after"),
        ({"event_name": "m1"}, "parameter_unknown", "event_name"),
    ],
)
def test_what_a_list_refuses(twenty_five, params, code, param):
    """Limits off the scale, both cursors, unknown cursors, and the filter that does not exist."""
    said = twenty_five.get(**params)
    assert (said.status, said.error["code"], said.error["param"]) == (400, code, param)


def test_lists_may_lag():
    """With `list_lag`, a list shows what was so then; a read by id always shows what is."""
    emulated = account(list_lag=5.0)
    made = emulated.post(**meter("a")).json
    path = f"{METERS}/{made['id']}"
    assert emulated.get().ids == []
    assert emulated.get(path).json == made
    emulated.now += 5
    assert emulated.get().json["data"] == [made]
    emulated.post(f"{path}/deactivate")
    emulated.now += 2
    renamed = emulated.post(path, display_name="Late").json
    assert emulated.get().json["data"] == [made]
    emulated.now += 3
    assert emulated.get().json["data"][0]["status"] == "inactive"
    assert emulated.get().json["data"][0]["display_name"] == made["display_name"]
    emulated.now += 2
    assert emulated.get().json["data"] == [renamed]


def price(meter_id, **more):
    """The parameters of a metered price."""
    recurring = {"interval": "month", "meter": meter_id, "usage_type": "metered"}
    return {
        "currency": "usd",
        "product": "prod_1",
        "unit_amount": 5,
        "recurring": recurring,
    } | more


def test_a_price_is_bound_to_a_meter_and_found_by_it():
    """Only active prices are listed unless `active=false` is asked for."""
    emulated = account()
    one = emulated.post(**meter("a")).json["id"]
    other = emulated.post(**meter("b")).json["id"]
    made = emulated.post(PRICES, **price(one, nickname="Per call")).json
    assert made["recurring"]["meter"] == one
    assert (made["type"], made["unit_amount_decimal"]) == ("recurring", "5")
    retired = emulated.post(PRICES, **price(one)).json["id"]
    emulated.post(PRICES, **price(other))
    emulated.post(f"{PRICES}/{retired}", active=False)
    found = {"recurring": {"meter": one}}
    assert emulated.get(PRICES, **found).json["data"] == [made]
    assert emulated.get(PRICES, **found, active=False).ids == [retired]
    assert len(emulated.get(PRICES, recurring={"usage_type": "metered"}).ids) == 2
    assert emulated.get(PRICES, type="one_time").ids == []
    assert len(emulated.get(PRICES, product="prod_1", currency="usd").ids) == 2


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"recurring": {"interval": "month", "usage_type": "metered"}}, "recurring[meter]"),
        ({"recurring": {"interval": "month", "meter": "mtr_no", "usage_type": "metered"}},
         "recurring[meter]"),
        ({"recurring": {"interval": "month", "meter": "mtr_no", "usage_type": "licensed"}},
         "recurring[usage_type]"),
        ({"recurring": {"usage_type": "licensed"}}, "recurring[interval]"),
        ({"product_data": {"name": "Both"}}, "product"),
        ({"unit_amount_decimal": "0.5"}, "unit_amount"),
        ({"active": "yes"}, "active"),
    ],
)  # fmt: skip
def test_what_a_price_refuses(more, param):
    """A metered price without a known meter, and parameters that rule each other out."""
    said = account().post(PRICES, **price("mtr_1") | more)
    assert (said.status, said.error["param"]) == (400, param)


def test_no_price_is_made_on_an_inactive_meter():
    """While prices that it has already stay active."""
    emulated = account()
    made = emulated.post(**meter()).json["id"]
    emulated.post(PRICES, **price(made))
    emulated.post(f"{METERS}/{made}/deactivate")
    assert emulated.post(PRICES, **price(made)).status == 400
    assert len(emulated.get(PRICES, recurring={"meter": made}).ids) == 1


def test_a_fraction_of_a_cent_is_a_decimal():
    """`unit_amount` is null where it cannot say it."""
    emulated = account()
    asked = price(emulated.post(**meter()).json["id"], unit_amount_decimal="0.50")
    del asked["unit_amount"]
    made = emulated.post(PRICES, **asked).json
    assert (made["unit_amount"], made["unit_amount_decimal"]) == (None, "0.5")


def story():
    """A meter that was created, renamed, deactivated and reactivated, a minute apart."""
    emulated = account()
    path = f"{METERS}/{emulated.post(key='k1', **meter()).json['id']}"
    for key, at, params in [
        ("k2", path, {"display_name": "New"}),
        (None, f"{path}/deactivate", {}),
        ("k4", f"{path}/reactivate", {}),
    ]:
        emulated.now += 60
        emulated.post(at, key, **params)
    return emulated


def test_events_tell_what_changed_and_by_which_request():
    """Newest first; only an update has previous attributes; each names request and key."""
    events = story().get(EVENTS).json["data"]
    assert [(e["type"].split(".")[-1], e["request"]["idempotency_key"]) for e in events] == [
        ("reactivated", "k4"),
        ("deactivated", None),
        ("updated", "k2"),
        ("created", "k1"),
    ]
    assert all(event["request"]["id"].startswith("req_") for event in events)
    assert [event["data"].get("previous_attributes") for event in events] == [
        None,
        None,
        {"display_name": "The searches", "updated": int(START)},
        None,
    ]
    assert events[1]["data"]["object"]["status"] == "inactive"


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"type": "billing.meter.*"}, 4),
        ({"type": "billing.meter.updated"}, 1),
        ({"type": "price.*"}, 0),
        ({"types": ["billing.meter.created", "billing.meter.deactivated"]}, 2),
        ({"created": {"gte": int(START) + 60}}, 3),
        ({"created": {"gt": int(START) + 60, "lt": int(START) + 180}}, 1),
        ({"created": {"lte": int(START)}}, 1),
        ({"created": int(START) + 120}, 1),
        ({"delivery_success": False}, 0),
        ({"limit": 3}, 3),
    ],
)
def test_events_are_filtered(params, count):
    """By type, wildcards too, by types and by time."""
    assert len(story().get(EVENTS, **params).ids) == count


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "a", "types": ["b"]}, "type"),
        ({"types": ["x"] * 21}, "types"),
        ({"created": {"since": 1}}, "created[since]"),
    ],
)
def test_what_the_list_of_events_refuses(params, param):
    """Type with types, more than 20 of them, unknown bounds."""
    said = story().get(EVENTS, **params)
    assert (said.status, said.error["param"]) == (400, param)


def test_events_are_kept_for_thirty_days():
    """Afterwards they are neither listed nor found by id."""
    emulated = story()
    oldest = emulated.get(EVENTS).ids[-1]
    emulated.now = START + 30 * DAY
    assert emulated.get(f"{EVENTS}/{oldest}").status == 200
    emulated.now += 1
    assert oldest not in emulated.get(EVENTS).ids
    assert emulated.get(f"{EVENTS}/{oldest}").status == 404


def test_a_deactivation_may_emit_an_update_too():
    """The switch for what is not known of Stripe."""
    emulated = account(deactivate_emits_updated="on")
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    emulated.now += 1
    emulated.post(f"{path}/deactivate")
    assert [e["type"].split(".")[-1] for e in emulated.events] == [
        "created",
        "deactivated",
        "updated",
    ]
    assert set(emulated.events[-1]["data"]["previous_attributes"]) == {
        "status",
        "status_transitions",
        "updated",
    }
