"""What a step leaves behind: the outputs of the Action, read from the report of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit
from ..diagnostics.shorten import shorten
from ..render.escape import clean
from ..render.json.parts import render_diagnostic

COUNTS = (
    "create",
    "reactivate",
    "update",
    "replace",
    "deactivate",
    "blocked",
    "unmanaged",
    "unchanged",
    "refused",
)
"""The counts of a report's summary that are outputs, each under its own name."""

_WRITING = COUNTS[:5]
_LONGEST = 500


def read_report(file: Path) -> dict[str, Any]:
    """Return the JSON report of a run; empty where the run could not write one."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_of_no_account(report: Mapping[str, Any]) -> bool:
    """Whether a plan does not say which account it is for, so that none is approved by its hash."""
    return any(account.get("identified") is False for account in report.get("accounts", []))


def replace_diagnostic(report: Mapping[str, Any], code: str, by: Diagnostic) -> dict[str, Any]:
    """Return a report with another diagnostic in place of those of a code."""
    shown = render_diagnostic(by)
    accounts = [
        {
            **account,
            "diagnostics": [
                shown if said["code"] == code else said for said in account["diagnostics"]
            ],
        }
        for account in report.get("accounts", [])
    ]
    return {**report, "accounts": accounts}


def list_outputs(report: Mapping[str, Any], exit_code: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each output that a report gives.

    The plan has an id and a hash of its own only where the report is of one account.
    """
    yield "exit-code", str(exit_code)
    yield "failure-reason", explain_failure(report, exit_code)
    summary = report.get("summary", {})
    yield "changes", str(sum(summary.get(name, 0) for name in _WRITING))
    yield from ((name, str(summary.get(name, 0))) for name in COUNTS)
    accounts = report.get("accounts", [])
    yield "findings", str(sum(len(account.get("findings", ())) for account in accounts))
    only = accounts[0] if len(accounts) == 1 else {}
    yield "plan-id", only.get("plan_id") or ""
    yield "plan-hash", only.get("plan_hash") or ""


def explain_failure(report: Mapping[str, Any], exit_code: int) -> str:
    """Return the name of the exit code and the first error; empty for a run without failure."""
    if exit_code == Exit.DONE:
        return ""
    levels = [report, *report.get("accounts", [])]
    found = [said for level in levels for said in level.get("diagnostics", [])]
    errors = [f"{said['code']}: {said['message']}" for said in found if said["level"] == "error"]
    name = Exit(exit_code).name.lower()
    return ": ".join([name, *errors[:1]])


def format_outputs(outputs: Iterator[tuple[str, str]]) -> str:
    """Return the lines of a file of outputs; a value is one line, whatever it holds."""
    return "".join(f"{name}={format_value(value)}\n" for name, value in outputs)


def format_value(value: str) -> str:
    """Return a value as one line of bounded length, its control characters made visible."""
    return clean(shorten(value.replace("\n", " "), _LONGEST))


def name_plan_artifact(plan_hash: str) -> str:
    """Return the name of the artifact that holds a saved plan, by which it is found again."""
    return name_artifact("reconciler-plan", plan_hash)


def name_artifact(*parts: str) -> str:
    """Return the name of an artifact; it may not hold what a file system forbids."""
    return re.sub(r"[^\w.-]+", "-", "-".join(filter(None, parts)))[:120]
