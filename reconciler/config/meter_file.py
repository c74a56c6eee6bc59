"""Read one meter file: its declarations and its diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..diagnostics.lookalikes import fold, tell_apart
from ..diagnostics.suggest import suggest
from ..model.match import flatten
from ..model.meter import CustomerMapping, DefaultAggregation, Meter, Status, ValueSettings
from ..model.project import MeterConfig, PriceExpectation, SettingOrigin, SettingSource
from . import secret_scan
from .schema import CheckedFile, check
from .yaml import reader
from .yaml.parsed_file import ParsedFile, Path

_MARKS = {"version", "meters", "overrides"}
"""Keys that only meter files have together."""


class Override(Struct, frozen=True):
    """A change to a meter that any file of the account declares: settings by dotted path."""

    event_name: str
    location: Location
    settings: Mapping[str, Any]
    origins: tuple[SettingOrigin, ...]


class MeterFile(Struct, frozen=True):
    """The declarations of one file; `names` has every event_name, also those of invalid entries.

    `entries` are the declarations as written, with the defaults of the file, by event_name.
    `unnamed` says that the file may declare more event_names than could be read.
    """

    diagnostics: tuple[Diagnostic, ...]
    names: tuple[tuple[str, Location], ...] = ()
    declared: tuple[MeterConfig, ...] = ()
    entries: Mapping[str, Mapping[str, Any]] = {}
    overrides: tuple[Override, ...] = ()
    unnamed: bool = False


def read_meters(data: bytes, file: str) -> MeterFile:
    """Read a meter file as far as possible; errors become diagnostics, nothing is raised."""
    keys = tuple(secret_scan.find_keys(data, file))
    try:
        parsed = reader.read(data, file)
    except ConfigError as error:
        return MeterFile((*keys, *error.diagnostics), unnamed=True)
    if isinstance(parsed.value, dict) and not parsed.value.keys() & _MARKS:
        return MeterFile((*keys, _describe_other_file(parsed)))
    checked = check(parsed, "meters")
    found = (*keys, *parsed.diagnostics, *checked.diagnostics)
    names, overrides = tuple(_list_names(checked)), tuple(_read_overrides(checked))
    if any(one.level is Level.ERROR for one in found):
        return MeterFile(found, names, overrides=overrides, unnamed=_has_unnamed(parsed, names))
    defaults, written = parsed.value.get("defaults", {}), parsed.value.get("meters", ())
    origins = tuple(_list_origins(parsed, ("defaults",), defaults, SettingSource.DEFAULTS))
    entries = [merge_defaults(defaults, entry) for entry in written]
    declared = tuple(
        _build_config(
            merged, parsed.locate(("meters", index)), _select_inherited(origins, written[index])
        )
        for index, merged in enumerate(entries)
    )
    by_name = {entry["event_name"]: entry for entry in entries}
    return MeterFile(found, names, declared, by_name, overrides)


def _has_unnamed(parsed: ParsedFile, names: Sequence[object]) -> bool:
    """Whether entries of an invalid file may declare event_names that are not among these."""
    value = parsed.value if isinstance(parsed.value, dict) else {}
    written = value.get("meters", [] if "overrides" in value else None)
    return not isinstance(written, list) or len(names) < len(written)


def _read_overrides(checked: CheckedFile) -> Iterator[Override]:
    """Read the overrides of a file, of an invalid one as far as they are valid."""
    parsed = checked.parsed
    for index, entry in enumerate((checked.value or {}).get("overrides", ())):
        if not (entry and "event_name" in entry):
            continue
        path: Path = ("overrides", index)
        settings = {key: value for key, value in entry.items() if key != "event_name"}
        yield Override(
            event_name=entry["event_name"],
            location=parsed.locate((*path, "event_name")),
            settings=flatten(settings),
            origins=tuple(_list_origins(parsed, path, settings, SettingSource.OVERRIDE)),
        )


def _list_origins(
    parsed: ParsedFile, path: Path, settings: Mapping[str, Any], source: SettingSource
) -> Iterator[SettingOrigin]:
    """Yield where each of some settings is written, by its dotted path."""
    for dotted in flatten(settings):
        yield SettingOrigin(dotted, source, parsed.locate((*path, *dotted.split("."))))


def _select_inherited(
    origins: tuple[SettingOrigin, ...], entry: Mapping[str, Any]
) -> tuple[SettingOrigin, ...]:
    """Return the defaults that an entry does not replace."""
    own = flatten(entry) if origins else {}
    return tuple(each for each in origins if each.path not in own)


def apply_overrides(files: Sequence[MeterFile]) -> Iterator[MeterConfig]:
    """Yield the declarations in the files of an account, changed by the overrides in these."""
    overrides: dict[str, list[Override]] = {}
    for one in (one for file in files for one in file.overrides):
        overrides.setdefault(one.event_name, []).append(one)
    for file in files:
        for desired in file.declared:
            changes = overrides.get(desired.event_name)
            entry = file.entries[desired.event_name]
            yield _override(desired, entry, changes) if changes else desired


def _override(
    desired: MeterConfig, entry: Mapping[str, Any], changes: Iterable[Override]
) -> MeterConfig:
    """Return a declaration with its settings replaced, leaf by leaf."""
    merged, origins = dict(entry), {each.path: each for each in desired.origins}
    for change in changes:
        for path, value in change.settings.items():
            key, _, inner = path.partition(".")
            merged[key] = {**merged.get(key, {}), inner: value} if inner else value
        origins |= {each.path: each for each in change.origins}
    return _build_config(merged, desired.location, tuple(origins.values()))


def check_overrides(account: str, files: Sequence[MeterFile]) -> Iterator[Diagnostic]:
    """Report overrides of event_names that the account does not declare, and of one leaf twice."""
    declared = {name for file in files for name, _ in file.names}
    unnamed = any(file.unnamed for file in files)
    first: dict[tuple[str, str], Location] = {}
    for one in (one for file in files for one in file.overrides):
        if one.event_name not in declared and not unnamed:
            yield _report_undeclared(account, one, declared)
        for origin in one.origins:
            place = first.setdefault((one.event_name, origin.path), origin.location)
            if place is not origin.location:
                message = f"`{origin.path}` of `{one.event_name}` is overridden twice, first at "
                message += f"{place}"
                yield codes.OVERRIDDEN_TWICE(message, origin.location, event_name=one.event_name)


def _report_undeclared(account: str, one: Override, declared: Iterable[str]) -> Diagnostic:
    close = suggest(one.event_name, sorted(declared))
    hint = f"did you mean `{close}`? {codes.OVERRIDE_UNDECLARED.remedy}" if close else ""
    message = (
        f"no file of account `{account}` declares `{one.event_name}`, which is overridden here"
    )
    return codes.OVERRIDE_UNDECLARED(message, one.location, hint, event_name=one.event_name)


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
                place = entry.find_override("retires") or entry.location
                yield codes.RETIRED_TWICE(message, place, event_name=entry.event_name)


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


def _build_config(
    entry: Mapping[str, Any], location: Location, origins: tuple[SettingOrigin, ...]
) -> MeterConfig:
    meter = Meter(
        event_name=entry["event_name"],
        display_name=entry["display_name"],
        default_aggregation=DefaultAggregation(**entry["default_aggregation"]),
        value_settings=ValueSettings(**entry.get("value_settings", {})),
        customer_mapping=CustomerMapping(**entry.get("customer_mapping", {})),
        event_time_window=entry.get("event_time_window"),
    )
    prices = entry.get("prices")
    listed = prices if isinstance(prices, list) else []
    return MeterConfig(
        meter=meter,
        location=location,
        status=Status(entry.get("status", Status.ACTIVE)),
        protect=entry.get("protect", False),
        retires=tuple(entry.get("retires", ())),
        accepted_prices=tuple(entry.get("accepts", {}).get("prices", ())),
        ignore_changes=tuple(entry.get("ignore_changes", ())),
        prices=PriceExpectation(prices) if prices and not listed else None,
        lookup_keys=tuple(each["lookup_key"] for each in listed),
        origins=origins,
    )


def check_protection(declared: Iterable[MeterConfig]) -> Iterator[Diagnostic]:
    """Warn of each meter that is protected and declared inactive."""
    for entry in declared:
        name = entry.event_name
        if entry.protect and entry.status is Status.INACTIVE:
            message = f"`{name}` is both protected and declared inactive"
            place = entry.find_override("status", "protect") or entry.location
            yield codes.PROTECTED_AND_INACTIVE(message, place, event_name=name)
