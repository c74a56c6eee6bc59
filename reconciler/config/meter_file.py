"""Read one meter file: its declarations and its diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.meter import CustomerMapping, DefaultAggregation, Meter, Status, ValueSettings
from ..model.project import MeterConfig
from . import schema
from . import secret_scan as leak
from .yaml import reader as yamltree
from .yaml.document import Document


@dataclass(frozen=True, slots=True)
class MeterFile:
    """The declarations of one file; `names` has every event_name, also those of invalid entries."""

    diagnostics: tuple[Diagnostic, ...]
    names: tuple[tuple[str, Location], ...] = ()
    declared: tuple[MeterConfig, ...] = ()


def read_meters(data: bytes, file: str) -> MeterFile:
    """Read a meter file as far as possible; errors become diagnostics, nothing is raised."""
    leaks = leak.problems_in(data, file)
    try:
        document = yamltree.read(data, file)
    except ConfigError as error:
        return MeterFile((*leaks, *error.diagnostics))
    if isinstance(document.value, dict) and not document.value.keys() & {"version", "meters"}:
        message = "not a meter file: neither `version` nor `meters` found"
        return MeterFile((*leaks, codes.NOT_A_METER_FILE(message, document.head(()))))
    faults = [*leaks, *document.diagnostics, *schema.check(document, "meters")]
    names = tuple(_names(document))
    if any(fault.level is Level.ERROR for fault in faults):
        return MeterFile(tuple(faults), names)
    declared = tuple(_declared(document))
    return MeterFile((*faults, *_warnings(declared)), names, declared)


def twice(names: Iterable[tuple[str, Location]]) -> Iterator[Diagnostic]:
    """Report each event_name that is declared more than once."""
    first: dict[str, Location] = {}
    for name, location in names:
        if name not in first:
            first[name] = location
            continue
        message = f"duplicate event_name `{name}`, first declared at {first[name]}"
        yield codes.DECLARED_TWICE(message, location, event_name=name)


def retired_twice(declared: Iterable[MeterConfig]) -> Iterator[Diagnostic]:
    """Warn of each meter id that is retired under more than one event_name."""
    first: dict[str, MeterConfig] = {}
    for entry in declared:
        for id_ in entry.retires:
            if first.setdefault(id_, entry) is not entry:
                message = f"{id_} is also retired under `{first[id_].event_name}`"
                yield codes.RETIRED_TWICE(message, entry.location, event_name=entry.event_name)


def merged(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Merge an entry over the defaults of its file, mappings key by key."""
    both = {
        key: {**defaults[key], **entry[key]}
        for key in defaults.keys() & entry.keys()
        if isinstance(defaults[key], dict) and isinstance(entry[key], dict)
    }
    return {**defaults, **entry, **both}


def _names(document: Document) -> Iterator[tuple[str, Location]]:
    """List the event_names of a document, whether or not it is valid."""
    meters = document.value.get("meters") if isinstance(document.value, dict) else None
    for index, entry in enumerate(meters if isinstance(meters, list) else ()):
        name = entry.get("event_name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            yield name, document.location(("meters", index, "event_name"))


def _declared(document: Document) -> Iterator[MeterConfig]:
    defaults = document.value.get("defaults", {})
    for index, entry in enumerate(document.value["meters"]):
        yield _declaration(merged(defaults, entry), document.location(("meters", index)))


def _declaration(entry: Mapping[str, Any], location: Location) -> MeterConfig:
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


def _warnings(declared: Iterable[MeterConfig]) -> Iterator[Diagnostic]:
    for entry in declared:
        name = entry.event_name
        if entry.protect and entry.status is Status.INACTIVE:
            message = f"`{name}` is both protected and declared inactive"
            yield codes.PROTECTED_AND_INACTIVE(message, entry.location, event_name=name)
