"""JSON for other programs, as `schemas/report.schema.json` and its neighbours describe it.

`json_text` escapes it, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from .. import json_text
from .._version import __version__
from ..diagnostics.diagnostic import Diagnostic, Effect, Location
from ..model.change import Action, Change
from ..model.comparison import MeterComparison, Side
from ..model.finding import DriftEntry, Finding, Severity
from ..model.meter import ExistingMeter, Meter, Status
from ..model.project import MeterConfig
from ..report.checkup import Check, Checkup
from ..report.comparison import Comparison
from ..report.documents import (
    AccountInventory,
    AccountReadiness,
    DiagnosticList,
    EmulatorInfo,
    Inventory,
    MeterReadiness,
    PlainText,
    Readiness,
)
from ..report.history import History, PastChange, PastRun
from ..report.report import AccountReport, ChangeResult, Report, ReportedChange
from . import Document, Structured

FORMAT_VERSION = "1.0"


def render(document: Document) -> str:
    """Return the document as indented JSON; a plain text as it is."""
    if isinstance(document, PlainText):
        return document.text
    return json_text.dump(_render_document(document))


def _render_document(document: Structured) -> dict[str, Any]:
    match document:
        case Report():
            return _render_report(document)
        case Inventory():
            return _render_inventory(document)
        case Readiness():
            return _render_readiness(document)
        case Comparison():
            return _render_comparison(document)
        case History():
            return _render_history(document)
        case Checkup():
            return _render_checkup(document)
        case EmulatorInfo() | DiagnosticList():
            return _render_info(document)


def _render_info(document: EmulatorInfo | DiagnosticList) -> dict[str, Any]:
    if isinstance(document, EmulatorInfo):
        said = _list_diagnostics(document.diagnostics)
        return {**_build_head("emulate"), "diagnostics": said, **_pick(document, "url", "api_key")}
    rules = [_pick(one, "code", "title", "level", "why", "remedy") for one in document.rules]
    return {**_build_head("explain"), "codes": rules}


def _build_head(command: str | None) -> dict[str, Any]:
    tool = {"name": "reconciler", "version": __version__}
    return {"format_version": FORMAT_VERSION, "tool": tool, "command": command}


def _render_report(report: Report) -> dict[str, Any]:
    return {
        **_build_head(report.command or None),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "declared": report.declared,
        "diagnostics": _list_diagnostics(report.diagnostics),
        "accounts": [_render_account(account, report.command) for account in report.accounts],
        "summary": report.summary,
    }


def _render_account(report: AccountReport, command: str) -> dict[str, Any]:
    counted = [said for said in report.diagnostics if said.effect is Effect.FINDING]
    others = [said for said in report.diagnostics if said.effect is not Effect.FINDING]
    findings = [*_list_findings(report.entries), *map(_build_account_finding, counted)]
    return {
        "account": asdict(report.account),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "plan_id": report.plan_id,
        "plan_hash": report.plan_hash,
        "changes": [_render_change(change) for change in report.changes],
        **({"findings": findings} if command == "drift" else {}),
        "diagnostics": _list_diagnostics(others),
        "summary": report.summary,
    }


def _pick(noun: object, *names: str) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in names}


def _render_change(reported: ReportedChange) -> dict[str, Any]:
    change, result = reported.change, reported.result
    known = change.existing.id if change.existing else None
    shape = {
        "event_name": change.event_name,
        "action": change.action,
        "reason": str(change.reason),
        "risk": change.risk,
        "meter_id": (result.meter_id if result else None) or known,
        "before": change.existing.as_api() if change.existing else None,
        "after": _find_after(change),
        "fields": [asdict(field) for field in change.fields],
        "location": _render_location(change.location),
        "prices": [asdict(price) for price in change.prices],
        "inactive_meters": [other.id for other in change.others],
        "refused_by": list(change.refused_by),
    }
    if change.desired and change.desired.origins:
        shape["origins"] = [asdict(origin) for origin in change.desired.origins]
    return shape | ({"result": _render_result(result)} if result else {})


def _list_findings(entries: Iterable[DriftEntry]) -> Iterator[dict[str, Any]]:
    """Yield the findings of every entry as one list, each with its event_name."""
    for entry in entries:
        for finding in entry.findings:
            yield _render_finding(entry.event_name, finding, entry.location)


def _render_finding(
    event_name: str | None, finding: Finding, location: Location | None
) -> dict[str, Any]:
    shape = {"event_name": event_name, **asdict(finding)}
    return shape | {"location": _render_location(location)}


def _build_account_finding(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return the finding of an expired exemption, which concerns the whole account."""
    finding = Finding(
        kind="exemption_expired",
        code=diagnostic.code,
        severity=Severity.LOW,
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
        "requests": [
            _pick(sent, "operation", "request_id", "attempts") for sent in result.requests
        ],
        "error": _render_diagnostic(result.error) if result.error else None,
    }


