"""Billing alerts on the usage of a meter. Source: /v1/billing/alerts of Stripe's specification."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import ExpandOf, show, show_page
from ..requests.pagination import build_list_shape, build_page
from ..requests.params import Choice, Nested, Shape, Text, Whole
from ..requests.values import Hashes
from ..state import Call

URL = "/v1/billing/alerts"

_KIND = Choice(("usage_threshold",))
READ: Shape = {"expand": ExpandOf("billing.alert")}
CREATE: Shape = READ | {
    "alert_type": Choice(("usage_threshold",), required=True),
    "title": Text(256, required=True),
    "usage_threshold": Nested(
        {
            "filters": Hashes(
                {"customer": Text(5000), "type": Choice(("customer",), required=True)}, most=1
            ),
            "gte": Whole(1, required=True),
            "meter": Text(5000, required=True),
            "recurrence": Choice(("one_time",), required=True),
        },
    ),
}
LIST = build_list_shape((), {"alert_type": _KIND, "meter": Text(5000)}) | {
    "expand": ExpandOf("billing.alert", listed=True)
}


def create(call: Call) -> Json:
    """Create an active alert on a meter, for all customers or for one."""
    asked = call.params.get("usage_threshold")
    if asked is None:
        text = "Missing required param: usage_threshold."
        raise RequestError.invalid("usage_threshold", text, "parameter_missing")
    if asked["meter"] not in call.ledger.meters:
        param = "usage_threshold[meter]"
        raise RequestError.no_such(call.settings.noun, asked["meter"], param, 400)
    for n, each in enumerate(asked.get("filters", ())):
        _check_customer(call, each.get("customer"), f"usage_threshold[filters][{n}][customer]")
    alert = build_alert(
        call.params["title"],
        asked,
        id=call.ledger.create_id("alrt"),
        livemode=call.ledger.account.livemode,
    )
    call.change["alerts"].append(alert)
    return show(call, alert)


def build_alert(title: str, threshold: Json, **known: Any) -> Json:
    """Build an alert in the API's shape."""
    return {
        "object": "billing.alert",
        "alert_type": "usage_threshold",
        "status": "active",
        "title": title,
        "usage_threshold": {"filters": [], "recurrence": "one_time"} | threshold,
    } | known


def retrieve(call: Call) -> Json:
    """Return the alert of an id."""
    return show(call, call.find("alerts", "billing alert"))


def activate(call: Call) -> Json:
    """Activate an alert."""
    return _set_status(call, "active")


def deactivate(call: Call) -> Json:
    """Deactivate an alert."""
    return _set_status(call, "inactive")


def archive(call: Call) -> Json:
    """Archive an alert for good."""
    return _set_status(call, "archived")


def list_(call: Call) -> Json:
    """List the alerts that are not archived."""
    asked = call.params.get("meter")

    def select(alert: Json) -> bool:
        meter = alert["usage_threshold"]["meter"]
        return alert["status"] != "archived" and asked in (None, meter)

    return show_page(call, build_page(call, "alerts", "billing alert", URL, select))


def _set_status(call: Call, status: str) -> Json:
    alert = call.find("alerts", "billing alert")
    if alert["status"] == "archived" != status:
        text = f"The alert {alert['id']} is archived; that cannot be undone."
        raise RequestError(400, text)
    if alert["status"] != status:
        alert = alert | {"status": status}
        call.change["alerts"].append(alert)
    return show(call, alert)


def _check_customer(call: Call, customer_id: str | None, param: str) -> None:
    if customer_id is None:
        text = f"Missing required param: {param}."
        raise RequestError.invalid(param, text, "parameter_missing")
    found = call.get("customers", customer_id)
    if found is None or found.get("deleted"):
        raise RequestError.no_such("customer", customer_id, param, 400)
