"""`expand[]`: which fields an object has for it, and what takes the place of an id.

Source: the `x-expandableFields` of Stripe's specification. A field that is only shown when it is
expanded is stored with its object; what the emulator does not keep (invoices, payment methods)
stays an id or null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..state import Call
from .params import Param, Texts

DEEPEST = 4

_ANY = "*"
_FIELDS: dict[str, dict[str, str]] = {
    "product": {"default_price": "price"}
    | dict.fromkeys(("marketing_features", "package_dimensions", "tax_code"), ""),
    "price": {"product": "product"}
    | dict.fromkeys(("currency_options", "custom_unit_amount", "recurring", "tiers"), "")
    | {"transform_quantity": ""},
    "customer": {"subscriptions": "subscriptions", "invoice_settings": "invoice_settings"}
    | dict.fromkeys(("default_source", "discount", "sources", "test_clock"), _ANY)
    | dict.fromkeys(("address", "cash_balance", "shipping", "tax", "tax_ids"), ""),
    "invoice_settings": {"default_payment_method": _ANY},
    "subscriptions": {"data": "subscription"},
    "subscription": {"customer": "customer", "items": "subscription_items"}
    | dict.fromkeys(("automatic_tax", "billing_mode", "billing_thresholds"), "")
    | dict.fromkeys(("billing_cycle_anchor_config", "cancellation_details"), "")
    | dict.fromkeys(("pause_collection", "payment_settings", "trial_settings"), "")
    | dict.fromkeys(("pending_invoice_item_interval", "presentment_details"), "")
    | dict.fromkeys(("application", "default_payment_method", "default_source"), _ANY)
    | dict.fromkeys(("default_tax_rates", "discounts", "invoice_settings"), _ANY)
    | dict.fromkeys(("latest_invoice", "on_behalf_of", "pending_setup_intent"), _ANY)
    | dict.fromkeys(("pending_update", "schedule", "test_clock", "transfer_data"), _ANY),
    "subscription_items": {"data": "subscription_item"},
    "subscription_item": {"price": "price"}
    | dict.fromkeys(("billing_thresholds", "discounts", "tax_rates"), _ANY),
    "billing.alert": {"usage_threshold": "usage_threshold"},
    "usage_threshold": {"meter": "billing.meter", "filters": "usage_filter"},
    "usage_filter": {"customer": "customer"},
    "billing.meter": dict.fromkeys(
        ("customer_mapping", "default_aggregation", "status_transitions", "value_settings"), ""
    ),
}
_TABLES = {
    "billing.meter": "meters",
    "customer": "customers",
    "price": "prices",
    "product": "products",
}
_HIDDEN = {
    "customer": ("payment_method", "sources", "subscriptions", "tax_ids"),
    "price": ("currency_options", "inline", "tiers"),
}


class ExpandOf(Param, frozen=True):
    """An `expand[]` of the fields of a kind of object; `listed` for those of a list of it."""

    kind: str
    listed: bool = False

    def _parse(self, name: str, raw: Any) -> list[str]:
        values = Texts()._parse(name, raw)
        for value in values:
            self._check(name, value)
        return values

    def _check(self, name: str, value: str) -> None:
        path, kind = value.split("."), self.kind
        if len(path) > DEEPEST:
            text = f"You cannot expand more than 4 levels of a property. Property: {value}"
            raise RequestError.invalid(name, text)
        if self.listed and path[0] == "data":
            path = path[1:]
        elif self.listed:
            known = path[0] in _FIELDS[kind]
            hint = f" You may want to try expanding 'data.{value}'." if known else ""
            text = f"This property cannot be expanded ({value}).{hint}"
            raise RequestError.invalid(name, text)
        for field in path:
            if kind == _ANY:
                return
            if field not in _FIELDS.get(kind, {}):
                raise RequestError.invalid(name, f"This property cannot be expanded ({value}).")
            kind = _FIELDS[kind][field]


def show(call: Call, thing: Json) -> Json:
    """Return an object as the call expands it."""
    return _show(call, thing, [path.split(".") for path in call.params.get("expand", ())])


def show_page(call: Call, page: Json) -> Json:
    """Return a list with its objects as the call expands them."""
    asked = [path.split(".")[1:] for path in call.params.get("expand", ())]
    paths = [path for path in asked if path]
    return page | {"data": [_show(call, each, paths) for each in page["data"]]}


def hide(thing: Json) -> Json:
    """Return an object, and those in it, without what is only shown when it is expanded."""
    hidden = _HIDDEN.get(thing.get("object", ""), ())
    return {
        name: value if name == "metadata" else _hide_within(value)
        for name, value in thing.items()
        if name not in hidden
    }


def put(call: Call, name: str, thing: Json, event: str, previous: Json | None = None) -> None:
    """Store an object, and emit its event with what every answer shows of it."""
    call.change[name].append(thing)
    call.emit(hide(thing), event, previous)


def delete(call: Call, name: str, thing: Json, event: str) -> Json:
    """Keep an object as a deleted one, emit its event, and return what is left of it."""
    call.change[name].append(thing | {"deleted": True})
    call.emit(hide(thing), event)
    return bury(thing)


def bury(thing: Json) -> Json:
    """Return what the API shows of a deleted object."""
    return {"id": thing["id"], "object": thing["object"], "deleted": True}


def _hide_within(value: Any) -> Any:
    if isinstance(value, list):
        return [_hide_within(each) for each in value]
    return hide(value) if isinstance(value, dict) else value


def _show(call: Call, thing: Json, paths: Iterable[list[str]]) -> Json:
    below = _group(paths)
    shown = hide(thing)
    for field, rest in below.items():
        if field in thing:
            kind = _FIELDS.get(thing["object"], {}).get(field, "")
            shown[field] = _expand(call, kind, thing[field], rest)
    return shown


def _expand(call: Call, kind: str, value: Any, paths: list[list[str]]) -> Any:
    """Expand a field: the id of an object that is kept, a list, or a hash with such fields."""
    if isinstance(value, list):
        return [_expand(call, kind, each, paths) for each in value]
    if isinstance(value, dict) and kind in _TABLES:
        return _show(call, value, paths)
    if isinstance(value, dict):
        fields = _FIELDS.get(kind, {})
        inner = {
            name: _expand(call, fields.get(name, ""), value[name], rest)
            for name, rest in _group(paths).items()
            if name in value
        }
        return hide(value) | inner
    if not isinstance(value, str) or kind not in _TABLES:
        return value
    found = call.get(_TABLES[kind], value)
    if found is None:
        return value
    return bury(found) if found.get("deleted") else _show(call, found, paths)


def _group(paths: Iterable[list[str]]) -> dict[str, list[list[str]]]:
    """Group paths by their first name; a path that ends there has nothing below it."""
    below: dict[str, list[list[str]]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).extend([rest] if rest else [])
    return below
