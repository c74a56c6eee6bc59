"""Read a JSON report of validate, plan, apply or drift back into the nouns it was made from.

The file may come from a job that is not trusted: every value has its type and its range, or the
file is refused as a whole. The effect of a diagnostic is that of its code, and a risk has to be the
one that follows from the change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.catalogue import CATALOGUE
from ..diagnostics.codes import publishing as rules
from ..diagnostics.diagnostic import Diagnostic, Effect, Level, Location
from ..diagnostics.errors import ConfigError, Exit, select_worst
from ..model.alert import BillingAlert
from ..model.change import Action, Change, FieldChange, Reason, Risk
from ..model.finding import DriftEntry, Finding
from ..model.meter import DefaultAggregation, ExistingMeter, Meter, Status, Unreadable
from ..model.price import PRICES_PERMISSION, Price
from ..model.project import AccountRef, MeterConfig, SettingOrigin
from ..model.request import RequestRecord
from ..model.usage import UsageSample, UsageSampling
from ..planning.decode import DecodeError, decode
from ..timestamps import LATEST
from .report import (
    MOST_SHARDS,
    AccountReport,
    ChangeResult,
    PlanDifference,
    Report,
    ReportedChange,
    ResultStatus,
    Shard,
    Unlisted,
)

COMMANDS = ("validate", "plan", "apply", "drift")
"""The commands whose reports can be read."""

MOST_BYTES = 256 * 2**20
"""The size of a report; one of 1,000 accounts with 50 meters each has 75 MB."""

_VERSION = re.compile(r"1\.[0-9]{1,4}", re.ASCII)
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_MOST_LINES = 10**9
_FINDINGS = (Effect.FINDING, Effect.LOST_USAGE)  # a diagnostic that counts is among the findings
Json = Mapping[str, Any]


class _Diagnostic(Struct, frozen=True):
    """A diagnostic, as a report has it."""

    code: str
    level: Level
    message: str
    location: Location | None
    hint: str
    event_name: str | None


class _Result(Struct, frozen=True):
    """What became of a change, as a report has it."""

    status: ResultStatus
    requests: tuple[RequestRecord, ...]
    error: _Diagnostic | None


class _Change(Struct, frozen=True):
    """A change, as a report has it: all changes of an account are decoded at once."""

    event_name: str
    action: Action
    reason: str
    risk: Risk
    meter_id: str | None
    before: ExistingMeter | None
    after: Meter | None
    fields: tuple[FieldChange, ...]
    location: Location | None
    prices: tuple[Price, ...]
    inactive_meters: tuple[str, ...]
    refused_by: tuple[str, ...]
    alerts: tuple[BillingAlert, ...] = ()
    origins: tuple[SettingOrigin, ...] = ()
    prices_read: bool | None = None
    result: _Result | None = None


def read_report(text: str, name: str) -> Report:
    """Return the report that `--format json` wrote; `name` is the name of the file, for errors.

    Unknown keys are ignored, since minor versions of the format may add some. Raises ConfigError.
    """
    if len(text) > MOST_BYTES:
        raise _refuse(name, f"longer than {MOST_BYTES:,} characters")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _refuse(name, "not JSON; it may be truncated") from None
    if not isinstance(data, dict) or "format_version" not in data:
        raise _refuse(name, "not a JSON report of this tool: it has no format_version")
    version, command = data["format_version"], data.get("command")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise _refuse(name, f"format_version {version!r:.40} is not supported: this one reads 1.x")
    if command not in COMMANDS or "summary" not in data:
        said = f"it is of {command!r:.40}" if command else "it names no command"
        raise _refuse(name, f"not a report of {', '.join(COMMANDS)}: {said}")
    try:
        return _read_run(data, command)
    except DecodeError as error:
        raise _refuse(name, f"not a complete report ({error})") from None
    except _MALFORMED:
        raise _refuse(name, "not a complete report") from None


def _refuse(name: str, message: str) -> ConfigError:
    return ConfigError(rules.REPORT_FILE(message, Location(name)))


def _read_run(data: Json, command: str) -> Report:
    accounts = tuple(
        _read_account(each, f"accounts[{n}]") for n, each in enumerate(_list(data, "accounts", ""))
    )
    given = _take(data, "exit_code", Exit, "")
    complete = _take(data, "complete", bool, "")
    worst = select_worst(each.exit_code for each in accounts)
    begun = complete or not all(each.complete for each in accounts)
    report = Report(
        command=command,
        accounts=accounts,
        diagnostics=tuple(_read_diagnostics(data, "")),
        own_exit=Exit.DONE if given is worst and begun else given,
        declared=_take(data, "declared", int | None, "", None),
        shard=_read_shard(data) if "shard" in data else None,
        tool_version=_take(data["tool"], "version", str, "tool") if "tool" in data else "",
    )
    if (report.exit_code, report.complete) != (given, complete):
        raise DecodeError("exit_code or complete does not fit the accounts")
    return report


def _read_shard(data: Json) -> Shard:
    found, configuration = data["shard"], _take(data["shard"], "configuration", str | None, "shard")
    index, count = (_take(found, name, int, "shard") for name in ("index", "count"))
    if not 1 <= index <= count <= MOST_SHARDS:
        raise DecodeError("shard: out of range")
    return Shard(index, count, configuration or "")


def _read_account(data: Json, path: str) -> AccountReport:
    findings = [
        _read_finding(each, f"{path}.findings[{n}]")
        for n, each in enumerate(_list(data, "findings", path) if "findings" in data else [])
    ]
    compared = tuple[PlanDifference, ...]
    of_account = (
        _read_account_finding(found, place) for name, found, place in findings if name is None
    )
    report = AccountReport(
        account=_take(data, "account", AccountRef, path),
        exit_code=_take(data, "exit_code", Exit, path),
        complete=_take(data, "complete", bool, path),
        diagnostics=(*_read_diagnostics(data, f"{path}."), *of_account),
        changes=tuple(_read_changes(data, path)),
        entries=tuple(_group_findings(findings)),
        plan_id=_take(data, "plan_id", str | None, path),
        plan_hash=_take(data, "plan_hash", str | None, path),
        identified=_take(data, "identified", bool, path, None),
        differences=_take(data, "differences", compared, path, None),
        position=_take(data, "position", int, path, None),
        configuration=_take(data, "configuration", str, path, None),
        carried_over=_take(data, "carried_over", bool, path, default=False),
    )
    sampled = _read_sampling(data["usage_sample"], path) if "usage_sample" in data else None
    return replace(report, unlisted=_count_unlisted(report, data, path), sampling=sampled)


def _read_sampling(data: Json, path: str) -> UsageSampling:
    where = f"{path}.usage_sample"
    names = [_take(each, "event_name", str, where) for each in _list(data, "meters", where)]
    samples: tuple[UsageSample, ...] = _take(data, "meters", tuple[UsageSample, ...], where)
    numbers = {n: _take(data, n, int, where) for n in ("most", "start", "end", "requests")}
    return UsageSampling(**numbers, samples=dict(zip(names, samples, strict=True)))


def _count_unlisted(report: AccountReport, data: Json, path: str) -> Unlisted:
    """Return how many event_names a report of drift counts, and does not list."""
    if "findings" not in data:
        return Unlisted()
    given = _take(data, "summary", Unlisted, path)
    known = report.summary
    left = Unlisted(given.unchanged - known["unchanged"], given.unmanaged - known["unmanaged"])
    if min(left.unchanged, left.unmanaged) < 0:
        raise DecodeError(f"{path}.summary does not fit the findings")
    return left


_REQUIRED = object()


def _take(data: Json, name: str, kind: Any, path: str, default: object = _REQUIRED) -> Any:
    """Return the value of a key as a `kind`; raise DecodeError.

    The key has to be there, unless there is a default.
    """
    where = f"{path}.{name}" if path else name
    if not isinstance(data, dict):
        raise DecodeError(f"{path}: invalid value")
    if name not in data:
        if default is _REQUIRED:
            raise DecodeError(f"missing key {where}")
        return default
    return decode(kind, data[name], where, tolerant=True)


def _list(data: Json, name: str, path: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] = _take(data, name, tuple[Any, ...], path)
    return found


def _check_place(place: Location | None, path: str) -> Location | None:
    """Return a location within the range that an editor could show."""
    numbers = (place.line, place.column, place.end_line, place.end_column) if place else ()
    if numbers and not 0 <= min(numbers) <= max(numbers) <= _MOST_LINES:
        raise DecodeError(f"{path}.location: out of range")
    return place


def _read_diagnostics(data: Json, path: str) -> Iterator[Diagnostic]:
    found: tuple[_Diagnostic, ...]
    found = _take(data, "diagnostics", tuple[_Diagnostic, ...], path.rstrip("."))
    for n, each in enumerate(found):
        yield _read_diagnostic(each, f"{path}diagnostics[{n}]")


def _read_diagnostic(data: _Diagnostic, path: str) -> Diagnostic:
    rule = CATALOGUE.get(data.code)
    return Diagnostic(
        code=data.code,
        level=data.level,
        message=data.message,
        location=_check_place(data.location, path),
        hint=data.hint,
        event_name=data.event_name,
        effect=rule.effect if rule and rule.effect not in _FINDINGS else Effect.NONE,
    )


def _read_changes(data: Json, path: str) -> Iterator[ReportedChange]:
    found: tuple[_Change, ...] = _take(data, "changes", tuple[_Change, ...], path)
    for n, (each, given) in enumerate(zip(found, data["changes"], strict=True)):
        yield _read_change(each, given["after"], f"{path}.changes[{n}]")


def _read_change(data: _Change, after: Json | None, path: str) -> ReportedChange:
    """Return a change; `after` is that of the report, with the id of a meter that is activated."""
    action, existing, prices = data.action, data.before, data.prices
    status = Status.ACTIVE if data.reason == Reason.TWO_ACTIVE else Status.INACTIVE
    rename = action is Action.CREATE and data.risk is Risk.LOW
    own = tuple(price for price in prices if existing and price.meter == existing.id)
    new = after.get("id") if after and action is Action.REPLACE else None
    inactive = _build_known(new, data.event_name, Status.INACTIVE) if isinstance(new, str) else None
    change = Change(
        action=action,
        event_name=data.event_name,
        reason=data.reason,
        desired=_read_desired(data, path),
        existing=existing,
        reactivates=inactive,
        others=tuple(_build_known(id_, data.event_name, status) for id_ in data.inactive_meters),
        fields=data.fields,
        prices=own if action.deactivates else prices,
        alerts=data.alerts,
        renamed_from=_build_known("", "", Status.ACTIVE) if rename else None,
        refused_by=data.refused_by,
    )
    if change.risk is not data.risk:
        raise DecodeError(f"{path}.risk is {data.risk}, and the change has the risk {change.risk}")
    return ReportedChange(
        change,
        result=_read_result(data.result, data, path) if data.result else None,
        prices=_read_shown_prices(data),
    )


def _read_shown_prices(data: _Change) -> tuple[Price, ...] | Unreadable | None:
    """Return the prices that were read to be shown; no report names the permission."""
    if data.prices_read is None:
        return None
    return data.prices if data.prices_read else Unreadable(PRICES_PERMISSION)


def _build_known(id_: str, event_name: str, status: Status) -> ExistingMeter:
    """Return a meter of which a report gives only the id."""
    return ExistingMeter(
        id=id_,
        event_name=event_name,
        display_name="",
        default_aggregation=DefaultAggregation(""),
        status=status,
        created=0,
        updated=0,
        livemode=False,
    )


def _read_desired(data: _Change, path: str) -> MeterConfig | None:
    """Return the declaration, as far as a report has it; None for an undeclared event_name."""
    place = _check_place(data.location, path)
    if place is None or data.after is None:
        return None
    return MeterConfig(meter=data.after, location=place, origins=data.origins)


def _read_result(result: _Result, data: _Change, path: str) -> ChangeResult:
    known = data.before.id if data.before else None
    error = result.error
    return ChangeResult(
        status=result.status,
        requests=result.requests,
        error=_read_diagnostic(error, f"{path}.result.error") if error else None,
        meter_id=data.meter_id if data.meter_id != known else None,
    )


Found = tuple[str | None, Finding, Location | None]


def _read_finding(data: Json, path: str) -> Found:
    finding: Finding = decode(Finding, data, path, tolerant=True)
    by = finding.attribution
    invoices = finding.invoices
    rejected = finding.rejected
    times = (
        *(finding.since, finding.resend_until, by.at if by else None),
        *((invoices.next_finalization, invoices.finalized_before) if invoices else ()),
        *((rejected.first, rejected.last) if rejected else ()),
    )
    if not all(at is None or 0 <= at <= LATEST for at in times):
        raise DecodeError(f"{path}: a time is out of range")
    place = _check_place(_take(data, "location", Location | None, path), path)
    return _take(data, "event_name", str | None, path), finding, place


def _group_findings(findings: list[Found]) -> Iterator[DriftEntry]:
    """Yield an entry for each event_name that has findings: a report lists no other."""
    by_name: dict[str, list[tuple[Finding, Location | None]]] = {}
    for name, finding, place in findings:
        if name is not None:
            by_name.setdefault(name, []).append((finding, place))
    for name, found in by_name.items():
        ids = dict.fromkeys(id_ for finding, _ in found for id_ in finding.meter_ids)
        yield DriftEntry(
            event_name=name,
            location=found[0][1],
            meters=tuple(_build_known(id_, name, Status.ACTIVE) for id_ in ids),
            findings=tuple(finding for finding, _ in found),
        )


def _read_account_finding(finding: Finding, place: Location | None) -> Diagnostic:
    """Return the diagnostic of a finding about the whole account, such as an expired exemption."""
    rule = CATALOGUE.get(finding.code)
    said = Diagnostic(finding.code, Level.WARNING, finding.message, place, effect=Effect.FINDING)
    if not rule:
        return said
    return replace(said, level=rule.level, hint=rule.remedy, effect=rule.effect)
