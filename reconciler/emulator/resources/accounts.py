"""The account of a key, and those connected to it. Source: /v1/account and /v1/accounts of Stripe's
specification.

They come from the seed, and are read only: no call here connects or changes one.
"""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.pagination import build_list_shape, build_page_of, is_within
from ..requests.params import Expand, Period, Shape
from ..state import Call
from ..storage.database import Account

URL = "/v1/accounts"

_FIELDS = (
    *("business_profile", "capabilities", "company", "controller", "external_accounts"),
    *("future_requirements", "individual", "requirements", "settings", "tos_acceptance"),
)
READ: Shape = {"expand": Expand(_FIELDS)}
LIST = build_list_shape(_FIELDS, {"created": Period()})


def retrieve_own(call: Call) -> Json:
    """Return the account that the request is for."""
    return _show(call.ledger.account)


def retrieve(call: Call) -> Json:
    """Return the account of an id: the caller's own, or one connected to it."""
    if call.object_id == call.ledger.account.id:
        return _show(call.ledger.account)
    if call.object_id not in _list_connected(call):
        raise RequestError.no_access("sk_***", call.object_id)
    return _show(call.state.ledgers[call.object_id].account)


def list_(call: Call) -> Json:
    """List the connected accounts, newest first; a connected one has none."""
    accounts = [call.state.ledgers[each].account for each in _list_connected(call)]
    newest_first = sorted(map(_show, accounts), key=lambda each: each["created"], reverse=True)
    asked = call.params.get("created", {})
    return build_page_of(
        call, newest_first, "account", URL, lambda it: is_within(it["created"], asked)
    )


def _list_connected(call: Call) -> list[str]:
    """List the ids of the connected accounts, last added first, where the caller is a platform."""
    platform, *connected = call.state.ledgers
    return connected[::-1] if call.ledger.account.id == platform else []


def _show(account: Account) -> Json:
    """Return an account in the API's shape, without its settings."""
    return {
        "id": account.id,
        "object": "account",
        "business_profile": {"name": account.name},
        "charges_enabled": True,
        "country": account.country,
        "created": account.created,
        "default_currency": account.default_currency,
        "details_submitted": True,
        "email": account.email,
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
