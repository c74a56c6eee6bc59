"""SARIF 2.1.0, for code scanning: every diagnostic and finding as a result at its location.

Source: the OASIS standard "Static Analysis Results Interchange Format 2.1.0"; section numbers
below are its own.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .._version import __version__
from ..diagnostics.codes import CATALOGUE
from ..diagnostics.diagnostic import Diagnostic, Level, Location, Rule
from ..diagnostics.errors import Exit
from ..model.finding import Finding
from ..report.report import AccountReport, Report
from .escape import clean
from .view import LEVEL, Item, all_items, facts, items, remedy

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}
_RAN = (Exit.DONE, Exit.CHANGES, Exit.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing to show: which rule, how bad, what, where, and what it is known by."""

    code: str
    level: str
    message: str
    location: Location | None
    known_by: tuple[str, ...]  # what stays the same when lines move and numbers change
    properties: dict[str, str]
    justification: str | None = None  # why it is suppressed, where it is


def render(report: Report) -> str:
    """The report as one SARIF log with one run."""
    every = list(_results(report))
    results = [result for result in every if _of_a_file(result)]
    notes = [result for result in every if not _of_a_file(result)]
    rules = {code: n for n, code in enumerate(sorted({result.code for result in results}))}
    elsewhere = _some_file(report)
    run = {
        "tool": {"driver": _driver(list(rules), sorted({note.code for note in notes}))},
        "invocations": [_invocation(report, notes)],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(result, rules[result.code], nth, elsewhere)
            for result, nth in _numbered(results)
        ],
        "properties": {"command": report.command, "complete": report.complete},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def escape(text: str) -> str:
    """A plain text message: no placeholder (3.11.5) and no embedded link (3.11.6) can be in it."""
    doubled = clean(text).replace("{", "{{").replace("}", "}}")
    if "](" not in doubled:
        return doubled
    return doubled.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _driver(rules: list[str], notifications: list[str]) -> dict[str, Any]:
    return {
        "name": "reconciler",
        "semanticVersion": __version__,
        "rules": list(map(_rule, rules)),
        "notifications": list(map(_rule, notifications)),
    }


def _rule(code: str) -> dict[str, Any]:
    """What `explain` says of a code; one that the catalogue does not know has its name only."""
    match CATALOGUE.get(code):
        case Rule(title=title, why=why, remedy=remedy, level=level):
            return {
                "id": code,
                "shortDescription": {"text": title},
                "fullDescription": {"text": why},
                "help": {"text": f"{why} What to do: {remedy}."},
                "defaultConfiguration": {"level": _LEVEL[level]},
            }
    return {"id": clean(code)}


def _invocation(report: Report, notes: list[Result]) -> dict[str, Any]:
    """How the run ended; what is said of the run or the key belongs to no line of a file."""
    return {
        "executionSuccessful": report.exit_code in _RAN,
        "exitCode": int(report.exit_code),
        "exitCodeDescription": report.exit_code.name.lower(),
        "toolExecutionNotifications": [
            {
                "descriptor": {"id": clean(note.code)},
                "level": note.level,
                "message": {"text": escape(note.message)},
                "properties": _bag(note),
            }
            for note in notes
        ],
    }


def _of_a_file(result: Result) -> bool:
    """Whether a result belongs to a declaration or a name; the rest is of the run or the key."""
    return bool(result.location or result.properties["event_name"])


def _results(report: Report) -> Iterator[Result]:
    yield from (_diagnostic(diagnostic) for diagnostic in report.diagnostics)
    for account in report.accounts:
        for item in items(account):
            yield from _item(item, account)
        yield from (_diagnostic(diagnostic, account) for diagnostic in account.diagnostics)


def _item(item: Item, account: AccountReport) -> Iterator[Result]:
    yield from (_finding(finding, item) for finding in item.findings)
    if item.result and item.result.error:
        known_by = (item.account, item.event_name)
        yield _diagnostic(item.result.error, account, item.location, known_by)


