"""Pages, prices and events: what lists contain, in which order, and when."""

import pytest
from emulator.client import DAY, EVENTS, METERS, PRICES, PRODUCT, START, account, meter


@pytest.fixture(scope="module")
def twenty_five():
    """An account of 25 meters, every fifth one inactive, created a second apart."""
    emulated = account()
    for n in range(25):
        path = emulated.create(f"m{n}")
        if n % 5 == 0:
            emulated.post(f"{path}/deactivate")
        emulated.now += 1
    return emulated


@pytest.fixture(scope="module")
def newest_first(twenty_five):
    return [each["id"] for each in reversed(twenty_five.meters)]


def test_a_page_has_ten_objects_by_default(twenty_five, newest_first):
    page = twenty_five.get().json
    assert [each["id"] for each in page.pop("data")] == newest_first[:10]
    assert page == {"object": "list", "has_more": True, "url": METERS}


@pytest.mark.parametrize("limit", [1, 7, 24, 25, 100])
def test_starting_after_pages_through_everything_once(twenty_five, newest_first, limit):
    page = twenty_five.get(limit=limit)
    found = page.ids
    while page.json["has_more"]:
        page = twenty_five.get(limit=limit, starting_after=found[-1])
        found += page.ids
    assert found == newest_first


@pytest.mark.parametrize(("position", "start", "more"), [(10, 7, True), (2, 0, False)])
def test_ending_before_gives_the_objects_right_before(
    twenty_five, newest_first, position, start, more
):
    page = twenty_five.get(limit=3, ending_before=newest_first[position])
    assert page.ids == newest_first[start:position]
    assert page.json["has_more"] is more


def test_the_object_of_a_cursor_may_be_filtered_out(twenty_five, newest_first):
    """A meter whose status changed between two pages still marks its position."""
    inactive = twenty_five.get(status="inactive").ids[0]
    position = newest_first.index(inactive)
    page = twenty_five.get(status="active", starting_after=inactive, limit=2)
    assert page.ids == newest_first[position + 1 : position + 3]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"limit": "ten"}, "parameter_invalid_integer", "limit"),
        ({"limit": "\u0661"}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "a", "ending_before": "b"}, "resource_missing", "starting_after"),
        ({"starting_after": "mtr_nope"}, "resource_missing", "starting_after"),
        ({"event_name": "m1"}, "parameter_unknown", "event_name"),
    ],
)
def test_a_list_of_meters_refuses(twenty_five, params, code, param):
    response = twenty_five.get(**params)
    assert response.status == 400
    assert (response.error["code"], response.error["param"]) == (code, param)


def test_lists_may_lag():
    """With `list_lag`, a list shows an earlier state; a read by id shows the current one."""
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
    (listed,) = emulated.get().json["data"]
    assert (listed["status"], listed["display_name"]) == ("inactive", made["display_name"])
    emulated.now += 2
    assert emulated.get().json["data"] == [renamed]


def price(path, **more):
    """The parameters of a metered price on the meter of a path."""
    recurring = {"interval": "month", "meter": path.split("/")[-1], "usage_type": "metered"}
    asked = {"currency": "usd", "product": "prod_1", "unit_amount": 5, "recurring": recurring}
    return asked | more


def test_a_price_is_found_by_its_meter():
    """Only active prices are listed unless `active=false` is given."""
    emulated = account(seed=PRODUCT)
    one, other = emulated.create("a"), emulated.create("b")
    found = {"recurring": {"meter": one.split("/")[-1]}}
    made = emulated.post(PRICES, **price(one, nickname="Per call")).json
    assert made["recurring"]["meter"] == found["recurring"]["meter"]
    assert (made["type"], made["unit_amount_decimal"]) == ("recurring", "5")
    archived = emulated.post(PRICES, **price(one)).json["id"]
    emulated.post(PRICES, **price(other))
    emulated.post(f"{PRICES}/{archived}", active=False)
    assert emulated.get(PRICES, **found).json["data"] == [made]
    assert emulated.get(PRICES, **found, active=False).ids == [archived]
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
def test_a_price_is_strict(more, param):
    response = account(seed=PRODUCT).post(PRICES, **price("mtr_1") | more)
    assert (response.status, response.error["param"]) == (400, param)


def test_an_inactive_meter_keeps_its_prices_and_gets_no_new_one():
    emulated = account(seed=PRODUCT)
    path = emulated.create()
    emulated.post(PRICES, **price(path))
    emulated.post(f"{path}/deactivate")
    assert emulated.post(PRICES, **price(path)).status == 400
    assert len(emulated.get(PRICES).ids) == 1


