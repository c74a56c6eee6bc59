"""The emulated calls: path, permission, parameters and function of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct

from .errors import RequestError
from .messages import Json
from .requests.params import Shape
from .requests.stripe_api import is_call, is_fixed_path
from .resources import accounts, alerts, customers, events, meters, prices, products
from .settings import Settings
from .state import Call
from .subscriptions import calls
from .usage import core_events, meter_events, sessions, summaries
from .usage import v2_meter_events as v2

CONTROL = "/_emulator"
"""Where a running emulator is controlled, if that is asked for."""


class Endpoint(Struct, frozen=True):
    """One call of the API; `{id}` in the path is an object's id."""

    method: str
    path: str
    permission: str
    shape: Shape
    run: Callable[[Call], Json]
    switch: str = ""  # the setting with the permission, where it is not known

    def find_permission(self, settings: Settings) -> str:
        """Find the permission that a restricted key needs."""
        chosen: str = getattr(settings, self.switch) if self.switch else self.permission
        return chosen

    @property
    def name(self) -> str:
        """What its limits are counted under."""
        return f"{self.method} {self.path}"


_READ, _WRITE = "billing_meter_read", "billing_meter_write"
_USED, _USE = "billing_meter_event_read", "billing_meter_event_write"
_SUBSCRIBED, _SUBSCRIBE = "subscription_read", "subscription_write"
_CUSTOMER = f"{customers.URL}/{{id}}"
_SUBSCRIPTION, _ITEM = f"{calls.URL}/{{id}}", f"{calls.ITEMS_URL}/{{id}}"
_ALERT = f"{alerts.URL}/{{id}}"
_PRODUCT = f"{products.URL}/{{id}}"
_KYC, _KYC_SWITCH = "accounts_kyc_basic_read", "account_permission"
_THIN_SWITCH = "core_events_permission"
_ALERT_SWITCH = "alerts_permission"

