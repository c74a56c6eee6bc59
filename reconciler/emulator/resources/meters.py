"""The six calls on billing meters. Source: /v1/billing/meters of Stripe's specification."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.pagination import build_list_shape, build_page
from ..requests.params import Choice, Expand, Nested, Shape, Text, check_choice
from ..state import Call

URL = "/v1/billing/meters"
FORMULAS = ("count", "last", "sum")
WINDOWS = ("day", "hour")

_FIELDS = ("customer_mapping", "default_aggregation", "status_transitions", "value_settings")
READ: Shape = {"expand": Expand(_FIELDS)}
CREATE: Shape = READ | {
    "customer_mapping": Nested(
        {
            "event_payload_key": Text(100, required=True),
            "type": Choice(("by_id",), required=True),
        }
    ),
    "default_aggregation": Nested(
        {"formula": Choice(FORMULAS, is_open=True, required=True)}, required=True
    ),
    "display_name": Text(250, required=True),
    "event_name": Text(100, required=True),
    "event_time_window": Choice(WINDOWS, is_open=True),
    "value_settings": Nested({"event_payload_key": Text(100, required=True)}),
}
UPDATE: Shape = READ | {"display_name": Text(250)}
LIST = build_list_shape(_FIELDS, {"status": Choice(("active", "inactive"))})


def create(call: Call) -> Json:
    """Create a meter with default values; refused while its event_name is occupied."""
    if call.settings.unknown_values == "refuse":
        _check_values(call.params)
    _check_name(call, call.params["event_name"], call.settings.name_scope)
    meter = build_meter(
        call.params,
        id=call.ledger.create_id("mtr"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
    )
    call.put("meters", meter, "billing.meter.created")
    return meter


def _check_values(asked: Json) -> None:
    """Raise RequestError for values that Stripe may accept one day: its enumerations are open."""
    formula = asked["default_aggregation"]["formula"]
    check_choice("default_aggregation[formula]", formula, FORMULAS)
    check_choice("event_time_window", asked.get("event_time_window", WINDOWS[0]), WINDOWS)


def build_meter(asked: Json, **known: Any) -> Json:
    """Build a meter in the API's shape, active and never updated unless `known` has others."""
    mapping = {"event_payload_key": "stripe_customer_id", "type": "by_id"}
    return {
        "object": "billing.meter",
        "customer_mapping": mapping | asked.get("customer_mapping", {}),
        "default_aggregation": asked["default_aggregation"],
        "display_name": asked["display_name"],
        "event_name": asked["event_name"],
        "event_time_window": asked.get("event_time_window"),
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": known["created"],
        "value_settings": {"event_payload_key": "value"} | asked.get("value_settings", {}),
    } | known


def retrieve(call: Call) -> Json:
    """Return the meter of an id, active or inactive."""
    return call.find("meters", call.settings.noun)


def update(call: Call) -> Json:
    """Change the display_name; the same one has no effect."""
    meter = retrieve(call)
    if meter["status"] == "inactive" and call.settings.update_inactive == "error":
        raise RequestError(400, f"The meter {meter['id']} is inactive and cannot be updated.")
    name = call.params.get("display_name", meter["display_name"])
    if name == meter["display_name"]:
        return meter
    new = meter | {"display_name": name, "updated": int(call.now)}
    previous = {"display_name": meter["display_name"], "updated": meter["updated"]}
    call.put("meters", new, "billing.meter.updated", previous)
    return new


def deactivate(call: Call) -> Json:
    """Deactivate the meter; its prices are not changed."""
    meter = retrieve(call)
    if meter["status"] == "inactive":
        return _accept_repetition(meter, call.settings.deactivate_inactive)
    new = _set_status(call, meter, "inactive", int(call.now))
    call.put("meters", new, "billing.meter.deactivated")
    if call.settings.deactivate_emits_updated == "on":
        fields = ("status", "status_transitions", "updated")
        previous = {name: meter[name] for name in fields if meter[name] != new[name]}
        call.emit(new, "billing.meter.updated", previous)
    return new


def reactivate(call: Call) -> Json:
    """Reactivate the meter; refused while another active one has its event_name."""
    meter = retrieve(call)
    if meter["status"] == "active":
        return _accept_repetition(meter, call.settings.reactivate_active)
    conflict = call.settings.reactivate_conflict == "conflict"
    _check_name(call, meter["event_name"], "active", 409 if conflict else 400)
    new = _set_status(call, meter, "active", None)
    call.put("meters", new, "billing.meter.reactivated")
    return new


def list_(call: Call) -> Json:
    """List meters; there is no filter by event_name."""
    status = call.params.get("status")
    if status is None and call.settings.list_scope == "active":
        status = "active"
    noun = call.settings.noun
    return build_page(call, "meters", noun, URL, lambda it: status in (None, it["status"]))


def _check_name(call: Call, event_name: str, scope: str, status: int = 400) -> None:
    """Raise RequestError, with the message that was observed, while the name is occupied."""
    for meter in call.ledger.meters.values():
        if meter["event_name"] == event_name and (scope == "all" or meter["status"] == "active"):
            coded = call.settings.duplicate_error == "coded"
            raise RequestError(
                status,
                f"An active meter already exists for event name '{event_name}'. To create a new "
                "meter with the same event name, first deactivate the currently active meter.",
                "resource_already_exists" if coded else None,
                "event_name" if coded else None,
            )


def _accept_repetition(meter: Json, setting: str) -> Json:
    """Answer a change to the status that the meter already has."""
    if setting == "error":
        raise RequestError(400, f"The meter {meter['id']} is already {meter['status']}.")
    return meter


def _set_status(call: Call, meter: Json, status: str, deactivated_at: int | None) -> Json:
    new = meter | {"status": status, "status_transitions": {"deactivated_at": deactivated_at}}
    if call.settings.updated_moves == "on":
        new["updated"] = int(call.now)
    return new
