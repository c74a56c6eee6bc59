"""JSON for other programs, as `schemas/report.schema.json` and its neighbours describe it.

`json_text` escapes it, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

from .. import json_text
from .._version import __version__
from ..diagnostics.diagnostic import Diagnostic, Effect, Location
from ..model.change import Action, Change
from ..model.finding import DriftEntry, Finding, Severity
from ..model.meter import ExistingMeter, Status
from ..model.project import MeterConfig
from ..report.documents import AccountInventory, DiagnosticList, EmulatorInfo, Inventory
from ..report.history import History, PastChange, PastRun
from ..report.report import AccountReport, ChangeResult, Report, ReportedChange
from . import Document

FORMAT_VERSION = "1.0"


def render(document: Document) -> str:
    """Return the document as indented JSON."""
    return "".join(render_parts(document))


def render_parts(document: Document) -> Iterator[str]:
    """Yield the parts of the document as indented JSON; what there may be many of comes singly."""
    return json_text.iterate(_render_document(document))


def _render_document(document: Document) -> dict[str, Any]:
    match document:
        case Report():
            return _render_report(document)
        case Inventory():
            return _render_inventory(document)
        case History():
            return _render_history(document)
        case EmulatorInfo(url=url, api_key=api_key):
            return {**_build_head("emulate"), "url": url, "api_key": api_key}
        case DiagnosticList(rules=rules):
            return {
                **_build_head("explain"),
                "codes": [_pick(rule, "code", "title", "level", "why", "remedy") for rule in rules],
            }


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
        "accounts": (_render_account(account, report.command) for account in report.accounts),
        "summary": report.summary,
    }


def _render_account(report: AccountReport, command: str) -> dict[str, Any]:
    counted = [said for said in report.diagnostics if said.effect is Effect.FINDING]
    others = [said for said in report.diagnostics if said.effect is not Effect.FINDING]
    findings = chain(_list_findings(report.entries), map(_build_account_finding, counted))
    return {
        "account": asdict(report.account),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "plan_id": report.plan_id,
        "plan_hash": report.plan_hash,
        "changes": map(_render_change, report.changes),
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
        case Change(desired=MeterConfig(meter=meter, status=status)):
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


def _list_diagnostics(diagnostics: Iterable[Diagnostic]) -> Iterator[dict[str, Any]]:
    return map(_render_diagnostic, diagnostics)


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
        "accounts": map(_render_listed, inventory.accounts),
    }


def _render_listed(inventory: AccountInventory) -> dict[str, Any]:
    return {
        "account": asdict(inventory.account),
        "exit_code": int(inventory.exit_code),
        "meters": (meter.as_api() for meter in inventory.meters),
        "diagnostics": _list_diagnostics(inventory.diagnostics),
    }


def _render_history(history: History) -> dict[str, Any]:
    moments = history.timeline
    timeline = map(asdict, moments or ())
    of_one = {"meter": history.meter, "similar": history.similar, "timeline": timeline}
    return {
        **_build_head("history"),
        "complete": history.complete,
        "exit_code": int(history.exit_code),
        "diagnostics": _list_diagnostics(history.diagnostics),
        "runs": map(_render_run, history.runs),
        **({} if moments is None else of_one),
    }


def _render_run(run: PastRun) -> dict[str, Any]:
    changes = [_render_past(change) for change in run.changes]
    return {**asdict(run), "account": asdict(run.account), "changes": changes}


def _render_past(change: PastChange) -> dict[str, Any]:
    shape = asdict(change)
    code, message = shape.pop("code"), shape.pop("message")
    return {**shape, "error": {"code": code, "message": message} if code else None}