ENDPOINTS = (
    Endpoint("GET", meters.URL, _READ, meters.LIST, meters.list_),
    Endpoint("POST", meters.URL, _WRITE, meters.CREATE, meters.create),
    Endpoint("GET", f"{meters.URL}/{{id}}", _READ, meters.READ, meters.retrieve),
    Endpoint("POST", f"{meters.URL}/{{id}}", _WRITE, meters.UPDATE, meters.update),
    Endpoint("POST", f"{meters.URL}/{{id}}/deactivate", _WRITE, meters.READ, meters.deactivate),
    Endpoint("POST", f"{meters.URL}/{{id}}/reactivate", _WRITE, meters.READ, meters.reactivate),
    Endpoint("GET", products.URL, "product_read", products.LIST, products.list_),
    Endpoint("POST", products.URL, "product_write", products.CREATE, products.create),
    Endpoint("GET", _PRODUCT, "product_read", products.READ, products.retrieve),
    Endpoint("POST", _PRODUCT, "product_write", products.UPDATE, products.update),
    Endpoint("DELETE", _PRODUCT, "product_write", products.DELETE, products.remove),
    Endpoint("GET", prices.URL, "plan_read", prices.LIST, prices.list_),
    Endpoint("POST", prices.URL, "plan_write", prices.CREATE, prices.create),
    Endpoint("GET", f"{prices.URL}/{{id}}", "plan_read", prices.READ, prices.retrieve),
    Endpoint("POST", f"{prices.URL}/{{id}}", "plan_write", prices.UPDATE, prices.update),
    Endpoint("GET", customers.URL, "customer_read", customers.LIST, customers.list_),
    Endpoint("POST", customers.URL, "customer_write", customers.CREATE, customers.create),
    Endpoint("GET", _CUSTOMER, "customer_read", customers.READ, customers.retrieve),
    Endpoint("POST", _CUSTOMER, "customer_write", customers.UPDATE, customers.update),
    Endpoint("DELETE", _CUSTOMER, "customer_write", customers.DELETE, customers.remove),
    Endpoint("GET", calls.URL, _SUBSCRIBED, calls.LIST, calls.list_),
    Endpoint("POST", calls.URL, _SUBSCRIBE, calls.CREATE, calls.create),
    Endpoint("GET", _SUBSCRIPTION, _SUBSCRIBED, calls.READ, calls.retrieve),
    Endpoint("POST", _SUBSCRIPTION, _SUBSCRIBE, calls.UPDATE, calls.update),
    Endpoint("DELETE", _SUBSCRIPTION, _SUBSCRIBE, calls.CANCEL, calls.remove),
    Endpoint("POST", f"{_SUBSCRIPTION}/resume", _SUBSCRIBE, calls.RESUME, calls.resume),
    Endpoint("GET", calls.ITEMS_URL, _SUBSCRIBED, calls.ITEM_LIST, calls.list_items),
    Endpoint("POST", calls.ITEMS_URL, _SUBSCRIBE, calls.ITEM_CREATE, calls.create_item),
    Endpoint("GET", _ITEM, _SUBSCRIBED, calls.ITEM_READ, calls.retrieve_item),
    Endpoint("POST", _ITEM, _SUBSCRIBE, calls.ITEM_UPDATE, calls.update_item),
    Endpoint("DELETE", _ITEM, _SUBSCRIBE, calls.ITEM_DELETE, calls.remove_item),
    Endpoint("GET", alerts.URL, _READ, alerts.LIST, alerts.list_, _ALERT_SWITCH),
    Endpoint("POST", alerts.URL, _WRITE, alerts.CREATE, alerts.create),
    Endpoint("GET", _ALERT, _READ, alerts.READ, alerts.retrieve, _ALERT_SWITCH),
    Endpoint("POST", f"{_ALERT}/activate", _WRITE, alerts.READ, alerts.activate),
    Endpoint("POST", f"{_ALERT}/archive", _WRITE, alerts.READ, alerts.archive),
    Endpoint("POST", f"{_ALERT}/deactivate", _WRITE, alerts.READ, alerts.deactivate),
    Endpoint("GET", events.URL, "event_read", events.LIST, events.list_),
    Endpoint("GET", f"{events.URL}/{{id}}", "event_read", events.READ, events.retrieve),
    Endpoint("GET", "/v1/account", _KYC, accounts.READ, accounts.retrieve_own, _KYC_SWITCH),
    Endpoint("GET", accounts.URL, "connected_account_read", accounts.LIST, accounts.list_),
    Endpoint("GET", f"{accounts.URL}/{{id}}", _KYC, accounts.READ, accounts.retrieve, _KYC_SWITCH),
    Endpoint("POST", meter_events.URL, _USE, meter_events.CREATE, meter_events.create),
    Endpoint("POST", meter_events.ADJUSTMENTS_URL, _USE, meter_events.ADJUST, meter_events.adjust),
    Endpoint("GET", summaries.URL, _USED, summaries.LIST, summaries.list_),
    Endpoint("POST", v2.URL, _USE, v2.CREATE, v2.create),
    Endpoint("POST", v2.ADJUSTMENTS_URL, _USE, v2.ADJUST, v2.adjust),
    Endpoint("POST", sessions.URL, _USE, sessions.CREATE, sessions.create),
    Endpoint("POST", v2.STREAM_URL, _USE, v2.STREAM, v2.stream),
    Endpoint(
        "GET", core_events.URL, "event_read", core_events.LIST, core_events.list_, _THIN_SWITCH
    ),
    Endpoint(
        "GET",
        f"{core_events.URL}/{{id}}",
        "event_read",
        core_events.READ,
        core_events.retrieve,
        _THIN_SWITCH,
    ),
)

LONGEST_ID = 5000


@lru_cache(maxsize=2000)
def find_endpoint(method: str, path: str) -> tuple[Endpoint, str]:
    """Find the endpoint of a path and the id in it ("" without one).

    Raises RequestError: 501 for a call that only Stripe has, 404 for one that does not exist.
    """
    for endpoint in ENDPOINTS:
        if endpoint.method != method:
            continue
        if endpoint.path == path:
            return endpoint, ""
        found = _find_id(endpoint.path, path)
        if found and not is_fixed_path(path):
            return endpoint, unquote(found)
    if path == CONTROL or path.startswith(f"{CONTROL}/"):
        raise RequestError(404, "The control path is off: start the emulator with --control.")
    if is_call(method, path):
        raise RequestError.unsupported(method, path, list_supported())
    raise RequestError.unknown_url(method, path)


def _find_id(template: str, path: str) -> str:
    """Find the id in a path that fits a template; "" if it does not fit."""
    before, mark, after = template.partition("{id}")
    if not mark or not path.startswith(before) or not path.endswith(after):
        return ""
    found = path[len(before) : len(path) - len(after)]
    return found if "/" not in found and len(found) <= LONGEST_ID else ""


def list_supported() -> list[str]:
    """List the paths that are emulated, without those below an id."""
    return sorted({endpoint.path.partition("/{id}")[0] for endpoint in ENDPOINTS})
