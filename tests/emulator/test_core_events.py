"""Thin events: reports of rejected usage, changes of objects, filters, pages, and their age."""

from urllib.parse import parse_qsl

import pytest
from emulator.client import CORE_EVENTS, CUSTOMERS, DAY, PRICES, START, account, meter

from reconciler.emulator import open_state
from reconciler.emulator.handle_request import edit
from reconciler.emulator.state import State

REPORT = "v1.billing.meter.error_report_triggered"
NOWHERE = "v1.billing.meter.no_meter_found"


def make(**settings):
    """An account with a meter, and the id of the meter."""
    one = account(seed={"customers": CUSTOMERS}, **settings)
    return one, one.create().split("/")[-1]


def follow(one, url):
    path, _, query = url.partition("?")
    return one.get(path, **dict(parse_qsl(query))).json


def test_a_report_has_the_shape_of_the_api():
    one, meter_id = make()
    one.use("x", identifier="a")
    (found,) = one.get(CORE_EVENTS, types=[REPORT]).json["data"]
    assert found.pop("id").startswith("evt_test_65")
    assert found == {
        "object": "v2.core.event",
        "changes": None,
        "context": None,
        "created": "2026-09-21T14:13:20.000Z",
        "data": {
            "developer_message_summary": "There is 1 invalid event",
            "reason": {
                "error_count": 1,
                "error_types": [
                    {
                        "code": "meter_event_invalid_value",
                        "error_count": 1,
                        "sample_errors": [
                            {
                                "error_message": "Invalid value for key value: x is not a whole "
                                "number.",
                                "request": {"identifier": "a"},
                            }
                        ],
                    }
                ],
            },
            "validation_end": "2026-09-21T14:13:20.000Z",
            "validation_start": "2026-09-21T14:13:20.000Z",
        },
        "livemode": False,
        "reason": None,
        "related_object": {
            "id": meter_id,
            "type": "billing.meter",
            "url": f"/v1/billing/meters/{meter_id}",
        },
        "snapshot_event": None,
        "type": REPORT,
    }


def test_a_report_about_no_meter_names_none():
    one, _ = make()
    one.use(event_name="nope", identifier="a")
    (found,) = one.get(CORE_EVENTS, types=[NOWHERE]).json["data"]
    assert (found["type"], found["related_object"]) == (NOWHERE, None)
    (kind,) = found["data"]["reason"]["error_types"]
    assert kind["sample_errors"] == [
        {
            "error_message": "No meter was found matching event_name nope.",
            "request": {"identifier": "a"},
        }
    ]


def test_reports_are_read_by_id():
    one, _ = make()
    one.use("x")
    listed = one.get(CORE_EVENTS).json["data"]
    assert len(listed) == 2
    for each in listed:
        assert one.get(f"{CORE_EVENTS}/{each['id']}").json == each
    snapshot = listed[1]["snapshot_event"]
    for other in ("evt_0", snapshot):
        missing = one.get(f"{CORE_EVENTS}/{other}")
        assert (missing.status, missing.error["code"]) == (404, "not_found")


def test_a_delayed_report_collects_what_comes_before_it():
    one, meter_id = make(report_delay=60.0)
    one.use("x", identifier="a")
    one.now += 30
    one.use("y", identifier="b")
    one.use("1" * 16)
    one.use(event_name="nope")
    assert one.reports() == []
    one.now += 30
    codes = {"meter_event_invalid_value": 2, "meter_event_value_too_many_digits": 1}
    report = ("error_report_triggered", meter_id, codes)
    assert one.reports() == [report]
    (found,) = one.get(CORE_EVENTS, types=[REPORT]).json["data"]
    assert found["data"]["developer_message_summary"] == "There are 3 invalid events"
    assert found["created"] == "2026-09-21T14:14:20.000Z"
    assert found["data"]["validation_start"] == "2026-09-21T14:13:20.000Z"
    assert found["data"]["validation_end"] == "2026-09-21T14:13:50.000Z"
    one.now += 30
    one.use("z")
    assert one.reports() == [("no_meter_found", None, {"no_meter": 1}), report]


def test_a_report_counts_all_and_shows_ten():
    one, _ = make(report_delay=60.0)
    for n in range(12):
        one.use("x", identifier=str(n))
    one.now += 60
    (found,) = one.get(CORE_EVENTS, types=[REPORT]).json["data"]
    (kind,) = found["data"]["reason"]["error_types"]
    shown = [each["request"]["identifier"] for each in kind["sample_errors"]]
    assert (kind["error_count"], shown) == (12, [str(n) for n in range(10)])


@pytest.mark.parametrize(("setting", "shown"), [("identifier", "a"), ("idempotency_key", "k")])
def test_what_identifies_an_event_in_a_report_is_a_switch(setting, shown):
    one, _ = make(report_identifier=setting)
    payload = {"stripe_customer_id": "cus_1", "value": "x"}
    one.post("/v1/billing/meter_events", "k", event_name="searches", payload=payload,
             identifier="a")  # fmt: skip
    (found,) = one.get(CORE_EVENTS, types=[REPORT]).json["data"]
    (kind,) = found["data"]["reason"]["error_types"]
    assert kind["sample_errors"][0]["request"] == {"identifier": shown}


