"""Billing alerts on a meter."""

import pytest
from emulator.catalog import ALERTS, customer, rows, shop

THRESHOLD = {"meter": "mtr_1", "gte": 100, "recurrence": "one_time"}
ALERT = {"title": "Many", "alert_type": "usage_threshold", "usage_threshold": THRESHOLD}


def test_an_alert_is_switched_off_and_archived_for_good():
    emulated = shop()
    made = emulated.post(ALERTS, **ALERT, expand=["usage_threshold.meter"]).json
    path = f"{ALERTS}/{made['id']}"
    assert (made["status"], made["usage_threshold"]["meter"]["id"]) == ("active", "mtr_1")
    assert emulated.post(f"{path}/deactivate").json["status"] == "inactive"
    assert emulated.post(f"{path}/activate").json["status"] == "active"
    assert emulated.get(ALERTS, meter="mtr_1").ids == [made["id"]]
    assert emulated.get(ALERTS, meter="mtr_2").ids == []
    assert emulated.post(f"{path}/archive").json["status"] == "archived"
    assert emulated.post(f"{path}/activate").status == 400
    assert (emulated.get(ALERTS).ids, emulated.get(path).json["status"]) == ([], "archived")


def test_an_alert_may_be_on_one_customer():
    emulated = shop()
    buyer = customer(emulated)
    one = rows({"type": "customer", "customer": buyer})
    made = emulated.post(ALERTS, **ALERT | {"usage_threshold": THRESHOLD | {"filters": one}}).json
    assert made["usage_threshold"]["filters"] == [{"type": "customer", "customer": buyer}]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"usage_threshold": THRESHOLD | {"meter": "mtr_no"}}, "usage_threshold[meter]"),
        ({"usage_threshold": {"gte": 1}}, "usage_threshold[meter]"),
        ({"usage_threshold": THRESHOLD | {"gte": 0}}, "usage_threshold[gte]"),
        ({"title": "x" * 257}, "title"),
        ({"alert_type": "spend"}, "alert_type"),
        ({"usage_threshold": THRESHOLD | {"filters": rows({"type": "customer"})}},
         "usage_threshold[filters][0][customer]"),
    ],
)  # fmt: skip
def test_an_alert_is_strict(more, param):
    refused = shop().post(ALERTS, **ALERT | more)
    assert (refused.status, refused.error["param"]) == (400, param)
