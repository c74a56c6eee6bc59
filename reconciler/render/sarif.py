"""SARIF 2.1.0, for code scanning: every diagnostic and finding as a result at its location.

Source: the OASIS standard "Static Analysis Results Interchange Format 2.1.0"; section numbers
below are its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from .. import json_text
from .._version import __version__
from ..diagnostics.catalogue import CATALOGUE
from ..diagnostics.diagnostic import Diagnostic, Level, Location, Rule
from ..diagnostics.errors import Exit
from ..diagnostics.shorten import shorten
from ..model.finding import Finding
from ..report.report import Report
from .differences import list_differences
from .escape import clean
from .facts import LEVEL, list_finding_facts
from .places import AS_GIVEN, Base
from .view import Item, View, build_view

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}
_MOST_RESULTS = 5_000  # GitHub ignores further ones, and rejects a file of more than 25,000
_RAN = (Exit.DONE, Exit.CHANGES, Exit.REFUSED)


class Result(Struct, frozen=True, kw_only=True):
    """One result. `known_by` stays the same when lines move and numbers change."""

    code: str
    level: str
    message: str
    location: Location | None
    known_by: tuple[str, ...]
    properties: dict[str, str]
    justification: str | None = None  # why it is suppressed, where it is


def render(report: Report, base: Base = AS_GIVEN) -> str:
    """Return the report as one SARIF log with one run."""
    view = build_view(report)
    every = list(list_results(view, base))
    results = [result for result in every if is_of_a_file(result)]
    notes = [result for result in every if not is_of_a_file(result)]
    results, left_out = _select_most_severe(results)
    rules = {code: n for n, code in enumerate(sorted({result.code for result in results}))}
    places = (base.relate(item.location) for item in view.items)
    default = next((place.file for place in places if place), base.project_file)
    run = {
        "tool": {"driver": _render_driver(list(rules), sorted({note.code for note in notes}))},
        "invocations": [_render_invocation(report, notes, left_out)],
        "columnKind": "unicodeCodePoints",
        "results": [
            _render_result(result, rules[result.code], nth, default)
            for result, nth in number_results(results)
        ],
        "properties": {"command": report.command, "complete": report.complete},
    }
    return json_text.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def escape(text: str) -> str:
    """Escape a plain text message: no placeholder (3.11.5), no embedded link (3.11.6)."""
    doubled = clean(text).replace("{", "{{").replace("}", "}}")
    if "](" not in doubled:
        return doubled
    return doubled.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _render_driver(rules: list[str], notifications: list[str]) -> dict[str, Any]:
    return {
        "name": "reconciler",
        "semanticVersion": __version__,
        "rules": list(map(_render_rule, rules)),
        "notifications": list(map(_render_rule, notifications)),
    }


def _render_rule(code: str) -> dict[str, Any]:
    """Return the rule of a code as `explain` shows it; an unknown one has only its name."""
    match CATALOGUE.get(code):
        case Rule(title=title, why=why, remedy=remedy, level=level):
            return {
                "id": code,
                "shortDescription": {"text": title},
                "fullDescription": {"text": why},
                "help": {"text": f"{why} What to do: {remedy}." if remedy else why},
                "defaultConfiguration": {"level": _LEVEL[level]},
            }
    return {"id": clean(code)}


def _select_most_severe(results: list[Result]) -> tuple[list[Result], int]:
    """Return the results that fit, the most severe first if not all do, and how many do not."""
    if len(results) <= _MOST_RESULTS:
        return results, 0
    order = list(_LEVEL.values())
    kept = sorted(results, key=lambda result: order.index(result.level))[:_MOST_RESULTS]
    return kept, len(results) - len(kept)


def _render_invocation(report: Report, notes: list[Result], left_out: int) -> dict[str, Any]:
    """Return how the run ended, with the diagnostics that belong to no file."""
    text = f"{left_out:,} results are not in this file: code scanning shows {_MOST_RESULTS:,}"
    return {
        "executionSuccessful": report.exit_code in _RAN,
        "exitCode": int(report.exit_code),
        "exitCodeDescription": report.exit_code.name.lower(),
        "toolExecutionNotifications": [
            {
                "descriptor": {"id": clean(note.code)},
                "level": note.level,
                "message": {"text": escape(note.message)},
                "properties": _clean_properties(note),
            }
            for note in notes
        ]
        + ([{"level": "warning", "message": {"text": text}}] if left_out else []),
    }


def is_of_a_file(result: Result) -> bool:
    """Whether a result belongs to a declaration or an event_name, not to the run or the key."""
    return bool(result.location or result.properties["event_name"])


def list_results(view: View, base: Base) -> Iterator[Result]:
    """Yield every diagnostic and finding of a report."""
    for diagnostic in view.report.diagnostics:
        yield _convert_diagnostic(diagnostic, base)
    for account in view.accounts:
        for item in account.items:
            yield from (_convert_finding(finding, item, base) for finding in item.findings)
            if item.error:
                yield _convert_diagnostic(item.error, base, account.name, item)
        for diagnostic in (*account.report.diagnostics, *list_differences(account.report)):
            yield _convert_diagnostic(diagnostic, base, account.name)


def _convert_diagnostic(
    diagnostic: Diagnostic, base: Base, account: str = "", item: Item | None = None
) -> Result:
    diagnostic = base.relate_diagnostic(diagnostic)
    place = diagnostic.location or (base.relate(item.location) if item else None)
    name = shorten(diagnostic.event_name or "")
    known = name or f"{place.file if place else ''}: {diagnostic.message}"
    return Result(
        code=diagnostic.code,
        level=_LEVEL[diagnostic.level],
        message=diagnostic.message,
        location=place,
        known_by=(account, item.event_name if item else known),
        properties={"hint": diagnostic.hint, "account": account, "event_name": name},
    )


def _convert_finding(finding: Finding, item: Item, base: Base) -> Result:
    exemption, facts = finding.exemption, list(list_finding_facts(finding))
    return Result(
        code=finding.code,
        level=_LEVEL[LEVEL[finding.severity]],
        message="; ".join([finding.message, *(str(fact) for fact in facts if not fact.literal)]),
        location=base.relate(item.location),
        known_by=(item.account, item.event_name, finding.kind),
        properties={
            "kind": finding.kind,
            "severity": finding.severity,
            "hint": "".join(str(fact) for fact in facts if fact.literal),
            "account": item.account,
            "event_name": item.name,
        },
        justification=f"until {exemption.until}: {exemption.reason}" if exemption else None,
    )


def number_results(results: list[Result]) -> Iterator[tuple[Result, int]]:
    """Yield each result, and how many before it are known by the same."""
    seen: dict[tuple[str, ...], int] = {}
    for result in results:
        key = (result.code, *result.known_by)
        yield result, seen.get(key, 0)
        seen[key] = seen.get(key, 0) + 1


def hash_result(result: Result) -> str:
    """Return what a result is known by, as 32 digits."""
    known = json.dumps([result.code, *result.known_by])
    return hashlib.sha256(known.encode()).hexdigest()[:32]


def _render_result(result: Result, rule: int, nth: int, default: str) -> dict[str, Any]:
    fingerprint = f"{hash_result(result)}:{nth + 1}"
    shape = {
        "ruleId": clean(result.code),
        "ruleIndex": rule,
        "level": result.level,
        "message": {"text": escape(result.message)},
        "locations": [_render_location(result, default)],
        # The first is ours, the second the one that GitHub's code scanning reads.
        "partialFingerprints": {
            "reconciler/v1": fingerprint,
            "primaryLocationLineHash": fingerprint,
        },
        "properties": _clean_properties(result),
    }
    if result.justification is None:
        return shape
    reason = clean(result.justification)
    return shape | {"suppressions": [{"kind": "external", "justification": reason}]}


def _clean_properties(result: Result) -> dict[str, str]:
    return {key: clean(text) for key, text in result.properties.items() if text}


def _render_location(result: Result, default: str) -> dict[str, Any]:
    """Return a location; code scanning refuses a result without a file, so one has a default."""
    file = result.location.file if result.location else default
    physical: dict[str, Any] = {"artifactLocation": _render_artifact(file)}
    if result.location and result.location.line:
        physical["region"] = _render_region(result.location)
    name = result.properties["event_name"]
    logical = {"logicalLocations": [{"name": clean(name), "kind": "resource"}]} if name else {}
    return {"physicalLocation": physical, **logical}


def _render_artifact(file: str) -> dict[str, str]:
    """Return a path as a URI; it is relative to the root of the checkout."""
    return {"uri": quote(clean(file)), "uriBaseId": "%SRCROOT%"}


def _render_region(location: Location) -> dict[str, int]:
    """Return a region, which also counts from 1 and has an exclusive end (3.30)."""
    known = {
        "startLine": location.line,
        "startColumn": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
    }
    return {name: number for name, number in known.items() if number}