def test_changes_of_objects_are_events_too():
    one = account()
    made = one.post(**meter(), key="k")
    meter_id = made.json["id"]
    one.now += 60
    one.post(f"/v1/billing/meters/{meter_id}", display_name="Other")
    updated, created = one.get(CORE_EVENTS).json["data"]
    assert created["type"] == "v1.billing.meter.created"
    assert created["reason"] == {
        "type": "request",
        "request": {"id": made.headers["Request-Id"], "idempotency_key": "k"},
    }
    assert created["related_object"]["id"] == meter_id
    assert created["changes"] is None
    assert updated["type"] == "v1.billing.meter.updated"
    assert updated["changes"] == {
        "before": {"display_name": "The searches", "updated": START},
        "after": {"display_name": "Other", "updated": START + 60},
    }
    snapshots = [each["id"] for each in one.get("/v1/events").json["data"]]
    assert [updated["snapshot_event"], created["snapshot_event"]] == snapshots


def test_an_edit_in_the_dashboard_has_no_reason():
    state = State(open_state().ledger)
    edit(state, "/v1/billing/meters", meter(), START)
    one = account()
    one.state = state
    (found,) = one.get(CORE_EVENTS).json["data"]
    assert found["reason"] is None


def test_events_are_filtered():
    one, meter_id = make()
    one.post(PRICES, currency="usd", unit_amount=1, product_data={"name": "x"})
    one.now += 10
    one.use("x")
    one.now += 10
    one.use(event_name="nope")

    def kinds(**filters):
        found = one.get(CORE_EVENTS, **filters)
        assert found.status == 200, found.body
        return [each["type"].split(".")[-1] for each in found.json["data"]]

    assert kinds()[:2] == ["no_meter_found", "error_report_triggered"]
    assert kinds(object_id=meter_id) == ["error_report_triggered", "created"]
    assert kinds(types=[REPORT, NOWHERE]) == ["no_meter_found", "error_report_triggered"]
    assert kinds(types=REPORT) == ["error_report_triggered"]
    assert kinds(types=["v1.price.created"]) == ["created"]
    assert kinds(object_id=meter_id, types=[NOWHERE]) == []
    at = "2026-09-21T14:13:30Z"
    assert kinds(created={"gt": at}) == ["no_meter_found"]
    assert kinds(created={"gte": at}) == ["no_meter_found", "error_report_triggered"]
    assert kinds(created={"gte": at, "lt": "2026-09-21T16:13:40+02:00"}) == [
        "error_report_triggered"
    ]
    assert kinds(created={"lte": at}, types=[REPORT, NOWHERE]) == ["error_report_triggered"]


def test_pages_hold_each_event_once_and_lead_back():
    one, meter_id = make()
    for n in range(7):
        one.now += 1
        one.use("x", identifier=str(n))
    filters = {"object_id": meter_id, "types": [REPORT], "created": {"gt": "2026-09-21T14:13:20Z"}}
    everything = one.get(CORE_EVENTS, **filters).json
    assert everything["next_page_url"] is everything["previous_page_url"] is None
    page = one.get(CORE_EVENTS, limit=3, **filters).json
    assert page["previous_page_url"] is None
    found, pages = list(page["data"]), [page]
    while page["next_page_url"]:
        one.use("x")  # a new event does not shift the pages
        page = follow(one, page["next_page_url"])
        found += page["data"]
        pages.append(page)
    assert found == everything["data"]
    assert [len(each["data"]) for each in pages] == [3, 3, 1]
    assert follow(one, page["previous_page_url"])["data"] == pages[1]["data"]


@pytest.mark.parametrize(
    "wrong",
    [{"limit": 0}, {"limit": 101}, {"page": "x"}, {"page": "YWZ0ZXI6eA=="}, {"created": "2026"},
     {"created": {"gt": "1790000000"}}, {"created": {"after": "2026-01-01T00:00:00Z"}},
     {"types": ["a"] * 21}, {"type": REPORT}, {"starting_after": "evt_1"}],
)  # fmt: skip
def test_malformed_filters_are_refused_in_the_shape_of_v2(wrong):
    one, _ = make()
    refused = one.get(CORE_EVENTS, **wrong)
    assert refused.status == 400
    assert set(refused.error) == {"code", "message"}
    assert refused.error["code"] == "invalid_fields"
    assert next(iter(wrong)) in refused.error["message"]


def test_events_are_kept_for_thirty_days():
    one, _ = make()
    one.use("x")
    one.now += 30 * DAY
    assert len(one.get(CORE_EVENTS).json["data"]) == 2
    one.now += 1
    assert one.get(CORE_EVENTS).json["data"] == []


def test_the_state_file_keeps_usage_and_reports(tmp_path):
    one = account()
    with open_state(tmp_path / "state", {"customers": CUSTOMERS}) as store:
        one.state = State(store.ledger)
        path = one.create()
        one.use(3, identifier="a")
        one.use("x")
        before = one.get(CORE_EVENTS).json
    with open_state(tmp_path / "state") as store:
        one.state = State(store.ledger)
        assert one.get(CORE_EVENTS).json == before
        assert one.sums(path) == [3]
        assert one.use(3, identifier="a").status == 400
        one.use("x")
        ids = [each["id"] for each in one.get(CORE_EVENTS).json["data"]]
        assert len(set(ids)) == len(ids) == 3
