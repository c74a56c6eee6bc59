"""Authentication: API keys, their permissions, and the account they may act on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Container

from ..errors import RequestError, SettingError
from ..messages import Request
from ..settings import Key, Settings
from ..storage.database import Account
from .stripe_api import is_version

PERMISSIONS = {
    "billing_meter_read": "Billing Meters Read",
    "billing_meter_write": "Billing Meters Write",
    "billing_meter_event_read": "Billing Meter Events Read",
    "billing_meter_event_write": "Billing Meter Events Write",
    "product_read": "Products Read",
    "product_write": "Products Write",
    "plan_read": "Prices Read",
    "plan_write": "Prices Write",
    "customer_read": "Customers Read",
    "customer_write": "Customers Write",
    "subscription_read": "Subscriptions Read",
    "subscription_write": "Subscriptions Write",
    "event_read": "Events Read",
    "accounts_kyc_basic_read": "Basic Account Information Read",
    "accounts_kyc_id_numbers_read": "Account ID Numbers Read",
    "connected_account_read": "Connected Accounts Read",
}

_WELL_FORMED = re.compile(r"(sk|rk)_(test|live)_[!-~]+|sk_org_[!-~]+")
_VERSION = re.compile(r"\d{4}-\d\d-\d\d(\.[a-z_]+)?(; ?\w+=\w+)*", re.ASCII)


def parse_key(word: str) -> Key:
    """Parse a key, as in `rk_test_x=billing_meter_read,plan_read`; without `=` it has all of them.

    Raises SettingError for malformed keys and unknown permissions.
    """
    secret, equals, permissions = word.partition("=")
    if not _WELL_FORMED.fullmatch(secret):
        raise SettingError(f"key {mask(secret)!r}: write it as sk_test_... or rk_test_...")
    names = (name.removeprefix("rak_") for name in permissions.split(","))
    held = frozenset(filter(None, names))
    for name in sorted(held - set(PERMISSIONS)):
        raise SettingError(f"key {mask(secret)!r}: {name!r} is not one of {', '.join(PERMISSIONS)}")
    return Key(secret, held if equals else None)


def check_key(request: Request, account: Account, settings: Settings) -> Key:
    """Return the key of a request; raises RequestError (401) for one that is not accepted."""
    secret = read_secret(request)
    if not secret:
        raise RequestError(
            401,
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.",
        )
    if secret.startswith("pk_"):
        raise RequestError(
            401,
            "This API call cannot be made with a publishable API key. Please use a secret API "
            "key. You can find a list of your API keys at "
            "https://dashboard.stripe.com/account/apikeys.",
            "secret_key_required",
        )
    key = _find_key(secret, account, settings)
    if key is None:
        raise RequestError(401, f"Invalid API Key provided: {mask(secret)}")
    if key.expired:
        text = f"Expired API Key provided: {mask(secret)}"
        raise RequestError(401, text, "api_key_expired")
    return key


def check_version(request: Request, settings: Settings) -> None:
    """Raise RequestError for a malformed API version; for an unknown one if the setting says so."""
    given = request.headers.get("stripe-version")
    if given is None:
        return
    unknown = settings.unknown_version == "refuse" and not is_version(given.split(";")[0])
    if unknown or not _VERSION.fullmatch(given):
        raise RequestError(400, f"Invalid Stripe API version: {given}")


def check_account(request: Request, key: Key, account: Account, known: Container[str]) -> str:
    """Return the id of the account that a request is for: the key's own, or a connected one.

    Raises RequestError for an unknown one, and without a header that an organization key needs.
    """
    if key.account:
        return key.account
    if key.secret.startswith("sk_org_"):
        for header in ("Stripe-Context", "Stripe-Version"):
            if not request.headers.get(header.lower()):
                text = f"Organization API keys require the {header} header on every request."
                raise RequestError(400, text)
    target = request.account or account.id
    if target not in known:
        raise RequestError.no_access(mask(key.secret), target)
    return target


def check_permission(key: Key, needed: str, account: Account, settings: Settings) -> None:
    """Raise RequestError (403) for a permission that the key lacks, in either of two wordings."""
    held = key.permissions
    if held is None or needed in held or needed.replace("_read", "_write") in held:
        return
    lacking = (
        f"The provided key '{mask(key.secret)}' does not have the required permissions for this "
        f"endpoint on account '{account.id}'."
    )
    if settings.denied_text == "older":
        way_out = f"Having the 'rak_{needed}' permission would allow this request to continue."
        raise RequestError(403, f"{lacking} {way_out}")
    raise RequestError(
        403,
        f"Permission denied. {lacking} Enabling \"{PERMISSIONS[needed]}\" ('{needed}') permissions "
        "on this key would allow this request to continue.",
    )


def mask(secret: str) -> str:
    """Shorten a key to what Stripe shows in a message."""
    kind = re.match(r"(?:sk|rk)_(?:test|live|org)_|", secret)
    start = kind[0] if kind else ""
    tail = secret[-4:] if len(secret) - len(start) > 8 else ""
    return f"{start}***{tail}"


def _find_key(secret: str, account: Account, settings: Settings) -> Key | None:
    """Find the listed key, or any well-formed one of the account's mode if none is accepted."""
    listed = next((key for key in settings.keys if key.secret == secret), None)
    if listed or any(not key.expired for key in settings.keys):
        return listed
    found = _WELL_FORMED.fullmatch(secret)
    mode = "live" if account.livemode else "test"
    return Key(secret) if found and found[2] in (None, mode) else None


def read_secret(request: Request) -> str:
    """Return the key of a request, or the token in its place; "" without one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return value.strip() if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
