"""The switches of the emulator: where Stripe's behaviour is unknown, both answers can be had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from .errors import SettingError

API_VERSION = "2026-09-30.endive"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


class NameScope(StrEnum):
    """Which meters occupy their event_name when another is created."""

    ACTIVE = "active"
    ALL = "all"


class ListScope(StrEnum):
    """What a list of meters without a `status` holds."""

    BOTH = "both"
    ACTIVE = "active"


class Repeat(StrEnum):
    """The answer to a call that asks for what is already so: 200 and no effect, or 400."""

    NOOP = "noop"
    ERROR = "error"


class Renaming(StrEnum):
    """Whether an inactive meter may get another display_name."""

    ALLOW = "allow"
    ERROR = "error"


class Duplicate(StrEnum):
    """What the refusal of an event_name that is taken holds besides its text."""

    PLAIN = "plain"
    CODED = "coded"  # code resource_already_exists, param event_name


class Conflict(StrEnum):
    """How a meter is refused to start again while another active one has its event_name."""

    INVALID = "invalid"  # as the creation of a second one is
    CONFLICT = "conflict"  # 409


class InUse(StrEnum):
    """The `type` of the 409 for an idempotency key whose first request has not ended."""

    IDEMPOTENCY = "idempotency_error"
    INVALID = "invalid_request_error"


class Switch(StrEnum):
    """Whether something happens at all."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key that the account knows. `permissions` None means all of them.

    Permissions bear Stripe's names: billing_meter_read, plan_read, event_read, ...; a
    `_write` includes its `_read`. A listed key acts on this account whatever mode its
    prefix names.
    """

    secret: str = field(repr=False)
    permissions: frozenset[str] | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this emulator behaves; the defaults are what Stripe is thought to do.

    `noun` is what a 404 calls a meter, `updated_moves` says whether a change of status moves
    `updated`. `latency` and `list_lag` are seconds, the rate limits requests a second (None:
    no limit). Without `keys`, every well-formed key of the account's mode is accepted.
    `chance_seed` decides which requests a fault with a chance strikes.
    """

    name_scope: NameScope = NameScope.ACTIVE
    deactivate_inactive: Repeat = Repeat.NOOP
    reactivate_active: Repeat = Repeat.NOOP
    update_inactive: Renaming = Renaming.ALLOW
    list_scope: ListScope = ListScope.BOTH
    duplicate_error: Duplicate = Duplicate.PLAIN
    reactivate_conflict: Conflict = Conflict.INVALID
    key_in_use_error: InUse = InUse.IDEMPOTENCY
    noun: str = "billing meter"
    updated_moves: Switch = Switch.ON
    deactivate_emits_updated: Switch = Switch.OFF
    list_lag: float = 0.0
    latency: float = 0.0
    rate_limit: float | None = None
    endpoint_rate_limit: float | None = None
    chance_seed: int = 0
    keys: tuple[Key, ...] = ()


_DEFAULTS = {f.name: f.default for f in fields(Settings) if f.name != "keys"}
_DURATIONS = ("latency", "list_lag")


def seconds(word: str) -> float:
    """A duration such as `250ms` or `1.5s` in seconds; raises SettingError without a unit."""
    if found := _DURATION.fullmatch(word):
        return float(found[1]) / (1000 if found[2] == "ms" else 1)
    raise SettingError(f"{word!r} is not a duration: write it as 250ms or 1.5s")


def number(word: str) -> float:
    """A number above zero; raises SettingError for anything else."""
    if re.fullmatch(r"\d+(\.\d+)?", word) and float(word) > 0:
        return float(word)
    raise SettingError(f"{word!r} is not a number above 0")


def whole(word: str) -> int:
    """A whole number; raises SettingError for anything else."""
    if re.fullmatch(r"\d+", word):
        return int(word)
    raise SettingError(f"{word!r} is not a whole number")


def choices() -> dict[str, str]:
    """What each switch takes, by name, the default first; keys excepted."""
    return {name: _choices(name, default) for name, default in _DEFAULTS.items()}


def parse_settings(words: Mapping[str, str]) -> Settings:
    """Settings from plain strings by field name, as a command line has them; keys excepted.

    Dashes may stand for underscores. Raises SettingError naming the switch and its choices.
    """
    chosen: dict[str, Any] = {}
    for word, value in words.items():
        name = word.replace("-", "_")
        if name not in _DEFAULTS:
            raise SettingError(f"there is no switch {word!r}; there are {', '.join(_DEFAULTS)}")
        try:
            chosen[name] = _value(name, _DEFAULTS[name], value)
        except SettingError as error:
            raise SettingError(f"{word}: {error}") from None
    return Settings(**chosen)


def _value(name: str, default: object, word: str) -> object:
    """The word in the type of the switch's default."""
    if isinstance(default, StrEnum):
        choices = list(type(default))
        if word not in choices:
            raise SettingError(f"{word!r} is not one of {', '.join(choices)}")
        return type(default)(word)
    if isinstance(default, str):
        if not word:
            raise SettingError("the text is empty")
        return word
    if name in _DURATIONS:
        return seconds(word)
    return whole(word) if name == "chance_seed" else number(word)


def _choices(name: str, default: object) -> str:
    if isinstance(default, StrEnum):
        return "|".join([default, *(word for word in type(default) if word != default)])
    if isinstance(default, str):
        return f'"{default}"'
    return "0s" if name in _DURATIONS else "a number"