def _diagnostic(
    diagnostic: Diagnostic,
    account: AccountReport | None = None,
    location: Location | None = None,
    known_by: tuple[str, ...] = (),
) -> Result:
    place = diagnostic.location or location
    whose = account.account.name if account else ""
    named = (whose, diagnostic.event_name or f"{place.file if place else ''}: {diagnostic.message}")
    properties = {
        "hint": diagnostic.hint,
        "account": whose,
        "event_name": diagnostic.event_name or "",
    }
    return Result(
        code=diagnostic.code,
        level=_LEVEL[diagnostic.level],
        message=diagnostic.message,
        location=place,
        known_by=known_by or named,
        properties=properties,
    )


def _finding(finding: Finding, item: Item) -> Result:
    exemption, how = finding.exemption, remedy(finding)
    said = (f"{fact.label}: {fact.text}" for fact in facts(finding) if fact.label != "ignored")
    return Result(
        code=finding.code,
        level=_LEVEL[LEVEL[finding.severity]],
        message="; ".join([finding.message, *said]),
        location=item.location,
        known_by=(item.account, item.event_name, finding.kind),
        properties={
            "kind": finding.kind,
            "severity": finding.severity,
            "hint": ": ".join(how) if how else "",
            "account": item.account,
            "event_name": item.event_name,
        },
        justification=f"until {exemption.until}: {exemption.reason}" if exemption else None,
    )


def _numbered(results: list[Result]) -> Iterator[tuple[Result, int]]:
    """Each result, and how many before it are known by the same."""
    seen: dict[tuple[str, ...], int] = {}
    for result in results:
        key = (result.code, *result.known_by)
        yield result, seen.get(key, 0)
        seen[key] = seen.get(key, 0) + 1


def _result(result: Result, rule: int, nth: int, elsewhere: str) -> dict[str, Any]:
    known = json.dumps([result.code, *result.known_by])
    fingerprint = f"{hashlib.sha256(known.encode()).hexdigest()[:32]}:{nth + 1}"
    shape = {
        "ruleId": clean(result.code),
        "ruleIndex": rule,
        "level": result.level,
        "message": {"text": escape(result.message)},
        "locations": [_location(result, elsewhere)],
        # The first is ours, the second the one that GitHub's code scanning reads.
        "partialFingerprints": {
            "reconciler/v1": fingerprint,
            "primaryLocationLineHash": fingerprint,
        },
        "properties": _bag(result),
    }
    if result.justification is None:
        return shape
    reason = clean(result.justification)
    return shape | {"suppressions": [{"kind": "external", "justification": reason}]}


def _bag(result: Result) -> dict[str, str]:
    return {key: clean(text) for key, text in result.properties.items() if text}


def _location(result: Result, elsewhere: str) -> dict[str, Any]:
    """Code scanning takes no result without a file, so an undeclared meter stands where one is."""
    file = result.location.file if result.location else elsewhere
    physical: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if result.location and result.location.line:
        physical["region"] = _region(result.location)
    name = result.properties["event_name"]
    logical = {"logicalLocations": [{"name": clean(name), "kind": "resource"}]} if name else {}
    return {"physicalLocation": physical, **logical}


def _artifact(file: str) -> dict[str, str]:
    """A path as a URI; a relative one is relative to the root of the checkout."""
    path = posixpath.normpath(clean(file.replace("\\", "/")))
    if path.startswith("/"):
        return {"uri": f"file://{quote(path)}"}
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _region(location: Location) -> dict[str, int]:
    """Like ours, a region counts from 1 and its end is exclusive (3.30)."""
    known = {
        "startLine": location.line,
        "startColumn": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
    }
    return {name: number for name, number in known.items() if number}


def _some_file(report: Report) -> str:
    """Return the first meter file in the report, else the default name of the project file."""
    found = (item.location.file for item in all_items(report) if item.location)
    return next(found, "reconciler.yaml")
