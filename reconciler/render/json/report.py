"""The report of validate, plan, apply and drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from msgspec import to_builtins

from ...diagnostics.diagnostic import Diagnostic, Effect, Location
from ...model.change import Action, Change
from ...model.finding import DriftEntry, Finding, Severity
from ...model.meter import ExistingMeter, Meter, Status
from ...model.project import MeterConfig
from ...model.usage import UsageSampling
from ...report.report import AccountReport, ChangeResult, Report, ReportedChange, Shard
from .parts import build_head, list_diagnostics, pick, render_diagnostic, render_location

_COUNTED = {
    Effect.FINDING: ("exemption_expired", Severity.LOW),
    Effect.LOST_USAGE: ("usage_without_meter", Severity.REVENUE),
}
"""The kind and the severity of the diagnostics that are findings."""


def render_report(report: Report) -> dict[str, Any]:
    """Return a report as `schemas/report.schema.json` describes it."""
    return {
        **build_head(report.command or None),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "declared": report.declared,
        **({"shard": _render_shard(report.shard)} if report.shard else {}),
        "diagnostics": list_diagnostics(report.diagnostics),
        "accounts": (_render_account(account, report.command) for account in report.accounts),
        "summary": report.summary,
    }


def _render_shard(shard: Shard) -> dict[str, Any]:
    return {**to_builtins(shard), "configuration": shard.configuration or None}


def _render_account(report: AccountReport, command: str) -> dict[str, Any]:
    counted = [said for said in report.diagnostics if said.effect in _COUNTED]
    others = [said for said in report.diagnostics if said.effect not in _COUNTED]
    findings = chain(_list_findings(report.entries), map(_build_account_finding, counted))
    known = pick(report, "position", "configuration", "carried_over")
    compared = report.differences
    return {
        "account": to_builtins(report.account),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        **{name: value for name, value in known.items() if value},
        "plan_id": report.plan_id,
        "plan_hash": report.plan_hash,
        **({} if report.identified is None else {"identified": report.identified}),
        "changes": map(_render_change, report.changes),
        **({"findings": findings} if command == "drift" else {}),
        **({"usage_sample": _render_sampling(report.sampling)} if report.sampling else {}),
        **({} if compared is None else {"differences": [to_builtins(each) for each in compared]}),
        "diagnostics": list_diagnostics(others),
        "summary": report.summary,
    }


def _render_sampling(sampling: UsageSampling) -> dict[str, Any]:
    meters = ({"event_name": name, **to_builtins(each)} for name, each in sampling.samples.items())
    return {**pick(sampling, "most", "start", "end", "requests"), "meters": list(meters)}


def _render_change(reported: ReportedChange) -> dict[str, Any]:
    change, result = reported.change, reported.result
    known = change.existing.id if change.existing else None
    shape: dict[str, Any] = {
        "event_name": change.event_name,
        "action": change.action,
        "reason": str(change.reason),
        "risk": change.risk,
        "meter_id": (result.meter_id if result else None) or known,
        "before": change.existing.as_api() if change.existing else None,
        "after": _find_after(change),
        "fields": [to_builtins(field) for field in change.fields],
        "location": render_location(change.location),
        "prices": [to_builtins(price) for price in reported.known_prices],
        "inactive_meters": [other.id for other in change.others],
        "refused_by": list(change.refused_by),
    }
    if reported.prices is not None:
        shape["prices_read"] = isinstance(reported.prices, tuple)
    if change.alerts:
        shape["alerts"] = [to_builtins(alert) for alert in change.alerts]
    if change.desired and change.desired.origins:
        shape["origins"] = [to_builtins(origin) for origin in change.desired.origins]
    return shape | ({"result": _render_result(result)} if result else {})


def _list_findings(entries: Iterable[DriftEntry]) -> Iterator[dict[str, Any]]:
    """Yield the findings of every entry as one list, each with its event_name."""
    for entry in entries:
        for finding in entry.findings:
            yield _render_finding(entry.event_name, finding, entry.location)


def _render_finding(
    event_name: str | None, finding: Finding, location: Location | None
) -> dict[str, Any]:
    shape = {"event_name": event_name, **to_builtins(finding)}
    for optional in ("rejected", "alerts", "sample", "invoices"):
        if not shape[optional]:
            del shape[optional]
    return shape | {"location": render_location(location)}


def _build_account_finding(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return a finding of no event_name: it concerns the whole account."""
    kind, severity = _COUNTED[diagnostic.effect]
    finding = Finding(
        kind=kind,
        code=diagnostic.code,
        severity=severity,
        message=diagnostic.message,
    )
    return _render_finding(None, finding, diagnostic.location)


def _find_after(change: Change) -> dict[str, Any] | None:
    """Return the meter after the change; of a blocked change, as declared."""
    match change:
        case Change(action=Action.UNCHANGED | Action.UNMANAGED, existing=existing):
            return existing.as_api() if existing else None
        case Change(action=Action.DEACTIVATE, existing=ExistingMeter(id=id_) as existing):
            return {"id": id_, **existing.meter.as_api(), "status": str(Status.INACTIVE)}
        case Change(desired=MeterConfig(status=status), desired_meter=Meter() as meter):
            successor = change.reactivates if change.action is Action.REPLACE else change.existing
            known = {"id": successor.id if successor else None}
            return {**known, **meter.as_api(), "status": str(status)}
    return None


def _render_result(result: ChangeResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "requests": [pick(sent, "operation", "request_id", "attempts") for sent in result.requests],
        "error": render_diagnostic(result.error) if result.error else None,
    }
