"""The documents of the small commands, each with a function for its type and its own schema."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from msgspec import to_builtins

from ...codegen.json import build_document
from ...diagnostics.errors import Exit
from ...model.comparison import MeterComparison, Side
from ...report.checkup import Check, Checkup
from ...report.comparison import Comparison
from ...report.documents import (
    AccountInventory,
    AccountReadiness,
    DiagnosticList,
    EmulatorInfo,
    Inventory,
    MeterDeclarations,
    MeterReadiness,
    NewProject,
    Readiness,
)
from ...report.generated import CodeCheck, GeneratedCode
from ...report.history import History, PastChange, PastRun
from ...report.published import Published
from ...report.result import CommandResult
from .parts import build_head, list_diagnostics, pick


@singledispatch
def render_small(document: CommandResult) -> dict[str, Any]:
    """Return a document that is not a report, as its schema describes it."""
    raise TypeError(type(document).__name__)


@render_small.register
def _(info: EmulatorInfo) -> dict[str, Any]:
    said = list_diagnostics(info.diagnostics)
    return {
        **build_head("emulate"),
        "diagnostics": said,
        "url": info.url,
        "api_key": info.api_key,
    }


@render_small.register
def _(listed: DiagnosticList) -> dict[str, Any]:
    keys = ("code", "title", "level", "why", "remedy")
    return {**build_head("explain"), "codes": [pick(rule, *keys) for rule in listed.rules]}


@render_small.register
def _(code: GeneratedCode) -> dict[str, Any]:
    return build_document(code.meters)


@render_small.register
def _(check: CodeCheck) -> dict[str, Any]:
    return {
        **build_head("generate"),
        "exit_code": int(check.exit_code),
        "diagnostics": list_diagnostics(check.diagnostics),
        "files": [to_builtins(file) for file in check.files],
    }


@render_small.register
def _(published: Published) -> dict[str, Any]:
    return {
        **build_head("publish"),
        "exit_code": int(published.exit_code),
        "diagnostics": list_diagnostics(published.diagnostics),
        "target": published.target,
        "posted": [to_builtins(each) for each in published.posted],
    }


@render_small.register
def _(comparison: Comparison) -> dict[str, Any]:
    return {
        **build_head("compare"),
        "complete": comparison.complete,
        "exit_code": int(comparison.exit_code),
        "diagnostics": list_diagnostics(comparison.diagnostics),
        "accounts": [
            {
                "account": to_builtins(each.account),
                "exit_code": int(each.exit_code),
                "diagnostics": list_diagnostics(each.diagnostics),
            }
            for each in comparison.accounts
        ],
        "meters": [_render_compared(each) for each in comparison.meters],
        "counts": comparison.counts,
    }


def _render_compared(each: MeterComparison) -> dict[str, Any]:
    return {
        "result": str(each.parity),
        "a": _render_side(each.a),
        "b": _render_side(each.b),
        "fields": [to_builtins(field) for field in each.fields],
    }


def _render_side(side: Side) -> dict[str, Any]:
    return {
        "event_name": side.event_name,
        "meter": side.meter.as_api() if side.meter else None,
        "other_meters": [meter.id for meter in side.others],
    }


@render_small.register
def _(inventory: Inventory) -> dict[str, Any]:
    return {
        **build_head("list"),
        "complete": inventory.complete,
        "exit_code": int(inventory.exit_code),
        "diagnostics": list_diagnostics(inventory.diagnostics),
        "accounts": map(_render_listed, inventory.accounts),
    }


@render_small.register
def _(found: MeterDeclarations) -> dict[str, Any]:
    return {
        **build_head("import"),
        "complete": found.exit_code is Exit.DONE,
        "exit_code": int(found.exit_code),
        "diagnostics": list_diagnostics(found.diagnostics),
        "account": to_builtins(found.account) if found.account else None,
        "meters": [meter.as_api() for meter in found.meters],
        "yaml": found.text,
        "file": found.file,
    }


@render_small.register
def _(started: NewProject) -> dict[str, Any]:
    return {
        **build_head("init"),
        "complete": started.exit_code is Exit.DONE,
        "exit_code": int(started.exit_code),
        "diagnostics": list_diagnostics(started.diagnostics),
        "account": to_builtins(started.account),
        "declared": started.declared,
        "files": [to_builtins(file) for file in started.files],
        "next": list(started.next),
    }


def _render_listed(inventory: AccountInventory) -> dict[str, Any]:
    return {
        "account": to_builtins(inventory.account),
        "exit_code": int(inventory.exit_code),
        "meters": (meter.as_api() for meter in inventory.meters),
        "prices": _list_prices(inventory),
        "diagnostics": list_diagnostics(inventory.diagnostics),
    }


def _list_prices(inventory: AccountInventory) -> Iterator[dict[str, Any]] | None:
    """Return the prices in the order of their meters; None where they are not known."""
    known = inventory.prices
    if known is None:
        return None
    return (to_builtins(price) for meter in inventory.meters for price in known.get(meter.id, ()))


@render_small.register
def _(readiness: Readiness) -> dict[str, Any]:
    return {
        **build_head("ready"),
        "exit_code": int(readiness.exit_code),
        "diagnostics": list_diagnostics(readiness.diagnostics),
        "accounts": [_render_ready_account(account) for account in readiness.accounts],
    }


def _render_ready_account(account: AccountReadiness) -> dict[str, Any]:
    return {
        "account": to_builtins(account.account),
        "exit_code": int(account.exit_code),
        "meters": [_render_ready_meter(meter) for meter in account.meters],
        "diagnostics": list_diagnostics(account.diagnostics),
    }


def _render_ready_meter(meter: MeterReadiness) -> dict[str, Any]:
    return {
        **pick(meter, "event_name", "ready", "meter_id"),
        "fields": [to_builtins(field) for field in meter.fields],
        "code": meter.problem.code if meter.problem else None,
    }


@render_small.register
def _(history: History) -> dict[str, Any]:
    moments = history.timeline
    timeline = map(to_builtins, moments or ())
    of_one = {"meter": history.meter, "similar": history.similar, "timeline": timeline}
    return {
        **build_head("history"),
        "complete": history.complete,
        "exit_code": int(history.exit_code),
        "diagnostics": list_diagnostics(history.diagnostics),
        "runs": map(_render_run, history.runs),
        **({} if moments is None else of_one),
    }


def _render_run(run: PastRun) -> dict[str, Any]:
    changes = [_render_past(change) for change in run.changes]
    return {**to_builtins(run), "account": to_builtins(run.account), "changes": changes}


def _render_past(change: PastChange) -> dict[str, Any]:
    shape = to_builtins(change)
    code, message = shape.pop("code"), shape.pop("message")
    return {**shape, "error": {"code": code, "message": message} if code else None}


@render_small.register
def _(checkup: Checkup) -> dict[str, Any]:
    return {
        **build_head("doctor"),
        "exit_code": int(checkup.exit_code),
        "diagnostics": list_diagnostics(checkup.diagnostics),
        "checks": [_render_check(check) for check in checkup.checks],
        "accounts": [
            {
                "account": to_builtins(account.account),
                "exit_code": int(account.exit_code),
                "checks": [_render_check(check) for check in account.checks],
                "diagnostics": list_diagnostics(account.diagnostics),
            }
            for account in checkup.accounts
        ],
    }


def _render_check(check: Check) -> dict[str, Any]:
    found = check.diagnostic
    return {
        **pick(check, "name", "status", "message"),
        "code": found.code if found else None,
        "hint": found.hint if found else "",
    }
