"""The switches of the emulator: where Stripe's behaviour is unknown, each answer is available."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .errors import SettingError

API_VERSION = "2026-09-30.endive"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key of the account. `permissions` None means all of them.

    Permissions have Stripe's names: billing_meter_read, plan_read, event_read, ...; a
    `_write` includes its `_read`. A listed key is valid for this account whatever mode its
    prefix names.
    """

    secret: str = field(repr=False)
    permissions: frozenset[str] | None = None
    expired: bool = False


def _setting(default: Any, what: str) -> Any:
    """A field of `Settings` with the sentence that explains it."""
    return field(default=default, metadata={"what": what})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an emulator behaves: every switch with its values, the default first.

    Durations are seconds, rate limits requests a second (None: no limit). Raises
    SettingError for a value that is not one of those listed.
    """

    name_scope: Literal["active", "all"] = _setting(
        "active", "which meters occupy their `event_name` when another is created"
    )
    list_scope: Literal["both", "active"] = _setting(
        "both", "which meters a list without a `status` contains"
    )
    deactivate_inactive: Literal["noop", "error"] = _setting(
        "noop", "the answer to deactivating an inactive meter: 200 and no effect, or a 400"
    )
    reactivate_active: Literal["noop", "error"] = _setting(
        "noop", "the answer to reactivating an active meter: 200 and no effect, or a 400"
    )
    update_inactive: Literal["allow", "error"] = _setting(
        "allow", "whether an inactive meter can be renamed"
    )
    duplicate_error: Literal["plain", "coded"] = _setting(
        "plain", "whether the refusal of a duplicate `event_name` has a code and a param"
    )
    reactivate_conflict: Literal["invalid", "conflict"] = _setting(
        "invalid", "reactivating a meter while another active one has its name: 400, or 409"
    )
    key_in_use_error: Literal["idempotency_error", "invalid_request_error"] = _setting(
        "idempotency_error",
        "the type of the 409 for a key whose first request is still in progress",
    )
    noun: str = _setting("billing meter", "what a 404 calls a meter")
    updated_moves: Literal["on", "off"] = _setting(
        "on", "whether a change of status changes `updated`"
    )
    deactivate_emits_updated: Literal["off", "on"] = _setting(
        "off", "whether a deactivation also creates a `billing.meter.updated` event"
    )
    list_lag: float = _setting(0.0, "how long a write takes to appear in lists")
    latency: float = _setting(0.0, "how long every answer takes")
    rate_limit: float | None = _setting(None, "requests a second of the account")
    endpoint_rate_limit: float | None = _setting(None, "requests a second of each path")
    chance_seed: int = _setting(0, "which requests a fault with a `chance` applies to")
    keys: tuple[Key, ...] = _setting((), "the keys to accept; without any, every well-formed one")

    def __post_init__(self) -> None:
        for name in _allowed_values():
            if complaint := _not_allowed(name, getattr(self, name)):
                raise SettingError(f"{name}: {complaint}")


@cache
def _allowed_values() -> dict[str, tuple[str, ...]]:
    """The switches that take one of a few words, and those words."""
    hints = get_type_hints(Settings)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def _not_allowed(name: str, value: object) -> str | None:
    """Why a switch cannot have this value, or None."""
    allowed = _allowed_values().get(name)
    if allowed is None or value in allowed:
        return None
    return f"{value!r} is not one of {', '.join(allowed)}"


_DEFAULTS = {f.name: f.default for f in fields(Settings) if f.name != "keys"}
_DURATIONS = ("latency", "list_lag")


def seconds(word: str) -> float:
    """Parse a duration such as `250ms` or `1.5s`; raises SettingError without a unit."""
    if found := _DURATION.fullmatch(word):
        return float(found[1]) / (1000 if found[2] == "ms" else 1)
    raise SettingError(f"{word!r} is not a duration: write it as 250ms or 1.5s")


def number(word: str) -> float:
    """Parse a number above zero; raises SettingError for anything else."""
    if re.fullmatch(r"\d+(\.\d+)?", word) and float(word) > 0:
        return float(word)
    raise SettingError(f"{word!r} is not a number above 0")


def whole(word: str) -> int:
    """Parse a whole number; raises SettingError for anything else."""
    if re.fullmatch(r"\d+", word):
        return int(word)
    raise SettingError(f"{word!r} is not a whole number")


def choices() -> dict[str, str]:
    """What each switch takes, by name, the default first; keys excepted."""
    return {name: _format_choices(name) for name in _DEFAULTS}


def descriptions() -> dict[str, str]:
    """What each switch decides, by name; keys excepted."""
    return {f.name: f.metadata["what"] for f in fields(Settings) if f.name != "keys"}


def parse_settings(words: Mapping[str, str]) -> Settings:
    """Settings from plain strings by field name, as a command line has them; keys excepted.

    Dashes may replace underscores. Raises SettingError naming the switch and its choices.
    """
    chosen: dict[str, Any] = {}
    for word, value in words.items():
        name = word.replace("-", "_")
        if name not in _DEFAULTS:
            raise SettingError(f"unknown switch {word!r}; choose from {', '.join(_DEFAULTS)}")
        try:
            chosen[name] = _parse(name, value)
        except SettingError as error:
            raise SettingError(f"{word}: {error}") from None
    return Settings(**chosen)


def _parse(name: str, word: str) -> object:
    """Convert a word to the type of the switch."""
    if complaint := _not_allowed(name, word):
        raise SettingError(complaint)
    if isinstance(_DEFAULTS[name], str):
        if not word:
            raise SettingError("the text is empty")
        return word
    if name in _DURATIONS:
        return seconds(word)
    return whole(word) if name == "chance_seed" else number(word)


def _format_choices(name: str) -> str:
    if values := _allowed_values().get(name):
        return "|".join(values)
    if isinstance(default := _DEFAULTS[name], str):
        return f'"{default}"'
    if name in _DURATIONS:
        return "0s"
    return "a number" if default is None else str(default)
