"""JUnit XML, as test reporters of CI systems read it: one test case for every declared meter.

A finding that counts and a blocked, refused or failed change are failures; an error of the files
or the account is an error; what is ignored or was not tried is skipped. There is no
standard; the elements are those that Jenkins' xunit schema and GitLab's documentation share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import quoteattr

from ..diagnostics.diagnostic import Diagnostic, Effect, Level, Location
from ..report.report import AccountReport, ChangeResult, Report
from .escape import clean
from .summary import called, incomplete
from .view import (
    Item,
    Status,
    exempted,
    field_rows,
    finding_lines,
    items,
    reason_text,
    unattached,
    value,
)


class Ended(StrEnum):
    """What became of a test case; the words are the elements that say so."""

    PASSED = "passed"
    SKIPPED = "skipped"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case: a meter, or a diagnostic of no meter."""

    name: str
    ended: Ended
    type: str = ""
    message: str = ""
    details: str = ""
    location: Location | None = None


Suite = tuple[str, bool, tuple[Case, ...]]
"""Test cases under a name, and whether they are all that there could be."""


def render(report: Report) -> str:
    """The report as JUnit XML."""
    return "".join(f"{line}\n" for line in _document(report))


def escape(text: str) -> str:
    """Text between tags. What XML 1.0 forbids is written out, like every control character."""
    lines = (clean(line) for line in text.split("\n"))
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """A value of an attribute, in its quotes."""
    return quoteattr(clean(text))


def _document(report: Report) -> Iterator[str]:
    suites = [suite for suite in _suites(report) if suite[2]]
    every = [case for _, _, cases in suites for case in cases]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites name={attribute(f'reconciler {report.command}')} {_numbers(every)}>"
    for name, complete, cases in suites:
        yield f'  <testsuite name={attribute(name)} {_numbers(cases)} time="0">'
        if not complete:
            yield '    <properties><property name="complete" value="false"/></properties>'
        for case in cases:
            yield from _case(case, f"{report.command}.{name}")
        yield "  </testsuite>"
    yield "</testsuites>"


def _numbers(cases: Iterable[Case]) -> str:
    ended = [case.ended for case in cases]
    return (
        f'tests="{len(ended)}" failures="{ended.count(Ended.FAILURE)}" '
        f'errors="{ended.count(Ended.ERROR)}" skipped="{ended.count(Ended.SKIPPED)}"'
    )


def _case(case: Case, suite: str) -> Iterator[str]:
    names = f"name={attribute(case.name)} classname={attribute(suite)}"
    file = f" file={attribute(case.location.file)}" if case.location else ""
    head = f'    <testcase {names}{file} time="0"'
    if case.ended is Ended.PASSED:
        yield f"{head}>" if case.details else f"{head}/>"
        if case.details:
            yield f"      <system-out>{escape(case.details)}</system-out>"
            yield "    </testcase>"
        return
    kind = "" if case.ended is Ended.SKIPPED else f" type={attribute(case.type)}"
    said = f"{kind} message={attribute(case.message)}"
    yield f"{head}>"
    yield f"      <{case.ended}{said}>{escape(case.details)}</{case.ended}>"
    yield "    </testcase>"


def _suites(report: Report) -> Iterator[Suite]:
    yield "configuration", True, tuple(map(_diagnostic, report.diagnostics))
    for account in report.accounts:
        yield called(account.account), account.complete, tuple(_cases(account))


def _cases(account: AccountReport) -> Iterator[Case]:
    shown = [item for item in items(account) if _is_case(item)]
    for diagnostic in unattached(account, shown):
        if diagnostic.level is not Level.INFO:
            yield _diagnostic(diagnostic)
    yield from map(_meter, shown)
    for desired in account.valid:
        yield Case(name=desired.event_name, ended=Ended.PASSED, location=desired.location)
    if why := incomplete(account):
        yield Case(name="everything else", ended=Ended.SKIPPED, message=why)


def _diagnostic(diagnostic: Diagnostic) -> Case:
    return Case(
        name=f"{diagnostic.code}: {diagnostic.message}",
        ended=_ended_by(diagnostic),
        type=diagnostic.code,
        message=diagnostic.message,
        details=str(diagnostic),
        location=diagnostic.location,
    )


def _ended_by(diagnostic: Diagnostic) -> Ended:
    """What counts as drift is a failure; other warnings are none."""
    if diagnostic.effect is Effect.FINDING:
        return Ended.FAILURE
    return Ended.ERROR if diagnostic.level is Level.ERROR else Ended.PASSED


def _is_case(item: Item) -> bool:
    """Whether an item is declared, or something is wrong with it."""
    return item.location is not None or bool(item.findings) or item.incomplete


def _meter(item: Item) -> Case:
    ended, types, message = _ended(item)
    return Case(
        name=item.event_name,
        ended=ended,
        type=types,
        message=message,
        details="\n".join(_details(item)),
        location=item.location,
    )


def _ended(item: Item) -> tuple[Ended, str, str]:
    """Return how the case ended, the codes that say why, and the message of the first."""
    counting = [finding for finding in item.findings if not finding.exemption]
    if counting:
        codes = ",".join(finding.code for finding in counting)
        return Ended.FAILURE, codes, counting[0].message
    if item.ignored and (exemption := item.findings[0].exemption):
        return Ended.SKIPPED, "", exempted(exemption)
    if not item.incomplete or item.change is None:
        return Ended.PASSED, "", ""
    error = item.result.error if item.result else None
    errors = [error] if error else [d for d in item.diagnostics if d.level is Level.ERROR]
    message = errors[0].message if errors else reason_text(item.change)
    untried = item.status is Status.SKIPPED and not item.change.refused_by
    codes = ",".join(diagnostic.code for diagnostic in errors)
    return Ended.SKIPPED if untried else Ended.FAILURE, codes, message


def _details(item: Item) -> Iterator[str]:
    if item.change:
        yield f"{item.change.action}: {reason_text(item.change)}"
    for field in field_rows(item.change):
        yield f"{field.path}: {value(field.before)} -> {value(field.after)}"
    for finding in item.findings:
        first, *rest = finding_lines(finding)
        yield f"{finding.severity} {finding.code}: {first}"
        yield from rest
    yield from map(str, item.diagnostics)
    if item.result:
        yield from _result(item.result)


def _result(result: ChangeResult) -> Iterator[str]:
    yield f"result: {result.status}"
    if result.error:
        yield str(result.error)
    for sent in result.requests:
        yield f"request: {sent.operation} {sent.request_id or '(no request id)'}, {sent.result}"
