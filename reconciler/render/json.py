"""JSON for other programs: the shapes of `schemas/report.schema.json` and its small sisters.

Everything outside ASCII is escaped, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from .._version import __version__
from ..diagnostics.diagnostic import Location, Problem, Rule
from ..model.change import Action, Change
from ..model.meter import Live, Status
from ..model.project import AccountRef, Declared
from ..report.documents import AccountInventory, Glossary, Inventory, Serving
from ..report.history import History, PastLine, PastRun
from ..report.report import AccountReport, Line, Outcome, Report
from . import Document

FORMAT_VERSION = "1.0"


def render(document: Document) -> str:
    """The document as JSON, indented for people who look."""
    return json.dumps(_document(document), indent=2) + "\n"


def _document(document: Document) -> dict[str, Any]:
    match document:
        case Report():
            return _report(document)
        case Inventory():
            return _inventory(document)
        case History():
            return _history(document)
        case Serving(url=url, api_key=api_key):
            return {**_head("emulate"), "url": url, "api_key": api_key}
        case Glossary(rules=rules):
            return {**_head("explain"), "codes": [_rule(rule) for rule in rules]}


def _head(verb: str | None) -> dict[str, Any]:
    tool = {"name": "reconciler", "version": __version__}
    return {"format_version": FORMAT_VERSION, "tool": tool, "verb": verb}


def _report(report: Report) -> dict[str, Any]:
    return {
        **_head(report.verb or None),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "declared": report.declared,
        "problems": _problems(report.problems),
        "accounts": [_account(account, report.verb) for account in report.accounts],
        "summary": report.summary(),
    }


def _account(report: AccountReport, verb: str) -> dict[str, Any]:
    shape = _audited if verb == "drift" else _line
    return {
        "account": _ref(report.account),
        "complete": report.complete,
        "exit_code": int(report.exit_code),
        "plan_id": report.plan_id,
        "plan_hash": report.plan_hash,
        "changes": [shape(line) for line in report.lines],
        "problems": _problems(report.problems),
        "summary": report.summary(),
    }


def _ref(account: AccountRef) -> dict[str, Any]:
    return {"name": account.name, "id": account.id, "livemode": account.livemode}


def _line(line: Line) -> dict[str, Any]:
    change, outcome = line.change, line.outcome
    known = change.have.id if change.have else None
    shape = {
        "event_name": change.event_name,
        "action": change.action,
        "reason": str(change.reason),
        "severity": change.severity,
        "meter_id": (outcome.meter_id if outcome else None) or known,
        "before": change.have.as_api() if change.have else None,
        "after": _after(change),
        "fields": [asdict(field) for field in change.fields],
        "where": _where(change.where),
        "prices": [asdict(price) for price in change.prices],
        "twins": [twin.id for twin in change.twins],
        "refused_by": list(change.refused_by),
    }
    return shape | ({"outcome": _outcome(outcome)} if outcome else {})


def _audited(line: Line) -> dict[str, Any]:
    """A line of an audit; `kind`, `since` and `attribution` are those of its worst finding."""
    findings = [asdict(finding) for finding in line.findings]
    worst = findings[0] if findings else dict.fromkeys(("kind", "since", "attribution"))
    told = {name: worst[name] for name in ("kind", "since", "attribution")}
    return _line(line) | told | {"findings": findings}


def _after(change: Change) -> dict[str, Any] | None:
    """The meter as the line would leave it; of a blocked one, as the files want it."""
    match change:
        case Change(action=Action.UNCHANGED | Action.UNMANAGED, have=have):
            return have.as_api() if have else None
        case Change(action=Action.DEACTIVATE, have=Live(id=id_) as have):
            return {"id": id_, **have.meter.as_api(), "status": str(Status.INACTIVE)}
        case Change(want=Declared(meter=meter, status=status)):
            successor = change.wakes if change.action is Action.REPLACE else change.have
            known = {"id": successor.id if successor else None}
            return {**known, **meter.as_api(), "status": str(status)}
    return None


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "requests": [
            {"verb": sent.verb, "request_id": sent.request_id, "attempts": sent.attempts}
            for sent in outcome.requests
        ],
        "error": _problem(outcome.error) if outcome.error else None,
    }


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [_problem(problem) for problem in problems]


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.level,
        "message": problem.message,
        "where": _where(problem.where),
        "hint": problem.hint,
        "event_name": problem.event_name,
    }


def _where(where: Location | None) -> dict[str, Any] | None:
    return asdict(where) if where else None


def _inventory(inventory: Inventory) -> dict[str, Any]:
    return {
        **_head("list"),
        "complete": inventory.complete,
        "exit_code": int(inventory.exit_code),
        "problems": _problems(inventory.problems),
        "accounts": [_listed(account) for account in inventory.accounts],
    }


def _listed(inventory: AccountInventory) -> dict[str, Any]:
    return {
        "account": _ref(inventory.account),
        "exit_code": int(inventory.exit_code),
        "meters": [meter.as_api() for meter in inventory.meters],
        "problems": _problems(inventory.problems),
    }


def _history(history: History) -> dict[str, Any]:
    told = history.timeline
    of_one = {"meter": history.meter, "timeline": [asdict(moment) for moment in told or ()]}
    return {
        **_head("history"),
        "complete": history.complete,
        "exit_code": int(history.exit_code),
        "problems": _problems(history.problems),
        "runs": [_past_run(run) for run in history.runs],
        **({} if told is None else of_one),
    }


def _past_run(run: PastRun) -> dict[str, Any]:
    lines = [_past_line(line) for line in run.lines]
    return {**asdict(run), "account": _ref(run.account), "lines": lines}


def _past_line(line: PastLine) -> dict[str, Any]:
    shape = asdict(line)
    code, message = shape.pop("code"), shape.pop("message")
    return {**shape, "error": {"code": code, "message": message} if code else None}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "title": rule.title,
        "severity": rule.level,
        "why": rule.why,
        "remedy": rule.remedy,
    }
