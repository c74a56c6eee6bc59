"""Write existing meters as entries of a meter file, and as a whole file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..config.yaml.writer import write_scalar, write_value
from ..model.match import flatten
from ..model.meter import DEFAULTS, ExistingMeter, has_unknown_values, unpack
from ..timestamps import format_time

SCHEMA_HINT = "# yaml-language-server: $schema="
"""Begins the comment by which editors find the schema of a file."""

_SHOWN = 5  # ids of inactive duplicates in a comment
_REQUIRED = ("event_name", "display_name", "default_aggregation")
_STRIPE: dict[str, Any] = {name: unpack(value) for name, value in DEFAULTS.items()}
_OPTIONAL = flatten(_STRIPE)


class Adoption(Struct, frozen=True):
    """An existing meter to declare, the other existing meters of its name, and its origin."""

    meter: ExistingMeter
    others: tuple[ExistingMeter, ...] = ()
    origin: str = ""

    @property
    def event_name(self) -> str:
        """The name that is declared."""
        return self.meter.event_name

    @property
    def needs_unknown_values(self) -> bool:
        """Whether the file must allow values that this version does not know."""
        return has_unknown_values(self.meter)


def write_file(adoptions: Sequence[Adoption], schema: str = "") -> str:
    """Return a meter file with these meters; `schema` is the address of its schema for editors."""
    defaults = choose_defaults(adoptions)
    lines = [f"{SCHEMA_HINT}{schema}"] if schema else []
    lines.append("version: 1")
    if any(each.needs_unknown_values for each in adoptions):
        lines.append("allow_unknown_values: true")
    if defaults:
        lines += ["defaults:", *_write_settings(defaults, "  ")]
    lines += ["meters:", *write_entries(adoptions, defaults)] if adoptions else ["meters: []"]
    return "".join(f"{line}\n" for line in lines)


def write_entries(
    adoptions: Sequence[Adoption],
    defaults: Mapping[str, Any],
    dash: str = "  - ",
) -> Iterator[str]:
    """Yield the lines of entries, each with a comment; settings as in `defaults` are left out.

    `dash` is what comes before the first key of an entry.
    """
    around = dash[: dash.index("-")]
    for adoption in adoptions:
        yield f"{around}# {_describe(adoption)}"
        first, *rest = _write_settings(_list_settings(adoption.meter, defaults), "")
        yield f"{dash}{first}"
        yield from (f"{' ' * len(dash)}{line}" for line in rest)


def choose_defaults(adoptions: Sequence[Adoption]) -> dict[str, Any]:
    """Return the optional settings that most of the meters share, where Stripe's default differs.

    A formula is never one of them: a reader looks for it in the entry.
    """
    counted: dict[str, Counter[Any]] = {path: Counter() for path in _OPTIONAL}
    for adoption in adoptions:
        for path, value in flatten(adoption.meter.meter.as_api()).items():
            if path in counted:
                counted[path][value] += 1
    chosen: dict[str, Any] = {}
    for path, values in counted.items():
        ((value, number),) = values.most_common(1) or [(None, 0)]
        if value != _OPTIONAL[path] and number > 1 and 2 * number > len(adoptions):
            _put(chosen, path, value)
    return chosen


def _list_settings(meter: ExistingMeter, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry has to say of a meter, after the defaults of its file."""
    given = flatten(meter.meter.as_api())
    implied = _OPTIONAL | flatten(defaults)
    settings: dict[str, Any] = {}
    for path, value in given.items():
        if path.partition(".")[0] in _REQUIRED or value != implied[path]:
            _put(settings, path, value)
    if not meter.active:
        settings["status"] = meter.status
        if defaults.get("protect"):
            settings["protect"] = False
    return settings


def _put(settings: dict[str, Any], path: str, value: Any) -> None:
    key, _, inner = path.partition(".")
    if inner:
        settings.setdefault(key, {})[inner] = value
    else:
        settings[key] = value


def _write_settings(settings: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in settings.items():
        yield f"{indent}{key}: {'false' if value is False else write_value(value)}"


def _describe(adoption: Adoption) -> str:
    """Return the id and the state of a meter, and the other meters of its name."""
    text = _describe_meter(adoption.meter)
    if adoption.others:
        ids = ", ".join(write_scalar(each.id) for each in adoption.others[:_SHOWN])
        more = len(adoption.others) - _SHOWN
        text += f"; inactive duplicates: {ids}{f' and {more} more' if more > 0 else ''}"
    return f"{text}; {adoption.origin}" if adoption.origin else text


def _describe_meter(meter: ExistingMeter) -> str:
    since = meter.inactive_since if not meter.active else 0
    return f"{meter.id}, {meter.status}{f' since {format_time(since)}' if since else ''}"
