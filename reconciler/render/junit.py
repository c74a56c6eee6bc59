"""JUnit XML, as test reporters of CI systems read it: one test case for every declared meter.

A finding that counts, a blocked, refused or unsettled line is a failure; a problem of the files
or of the account is an error; what is exempt or was not tried is skipped. There is no
standard; the elements are those that Jenkins' xunit schema and GitLab's documentation share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import quoteattr

from ..diagnostics.codes.drift import EXEMPTION_EXPIRED
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..model.finding import Finding
from ..report.report import ChangeResult, Report, ReportedChange, ResultStatus
from .escape import clean
from .summary import PARTIAL, called
from .view import (
    Place,
    advised,
    attribution_text,
    exempted,
    field_rows,
    halted,
    places,
    unattached,
    value,
    why,
)


class Ended(StrEnum):
    """What became of a test case; the words are the elements that say so."""

    PASSED = "passed"
    SKIPPED = "skipped"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case: a meter, or a problem that belongs to none."""

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
    yield "configuration", True, tuple(map(_problem, report.diagnostics))
    for account in report.accounts:
        shown = [place for place in places(account) if _is_case(place.line)]
        of_none = unattached(account, (place.line for place in shown))
        loose = [diagnostic for diagnostic in of_none if diagnostic.level is not Level.INFO]
        valid = (
            Case(name=d.event_name, ended=Ended.PASSED, location=d.location) for d in account.valid
        )
        rest = () if account.complete else (_REST,)
        cases = (*map(_problem, loose), *map(_meter, shown), *valid, *rest)
        yield called(account.account), account.complete, cases


_REST = Case(name="everything else", ended=Ended.SKIPPED, message=PARTIAL)


def _problem(diagnostic: Diagnostic) -> Case:
    return Case(
        name=f"{diagnostic.code}: {diagnostic.message}",
        ended=_weight(diagnostic),
        type=diagnostic.code,
        message=diagnostic.message,
        details=str(diagnostic),
        location=diagnostic.location,
    )


def _weight(diagnostic: Diagnostic) -> Ended:
    """An exemption that ran out counts as drift; other warnings fail nothing."""
    if diagnostic.code == EXEMPTION_EXPIRED.code:
        return Ended.FAILURE
    return Ended.ERROR if diagnostic.level is Level.ERROR else Ended.PASSED


def _is_case(line: ReportedChange) -> bool:
    """Every declared meter, and of the others what is wrong."""
    return bool(line.change.desired or line.findings) or halted(line)


def _meter(place: Place) -> Case:
    line, change, said = place.line, place.line.change, place.said
    ended, types, message = _ended(line, said)
    return Case(
        name=change.event_name,
        ended=ended,
        type=types,
        message=message,
        details="\n".join(_details(line, said)),
        location=change.location,
    )


def _ended(line: ReportedChange, said: tuple[Diagnostic, ...]) -> tuple[Ended, str, str]:
    """How the case ended, the codes that say why, and the first of them in words."""
    counting = [finding for finding in line.findings if not finding.exemption]
    if counting:
        codes = ",".join(finding.code for finding in counting)
        return Ended.FAILURE, codes, counting[0].message
    if line.findings and (exemption := line.findings[0].exemption):
        return Ended.SKIPPED, "", exempted(exemption)
    if not halted(line):
        return Ended.PASSED, "", ""
    error = line.result.error if line.result else None
    diagnostics = [error] if error else [p for p in said if p.level is Level.ERROR]
    message = diagnostics[0].message if diagnostics else why(line.change)
    untried = line.result is not None and line.result.status is ResultStatus.SKIPPED
    ended = Ended.SKIPPED if untried and not line.change.refused_by else Ended.FAILURE
    return ended, ",".join(diagnostic.code for diagnostic in diagnostics), message


def _details(line: ReportedChange, said: tuple[Diagnostic, ...]) -> Iterator[str]:
    change = line.change
    if not line.findings:
        yield f"{change.action}: {why(change)}"
    for field in field_rows(change):
        yield f"{field.path}: {value(field.before)} -> {value(field.after)}"
    for finding in line.findings:
        yield from _finding(finding)
    yield from map(str, said)
    if line.result:
        yield from _outcome(line.result)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity} {finding.code}: {finding.message}"
    if finding.attribution:
        yield attribution_text(finding.attribution)
    if finding.remedy:
        yield f"what to do: {advised(finding)}"


def _outcome(result: ChangeResult) -> Iterator[str]:
    yield f"outcome: {result.status}"
    if result.error:
        yield str(result.error)
    for sent in result.requests:
        yield f"request: {sent.operation} {sent.request_id or '(no request id)'}, {sent.result}"