def test_a_fraction_of_a_cent_has_no_unit_amount():
    emulated = account(seed=PRODUCT)
    asked = price(emulated.create(), unit_amount_decimal="0.50")
    del asked["unit_amount"]
    made = emulated.post(PRICES, **asked).json
    assert (made["unit_amount"], made["unit_amount_decimal"]) == (None, "0.5")


@pytest.fixture
def changed():
    """A meter that was created, renamed, deactivated and reactivated, a minute apart."""
    emulated = account()
    path = f"{METERS}/{emulated.post(key='k1', **meter()).json['id']}"
    for key, operation, params in [
        ("k2", "", {"display_name": "New"}),
        (None, "/deactivate", {}),
        ("k4", "/reactivate", {}),
    ]:
        emulated.now += 60
        emulated.post(path + operation, key, **params)
    return emulated


def test_events_say_what_changed_and_by_which_request(changed):
    """Newest first; only an update has previous attributes."""
    events = changed.get(EVENTS).json["data"]
    renamed = {"display_name": "The searches", "updated": int(START)}
    assert [
        (
            event["type"].split(".")[-1],
            event["request"]["idempotency_key"],
            event["data"].get("previous_attributes"),
        )
        for event in events
    ] == [
        ("reactivated", "k4", None),
        ("deactivated", None, None),
        ("updated", "k2", renamed),
        ("created", "k1", None),
    ]
    assert all(event["request"]["id"].startswith("req_") for event in events)
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
def test_events_are_filtered(changed, params, count):
    assert len(changed.get(EVENTS, **params).ids) == count


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "a", "types": ["b"]}, "type"),
        ({"types": ["x"] * 21}, "types"),
        ({"created": {"since": 1}}, "created[since]"),
    ],
)
def test_a_list_of_events_refuses(changed, params, param):
    response = changed.get(EVENTS, **params)
    assert (response.status, response.error["param"]) == (400, param)


def test_events_are_kept_for_thirty_days(changed):
    oldest = changed.get(EVENTS).ids[-1]
    changed.now = START + 30 * DAY
    assert changed.get(f"{EVENTS}/{oldest}").status == 200
    changed.now += 1
    assert oldest not in changed.get(EVENTS).ids
    assert changed.get(f"{EVENTS}/{oldest}").status == 404


def test_a_deactivation_may_emit_an_update_too():
    emulated = account(deactivate_emits_updated="on")
    path = emulated.create()
    emulated.now += 1
    emulated.post(f"{path}/deactivate")
    types = [event["type"].split(".")[-1] for event in emulated.events]
    assert types == ["created", "deactivated", "updated"]
    previous = emulated.events[-1]["data"]["previous_attributes"]
    assert set(previous) == {"status", "status_transitions", "updated"}


SEED = {
    "account": {"id": "acct_9"},
    "meters": [meter("seats", id="mtr_1")],
    "prices": [{"id": "price_1", "meter": "mtr_1", "product": "prod_1"}],
    "events": [{"id": "evt_1", "meter": "mtr_1", "type": "billing.meter.created"}],
}


def test_a_product_is_an_object_only_where_it_is_expanded():
    """In lists, alone, and in the answers of writes."""
    emulated = account(seed=SEED)
    one = f"{PRICES}/price_1"
    for found in (
        emulated.get(PRICES, expand=["data.product"]).json["data"][0],
        emulated.get(one, expand=["product"]).json,
        emulated.post(one, nickname="n", expand=["product"]).json,
        emulated.post(one, nickname="n", expand=["product"]).json,
    ):
        assert (found["product"]["id"], found["product"]["object"]) == ("prod_1", "product")
    assert emulated.get(one).json["product"] == "prod_1"
    assert emulated.get(PRICES).json["data"][0]["product"] == "prod_1"


OF_PRICES = "currency_options custom_unit_amount product recurring tiers transform_quantity"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PRICES, [f"data.{name}" for name in OF_PRICES.split()]),
        (f"{PRICES}/price_1", OF_PRICES.split()),
        (EVENTS, ["data", "data.data", "data.request"]),
        (f"{EVENTS}/evt_1", ["data", "request"]),
        ("/v1/account", ["controller", "external_accounts", "settings", "tos_acceptance"]),
        (METERS, ["data.customer_mapping", "data.default_aggregation", "data.value_settings"]),
    ],
)
def test_only_the_fields_of_the_specification_can_be_expanded(path, fields):
    emulated = account(seed=SEED)
    emulated.now = 1_735_689_600 + 60  # soon after the seeded event
    for field in fields:
        assert emulated.get(path, expand=[field]).status == 200, field
        assert emulated.get(path, expand=[f"{field}.x"]).status == 400
    assert emulated.get(path, expand=["x"]).status == 400


def test_the_account_has_no_invented_settings():
    found = account(seed=SEED).get("/v1/account").json
    assert (found["id"], found["object"]) == ("acct_9", "account")
    assert "settings" not in found
