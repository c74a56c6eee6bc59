"""The settings of the emulator: where Stripe's behaviour is unknown, each answer is available."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct
from msgspec.structs import fields

from .errors import SettingError

API_VERSION = "2026-09-30.endive"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


class Key(Struct, frozen=True):
    """An API key of the account. `permissions` None means all of them.

    Permissions have Stripe's names: billing_meter_read, plan_read, event_read, ...; a
    `_write` includes its `_read`. A listed key is valid for this account whatever mode its
    prefix names. With `account` it is for that account only, whatever the headers name.
    """

    secret: str
    permissions: frozenset[str] | None = None
    expired: bool = False
    account: str | None = None

    def __repr__(self) -> str:  # without the secret
        return (
            f"Key(permissions={self.permissions}, expired={self.expired}, account={self.account})"
        )


class Settings(Struct, frozen=True, kw_only=True):
    """How an emulator behaves: docs/reference/emulator.md describes each setting and its values.

    Durations are in seconds, rate limits in requests a second (None: no limit). Raises
    SettingError for a value that is not one of those listed.
    """

    name_scope: Literal["active", "all"] = "active"
    list_scope: Literal["both", "active"] = "both"
    deactivate_inactive: Literal["noop", "error"] = "noop"
    reactivate_active: Literal["noop", "error"] = "noop"
    update_inactive: Literal["allow", "error"] = "allow"
    duplicate_error: Literal["plain", "coded"] = "plain"
    reactivate_conflict: Literal["invalid", "conflict"] = "invalid"
    key_scope: Literal["account", "key"] = "account"
    should_retry: Literal["stored", "off"] = "stored"
    content_type: Literal["required", "body", "optional"] = "required"
    unknown_version: Literal["accept", "refuse"] = "accept"
    limit_range: Literal["refuse", "clamp"] = "refuse"
    denied_text: Literal["newer", "older"] = "newer"
    account_permission: Literal["accounts_kyc_basic_read", "accounts_kyc_id_numbers_read"] = (
        "accounts_kyc_basic_read"
    )
    core_events_permission: Literal["event_read", "billing_meter_event_read"] = "event_read"
    alerts_permission: Literal["billing_meter_read", "billing_meter_event_read"] = (
        "billing_meter_read"
    )
    key_in_use_error: Literal["idempotency_error", "invalid_request_error"] = "idempotency_error"
    unknown_values: Literal["refuse", "accept"] = "refuse"
    updated_moves: Literal["on", "off"] = "on"
    deactivate_emits_updated: Literal["off", "on"] = "off"
    noun: str = "billing meter"
    v1_usage_errors: Literal["report", "error"] = "report"
    duplicate_identifier: Literal["error", "ignore"] = "error"
    identifier_scope: Literal["account", "event_name"] = "account"
    unknown_customer: Literal["reject", "accept"] = "reject"
    usage_decimals: Literal["refuse", "allow"] = "refuse"
    count_value: Literal["optional", "required"] = "optional"
    windowed_usage: Literal["last", "all"] = "last"
    summary_end: Literal["exclusive", "inclusive"] = "exclusive"
    empty_summaries: Literal["omit", "zero"] = "omit"
    cancel_unknown: Literal["report", "error", "ignore"] = "report"
    report_identifier: Literal["identifier", "idempotency_key"] = "identifier"
    usage_digits: int = 15
    usage_lag: float = 0.0
    report_delay: float = 0.0
    list_lag: float = 0.0
    latency: float = 0.0
    rate_limit: float | None = None
    endpoint_rate_limit: float | None = None
    parallel_limit: int | None = None
    chance_seed: int = 0
    keys: tuple[Key, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)


_CHOICES: dict[str, tuple[str, ...]] = {
    each.name: get_args(each.type) for each in fields(Settings) if get_origin(each.type) is Literal
}


def parse_duration(word: str) -> float:
    """Parse seconds from `250ms`, `1.5s`, `24h`; raises SettingError without a unit."""
    if found := _DURATION.fullmatch(word):
        value, unit = float(found[1]), found[2]
        return value / 1000 if unit == "ms" else value * _SECONDS[unit]
    raise SettingError(f"{word!r} is not a duration: write it as 250ms or 1.5s")


def parse_whole(word: str) -> int:
    """Parse a whole number; raises SettingError for anything else."""
    if re.fullmatch(r"\d+", word):
        return int(word)
    raise SettingError(f"{word!r} is not a whole number")


def _parse_rate(word: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", word) and float(word) > 0:
        return float(word)
    raise SettingError(f"{word!r} is not a number above 0")


def _parse_count(word: str) -> int:
    if re.fullmatch(r"\d{1,9}", word, re.ASCII) and int(word) > 0:
        return int(word)
    raise SettingError(f"{word!r} is not a whole number above 0")


def _parse_text(word: str) -> str:
    if not word:
        raise SettingError("the text is empty")
    return word


_PARSERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "noun": ('"billing meter"', _parse_text),
    "usage_digits": ("15", parse_whole),
    "usage_lag": ("0s", parse_duration),
    "report_delay": ("0s", parse_duration),
    "list_lag": ("0s", parse_duration),
    "latency": ("0s", parse_duration),
    "rate_limit": ("a number", _parse_rate),
    "endpoint_rate_limit": ("a number", _parse_rate),
    "parallel_limit": ("a number", _parse_count),
    "chance_seed": ("0", parse_whole),
}


def list_choices() -> dict[str, str]:
    """List the values of each setting by its name, the default first; keys excepted."""
    choices = {name: "|".join(allowed) for name, allowed in _CHOICES.items()}
    return choices | {name: shown for name, (shown, _) in _PARSERS.items()}


def parse_settings(words: Mapping[str, str]) -> Settings:
    """Parse settings from strings by name, as a command line has them; keys excepted.

    Raises SettingError as `parse_switches`.
    """
    return Settings(**parse_switches(words))


def parse_switches(words: Mapping[str, str | None]) -> dict[str, Any]:
    """Parse the values of some settings; None is the default of one.

    Dashes may replace underscores. Raises SettingError naming the setting and its values.
    """
    chosen: dict[str, Any] = {}
    for word, value in words.items():
        name = word.replace("-", "_")
        if value is None and name in list_choices():
            chosen[name] = getattr(Settings(), name)
        elif value is not None and name in _CHOICES:
            _check_choice(word, value, _CHOICES[name])
            chosen[name] = value
        elif value is not None and name in _PARSERS:
            try:
                chosen[name] = _PARSERS[name][1](value)
            except SettingError as error:
                raise SettingError(f"{word}: {error}") from None
        else:
            known = ", ".join(list_choices())
            raise SettingError(f"unknown switch {word!r}; choose from {known}")
    return chosen


def format_settings(settings: Settings) -> dict[str, str | None]:
    """Format settings as `parse_settings` reads them, None for no limit; keys excepted."""
    shown: dict[str, str | None] = {}
    for name in list_choices():
        value = getattr(settings, name)
        unit = "s" if _PARSERS.get(name, ("",))[0] == "0s" else ""
        shown[name] = None if value is None else f"{value:g}{unit}" if unit else str(value)
    return shown


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
