"""The six calls on billing meters. Source: /v1/billing/meters of Stripe's specification."""

from __future__ import annotations

from .errors import RequestError, no_such
from .lists import PAGING, page
from .messages import Json
from .params import Param, Shape, choice, expand, nest, text
from .state import Call

URL = "/v1/billing/meters"

_FIELDS = ("customer_mapping", "default_aggregation", "status_transitions", "value_settings")
_EXPAND: Shape = {"expand": Param(expand(*_FIELDS))}

CREATE: Shape = _EXPAND | {
    "customer_mapping": Param(
        nest(
            {
                "event_payload_key": Param(text(100), required=True),
                "type": Param(choice("by_id"), required=True),
            }
        )
    ),
    "default_aggregation": Param(
        nest({"formula": Param(choice("count", "last", "sum"), required=True)}), required=True
    ),
    "display_name": Param(text(250), required=True),
    "event_name": Param(text(100), required=True),
    "event_time_window": Param(choice("day", "hour")),
    "value_settings": Param(nest({"event_payload_key": Param(text(100), required=True)})),
}
UPDATE: Shape = _EXPAND | {"display_name": Param(text(250))}
READ: Shape = _EXPAND
LIST: Shape = PAGING | {
    "expand": Param(expand("data", *(f"data.{name}" for name in _FIELDS))),
    "status": Param(choice("active", "inactive")),
}


def create(call: Call) -> Json:
    """Create a meter, its omitted fields filled in; refused while its event_name is occupied."""
    asked = call.params
    _free_name(call, asked["event_name"], call.settings.name_scope)
    now = int(call.now)
    meter: Json = {
        "id": call.ledger.new_id("mtr"),
        "object": "billing.meter",
        "created": now,
        "customer_mapping": asked.get(
            "customer_mapping", {"event_payload_key": "stripe_customer_id", "type": "by_id"}
        ),
        "default_aggregation": asked["default_aggregation"],
        "display_name": asked["display_name"],
        "event_name": asked["event_name"],
        "event_time_window": asked.get("event_time_window"),
        "livemode": call.ledger.account.livemode,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": asked.get("value_settings", {"event_payload_key": "value"}),
    }
    call.put("meters", meter, "billing.meter.created")
    return meter


def retrieve(call: Call) -> Json:
    """The meter of an id, active or inactive."""
    if call.object_id not in call.ledger.meters:
        raise no_such(call.settings.noun, call.object_id)
    return call.ledger.meters[call.object_id]


def update(call: Call) -> Json:
    """Change the display_name; the same one changes nothing."""
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
    """Deactivate the meter; its prices stay as they are."""
    meter = retrieve(call)
    if meter["status"] == "inactive":
        return _repeated(meter, call.settings.deactivate_inactive)
    new = _moved(call, meter, "inactive", int(call.now))
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
        return _repeated(meter, call.settings.reactivate_active)
    conflict = call.settings.reactivate_conflict == "conflict"
    _free_name(call, meter["event_name"], "active", 409 if conflict else 400)
    new = _moved(call, meter, "active", None)
    call.put("meters", new, "billing.meter.reactivated")
    return new


def list_(call: Call) -> Json:
    """A page of meters; there is no filter by event_name."""
    status = call.params.get("status")
    if status is None and call.settings.list_scope == "active":
        status = "active"
    return page(
        call, "meters", call.settings.noun, URL, lambda meter: status in (None, meter["status"])
    )


def _free_name(call: Call, event_name: str, scope: str, status: int = 400) -> None:
    """Raise RequestError, in the words that were observed, while the name is occupied."""
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


def _repeated(meter: Json, repeat: str) -> Json:
    """Answer a change to the status that the meter has already."""
    if repeat == "error":
        text = f"The meter {meter['id']} is already {meter['status']}."
        raise RequestError(400, text)
    return meter


def _moved(call: Call, meter: Json, status: str, deactivated_at: int | None) -> Json:
    """The meter in another status."""
    new = meter | {"status": status, "status_transitions": {"deactivated_at": deactivated_at}}
    if call.settings.updated_moves == "on":
        new["updated"] = int(call.now)
    return new