def _list_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    return [_render_diagnostic(diagnostic) for diagnostic in diagnostics]


def _render_diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        **_pick(diagnostic, "code", "level", "message"),
        "location": _render_location(diagnostic.location),
        **_pick(diagnostic, "hint", "event_name"),
    }


def _render_location(location: Location | None) -> dict[str, Any] | None:
    return asdict(location) if location else None


def _render_inventory(inventory: Inventory) -> dict[str, Any]:
    return {
        **_build_head("list"),
        "complete": inventory.complete,
        "exit_code": int(inventory.exit_code),
        "diagnostics": _list_diagnostics(inventory.diagnostics),
        "accounts": [_render_listed(account) for account in inventory.accounts],
    }


def _render_listed(inventory: AccountInventory) -> dict[str, Any]:
    return {
        "account": asdict(inventory.account),
        "exit_code": int(inventory.exit_code),
        "meters": [meter.as_api() for meter in inventory.meters],
        "prices": _list_prices(inventory),
        "diagnostics": _list_diagnostics(inventory.diagnostics),
    }


def _render_comparison(document: Comparison) -> dict[str, Any]:
    return {
        **_build_head("compare"),
        "complete": document.complete,
        "exit_code": int(document.exit_code),
        "diagnostics": _list_diagnostics(document.diagnostics),
        "accounts": [
            {
                "account": asdict(each.account),
                "exit_code": int(each.exit_code),
                "diagnostics": _list_diagnostics(each.diagnostics),
            }
            for each in document.accounts
        ],
        "meters": [_render_compared(each) for each in document.meters],
        "counts": document.counts,
    }


def _render_compared(each: MeterComparison) -> dict[str, Any]:
    return {
        "result": str(each.parity),
        "a": _render_side(each.a),
        "b": _render_side(each.b),
        "fields": [asdict(field) for field in each.fields],
    }


def _render_side(side: Side) -> dict[str, Any]:
    return {
        "event_name": side.event_name,
        "meter": side.meter.as_api() if side.meter else None,
        "other_meters": [meter.id for meter in side.others],
    }


def _render_readiness(readiness: Readiness) -> dict[str, Any]:
    return {
        **_build_head("ready"),
        "exit_code": int(readiness.exit_code),
        "diagnostics": _list_diagnostics(readiness.diagnostics),
        "accounts": [_render_ready_account(account) for account in readiness.accounts],
    }


def _render_ready_account(account: AccountReadiness) -> dict[str, Any]:
    return {
        "account": asdict(account.account),
        "exit_code": int(account.exit_code),
        "meters": [_render_ready_meter(meter) for meter in account.meters],
        "diagnostics": _list_diagnostics(account.diagnostics),
    }


def _render_ready_meter(meter: MeterReadiness) -> dict[str, Any]:
    return {
        **_pick(meter, "event_name", "ready", "meter_id"),
        "fields": [asdict(field) for field in meter.fields],
        "code": meter.problem.code if meter.problem else None,
    }


def _list_prices(inventory: AccountInventory) -> list[dict[str, Any]] | None:
    """Return the prices in the order of their meters; None where they are not known."""
    known = inventory.prices
    if known is None:
        return None
    return [asdict(price) for meter in inventory.meters for price in known.get(meter.id, ())]


def _render_checkup(checkup: Checkup) -> dict[str, Any]:
    return {
        **_build_head("doctor"),
        "exit_code": int(checkup.exit_code),
        "diagnostics": _list_diagnostics(checkup.diagnostics),
        "checks": [_render_check(check) for check in checkup.checks],
        "accounts": [
            {
                "account": asdict(account.account),
                "exit_code": int(account.exit_code),
                "checks": [_render_check(check) for check in account.checks],
                "diagnostics": _list_diagnostics(account.diagnostics),
            }
            for account in checkup.accounts
        ],
    }


def _render_check(check: Check) -> dict[str, Any]:
    found = check.diagnostic
    return {
        **_pick(check, "name", "status", "message"),
        "code": found.code if found else None,
        "hint": found.hint if found else "",
    }


def _render_history(history: History) -> dict[str, Any]:
    moments = history.timeline
    timeline = [asdict(moment) for moment in moments or ()]
    of_one = {"meter": history.meter, "similar": history.similar, "timeline": timeline}
    return {
        **_build_head("history"),
        "complete": history.complete,
        "exit_code": int(history.exit_code),
        "diagnostics": _list_diagnostics(history.diagnostics),
        "runs": [_render_run(run) for run in history.runs],
        **({} if moments is None else of_one),
    }


def _render_run(run: PastRun) -> dict[str, Any]:
    changes = [_render_past(change) for change in run.changes]
    return {**asdict(run), "account": asdict(run.account), "changes": changes}


def _render_past(change: PastChange) -> dict[str, Any]:
    shape = asdict(change)
    code, message = shape.pop("code"), shape.pop("message")
    return {**shape, "error": {"code": code, "message": message} if code else None}
