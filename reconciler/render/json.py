"""JSON for other programs: the shapes of `schemas/report.schema.json` and its small sisters.

Everything outside ASCII is escaped, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from .._version import __version__
from ..diagnostics.diagnostic import Diagnostic, Effect, Location, Rule
from ..model.change import Action, Change
from ..model.finding import DriftEntry, Finding, Severity
from ..model.meter import ExistingMeter, Status
from ..model.project import AccountRef, MeterConfig
from ..report.documents import AccountInventory, DiagnosticList, EmulatorInfo, Inventory
from ..report.history import History, PastChange, PastRun
from ..report.report import AccountReport, ChangeResult, Report, ReportedChange
from . import Document

FORMAT_VERSION = "1.0"


def render(document: Document) -> str:
    """The document as JSON, indented for people."""
    return json.dumps(_document(document), indent=2) + "\n"


def _document(document: Document) -> dict[str, Any]:
    match document:
        case Report():
            return _report(document)
        case Inventory():
            return _inventory(document)
        case History():
            return _history(document)
        case EmulatorInfo(url=url, api_key=api_key):
            return {**_head("emulate"), "url": url, "api_key": api_key}
        case DiagnosticList(rules=rules):
            return {**_head("explain"), "codes": [_rule(rule) for rule in rules]}


def _head(command: str | None) -> dict[str, Any]:
    tool = {"name": "reconciler", "version": __version__}
    return {"format_version": FORMAT_VERSION, "tool": tool, "command": command}


def _report(report: Report) -> dict[str, Any]:
    return {
        **_head(report.command or None),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "declared": report.declared,
        "diagnostics": _diagnostics(report.diagnostics),
        "accounts": [_account(account, report.command) for account in report.accounts],
        "summary": report.summary,
    }


def _account(report: AccountReport, command: str) -> dict[str, Any]:
    counted = [said for said in report.diagnostics if said.effect is Effect.FINDING]
    others = [said for said in report.diagnostics if said.effect is not Effect.FINDING]
    findings = [*_findings(report.entries), *map(_account_finding, counted)]
    return {
        "account": _ref(report.account),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "plan_id": report.plan_id,
        "plan_hash": report.plan_hash,
        "changes": [_change(change) for change in report.changes],
        **({"findings": findings} if command == "drift" else {}),
        "diagnostics": _diagnostics(others),
        "summary": report.summary,
    }


def _ref(account: AccountRef) -> dict[str, Any]:
    return {"name": account.name, "id": account.id, "livemode": account.livemode}


def _change(reported: ReportedChange) -> dict[str, Any]:
    change, result = reported.change, reported.result
    known = change.existing.id if change.existing else None
    shape = {
        "event_name": change.event_name,
        "action": change.action,
        "reason": str(change.reason),
        "risk": change.risk,
        "meter_id": (result.meter_id if result else None) or known,
        "before": change.existing.as_api() if change.existing else None,
        "after": _after(change),
        "fields": [asdict(field) for field in change.fields],
        "location": _location(change.location),
        "prices": [asdict(price) for price in change.prices],
        "inactive_meters": [other.id for other in change.others],
        "refused_by": list(change.refused_by),
    }
    return shape | ({"result": _result(result)} if result else {})


def _findings(entries: Iterable[DriftEntry]) -> Iterator[dict[str, Any]]:
    """Yield the findings of every entry as one list, each with its event_name."""
    for entry in entries:
        for finding in entry.findings:
            yield _finding(entry.event_name, finding, entry.location)


def _finding(event_name: str | None, finding: Finding, location: Location | None) -> dict[str, Any]:
    return {"event_name": event_name, **asdict(finding), "location": _location(location)}


def _account_finding(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return the finding of an expired exemption, which concerns the whole account."""
    finding = Finding(
        kind="exemption_expired",
        code=diagnostic.code,
        severity=Severity.LOW,
        message=diagnostic.message,
    )
    return _finding(None, finding, diagnostic.location)


def _after(change: Change) -> dict[str, Any] | None:
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


def _result(result: ChangeResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "requests": [
            {"operation": sent.operation, "request_id": sent.request_id, "attempts": sent.attempts}
            for sent in result.requests
        ],
        "error": _diagnostic(result.error) if result.error else None,
    }


def _diagnostics(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    return [_diagnostic(diagnostic) for diagnostic in diagnostics]


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "level": diagnostic.level,
        "message": diagnostic.message,
        "location": _location(diagnostic.location),
        "hint": diagnostic.hint,
        "event_name": diagnostic.event_name,
    }


def _location(location: Location | None) -> dict[str, Any] | None:
    return asdict(location) if location else None


def _inventory(inventory: Inventory) -> dict[str, Any]:
    return {
        **_head("list"),
        "complete": inventory.complete,
        "exit_code": int(inventory.exit_code),
        "diagnostics": _diagnostics(inventory.diagnostics),
        "accounts": [_listed(account) for account in inventory.accounts],
    }


def _listed(inventory: AccountInventory) -> dict[str, Any]:
    return {
        "account": _ref(inventory.account),
        "exit_code": int(inventory.exit_code),
        "meters": [meter.as_api() for meter in inventory.meters],
        "diagnostics": _diagnostics(inventory.diagnostics),
    }


def _history(history: History) -> dict[str, Any]:
    told = history.timeline
    of_one = {"meter": history.meter, "timeline": [asdict(moment) for moment in told or ()]}
    return {
        **_head("history"),
        "complete": history.complete,
        "exit_code": int(history.exit_code),
        "diagnostics": _diagnostics(history.diagnostics),
        "runs": [_past_run(run) for run in history.runs],
        **({} if told is None else of_one),
    }


def _past_run(run: PastRun) -> dict[str, Any]:
    lines = [_past_line(line) for line in run.changes]
    return {**asdict(run), "account": _ref(run.account), "changes": lines}


def _past_line(line: PastChange) -> dict[str, Any]:
    shape = asdict(line)
    code, message = shape.pop("code"), shape.pop("message")
    return {**shape, "error": {"code": code, "message": message} if code else None}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "title": rule.title,
        "level": rule.level,
        "why": rule.why,
        "remedy": rule.remedy,
    }
