"""Read one meter file: its declarations and its diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..diagnostics.lookalikes import fold, tell_apart
from ..model.meter import CustomerMapping, DefaultAggregation, Meter, Status, ValueSettings
from ..model.project import MeterConfig
from . import secret_scan
from .schema import CheckedFile, check
from .yaml import reader
from .yaml.parsed_file import ParsedFile


@dataclass(frozen=True, slots=True)
class MeterFile:
    """The declarations of one file; `names` has every event_name, also those of invalid entries."""

    diagnostics: tuple[Diagnostic, ...]
    names: tuple[tuple[str, Location], ...] = ()
    declared: tuple[MeterConfig, ...] = ()


def read_meters(data: bytes, file: str) -> MeterFile:
    """Read a meter file as far as possible; errors become diagnostics, nothing is raised."""
    keys = tuple(secret_scan.find_keys(data, file))
    try:
        parsed = reader.read(data, file)
    except ConfigError as error:
        return MeterFile((*keys, *error.diagnostics))
    if isinstance(parsed.value, dict) and not parsed.value.keys() & {"version", "meters"}:
        return MeterFile((*keys, _describe_other_file(parsed)))
    checked = check(parsed, "meters")
    found = (*keys, *parsed.diagnostics, *checked.diagnostics)
    names = tuple(_list_names(checked))
    if any(one.level is Level.ERROR for one in found):
        return MeterFile(found, names)
    defaults = parsed.value.get("defaults", {})
    declared = tuple(
        _build_config(merge_defaults(defaults, entry), parsed.locate(("meters", index)))
        for index, entry in enumerate(parsed.value["meters"])
    )
    return MeterFile((*found, *_check_protection(declared)), names, declared)


def find_duplicates(names: Iterable[tuple[str, Location]]) -> Iterator[Diagnostic]:
    """Report each event_name that is declared more than once."""
    first: dict[str, Location] = {}
    for name, location in names:
        if first.setdefault(name, location) is not location:
            message = f"duplicate event_name `{name}`, first declared at {first[name]}"
            yield codes.DECLARED_TWICE(message, location, event_name=name)


def find_lookalikes(names: Iterable[tuple[str, Location]]) -> Iterator[Diagnostic]:
    """Warn of each event_name that looks like an earlier one."""
    first: dict[str, tuple[str, Location]] = {}
    for name, location in names:
        earlier, place = first.setdefault(fold(name), (name, location))
        if earlier != name:
            here, there = tell_apart(name, earlier)
            message = (
                f"event_name `{name}`{here} looks like `{earlier}`{there}, declared at {place}"
            )
            yield codes.LOOKALIKE(message, location, event_name=name)


def find_retired_twice(declared: Iterable[MeterConfig]) -> Iterator[Diagnostic]:
    """Warn of each meter id that is retired under more than one event_name."""
    first: dict[str, MeterConfig] = {}
    for entry in declared:
        for id_ in entry.retires:
            if first.setdefault(id_, entry) is not entry:
                message = f"{id_} is also retired under `{first[id_].event_name}`"
                yield codes.RETIRED_TWICE(message, entry.location, event_name=entry.event_name)


def merge_defaults(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Merge an entry over the defaults of its file, mappings key by key."""
    both = {
        key: {**defaults[key], **entry[key]}
        for key in defaults.keys() & entry.keys()
        if isinstance(defaults[key], dict) and isinstance(entry[key], dict)
    }
    return {**defaults, **entry, **both}


def _describe_other_file(parsed: ParsedFile) -> Diagnostic:
    message = "not a meter file: neither `version` nor `meters` found"
    hint = ""
    if parsed.value.get("object") in ("list", "billing.meter"):
        hint = (
            "an answer of Stripe's API: write `version: 1` and `meters:`, and its meters as a list"
        )
    elif "event_name" in parsed.value:
        hint = "write `version: 1` and `meters:`, and the meter as an item of that list"
    return codes.NOT_A_METER_FILE(message, parsed.locate_head(()), hint)


def _list_names(checked: CheckedFile) -> Iterator[tuple[str, Location]]:
    """List the event_names of a file, whether or not its entries are valid."""
    meters = (checked.value or {}).get("meters", ())
    for index, entry in enumerate(meters):
        if entry and "event_name" in entry:
            location = checked.parsed.locate(("meters", index, "event_name"))
            yield entry["event_name"], location


def _build_config(entry: Mapping[str, Any], location: Location) -> MeterConfig:
    meter = Meter(
        event_name=entry["event_name"],
        display_name=entry["display_name"],
        default_aggregation=DefaultAggregation(**entry["default_aggregation"]),
        value_settings=ValueSettings(**entry.get("value_settings", {})),
        customer_mapping=CustomerMapping(**entry.get("customer_mapping", {})),
        event_time_window=entry.get("event_time_window"),
    )
    return MeterConfig(
        meter=meter,
        location=location,
        status=Status(entry.get("status", Status.ACTIVE)),
        protect=entry.get("protect", False),
        retires=tuple(entry.get("retires", ())),
        accepted_prices=tuple(entry.get("accepts", {}).get("prices", ())),
    )


def _check_protection(declared: Iterable[MeterConfig]) -> Iterator[Diagnostic]:
    for entry in declared:
        name = entry.event_name
        if entry.protect and entry.status is Status.INACTIVE:
            message = f"`{name}` is both protected and declared inactive"
            yield codes.PROTECTED_AND_INACTIVE(message, entry.location, event_name=name)
