"""JUnit XML, as test reporters of CI systems read it: one test case for every declared meter.

A finding that is not exempt and a blocked, refused or failed change are failures; an error of the
files or the account is an error; an exempt finding and a change that was not tried are skipped.
There is no standard; the elements are those that Jenkins' xunit schema and GitLab's documentation
share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from xml.sax.saxutils import quoteattr

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes.drift import USAGE_SAMPLED
from ..diagnostics.diagnostic import Diagnostic, Effect, Level, Location
from ..diagnostics.shorten import shorten
from ..report.report import Report
from .escape import clean
from .facts import describe_exemption, describe_finding, format_request
from .labels import describe_account, explain_incomplete
from .places import AS_GIVEN, Base
from .view import AccountView, Group, Item, Status, build_view, group_items


class Ended(StrEnum):
    """How a test case ended; the words are the names of its elements."""

    PASSED = "passed"
    SKIPPED = "skipped"
    FAILURE = "failure"
    ERROR = "error"


class Case(Struct, frozen=True, kw_only=True):
    """One test case: a meter, or a diagnostic of no meter."""

    name: str
    ended: Ended
    type: str = ""
    message: str = ""
    details: str = ""
    location: Location | None = None


Suite = tuple[str, bool, tuple[Case, ...]]
"""A name, whether the suite is complete, and its test cases."""


def render(report: Report, base: Base = AS_GIVEN) -> str:
    """Return the report as JUnit XML."""
    return "".join(f"{line}\n" for line in _render_document(report, base))


def escape(text: str) -> str:
    """Escape text between tags, and every character that XML 1.0 forbids."""
    lines = (clean(line) for line in text.split("\n"))
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quote_attribute(text: str) -> str:
    """Return a value of an attribute, in its quotes."""
    return quoteattr(clean(text))


def _render_document(report: Report, base: Base) -> Iterator[str]:
    suites = [suite for suite in _list_suites(report) if suite[2]]
    every = [case for _, _, cases in suites for case in cases]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    title = quote_attribute(f"reconciler {report.command}")
    yield f"<testsuites name={title} {_count_cases(every)}>"
    for name, complete, cases in suites:
        yield f'  <testsuite name={quote_attribute(name)} {_count_cases(cases)} time="0">'
        if not complete:
            yield '    <properties><property name="complete" value="false"/></properties>'
        for case in cases:
            yield from _render_case(case, f"{report.command}.{name}", base.relate(case.location))
        yield "  </testsuite>"
    yield "</testsuites>"


def _count_cases(cases: Iterable[Case]) -> str:
    ended = [case.ended for case in cases]
    return (
        f'tests="{len(ended)}" failures="{ended.count(Ended.FAILURE)}" '
        f'errors="{ended.count(Ended.ERROR)}" skipped="{ended.count(Ended.SKIPPED)}"'
    )


def _render_case(case: Case, suite: str, location: Location | None) -> Iterator[str]:
    names = f"name={quote_attribute(case.name)} classname={quote_attribute(suite)}"
    file = f" file={quote_attribute(location.file)}" if location else ""
    head = f'    <testcase {names}{file} time="0"'
    if case.ended is Ended.PASSED:
        yield f"{head}>" if case.details else f"{head}/>"
        if case.details:
            yield f"      <system-out>{escape(case.details)}</system-out>"
            yield "    </testcase>"
        return
    kind = "" if case.ended is Ended.SKIPPED else f" type={quote_attribute(case.type)}"
    said = f"{kind} message={quote_attribute(case.message)}"
    yield f"{head}>"
    yield f"      <{case.ended}{said}>{escape(case.details)}</{case.ended}>"
    yield "    </testcase>"


def _list_suites(report: Report) -> Iterator[Suite]:
    yield "configuration", True, tuple(map(_judge_diagnostic, report.diagnostics))
    for view in build_view(report).accounts:
        name = describe_account(view.report.account)
        yield name, view.report.complete, tuple(_list_cases(view))


def _list_cases(view: AccountView) -> Iterator[Case]:
    for diagnostic in view.unattached:
        if diagnostic.level is not Level.INFO or diagnostic.effect is Effect.SAMPLE:
            yield _judge_diagnostic(diagnostic)
    for entry in group_items(item for item in view.items if _is_case(item)):
        yield _judge_group(entry) if isinstance(entry, Group) else _judge_item(entry)
    for desired in view.report.valid:
        yield Case(name=shorten(desired.event_name), ended=Ended.PASSED, location=desired.location)
    if why := explain_incomplete(view.report):
        yield Case(name="everything else", ended=Ended.SKIPPED, message=why)


def _judge_diagnostic(diagnostic: Diagnostic) -> Case:
    """Return a diagnostic as a case: drift is a failure, other warnings are none."""
    ended = Ended.ERROR if diagnostic.level is Level.ERROR else Ended.PASSED
    sampled = diagnostic.effect is Effect.SAMPLE  # a name without the time
    return Case(
        name=f"{diagnostic.code}: {USAGE_SAMPLED.title if sampled else diagnostic.message}",
        ended=Ended.FAILURE if diagnostic.effect in (Effect.FINDING, Effect.LOST_USAGE) else ended,
        type=diagnostic.code,
        message=diagnostic.message,
        details=str(diagnostic),
        location=diagnostic.location,
    )


def _is_case(item: Item) -> bool:
    """Whether an item is declared, or something is wrong with it."""
    wrong = item.findings or item.diagnostics or item.incomplete
    return item.location is not None or bool(wrong)


def _judge_group(group: Group) -> Case:
    """Return many items of the same kind as one case, whose name does not change with them."""
    case = _judge_item(group.items[0])
    known = f"{group.title}: {group.listing}"
    return replace(case, name=group.label, message=known, details=known)


def _judge_item(item: Item) -> Case:
    ended, types, message = _find_end(item)
    return Case(
        name=item.name,
        ended=ended,
        type=types,
        message=message,
        details="\n".join(_list_details(item)),
        location=item.location,
    )


def _find_end(item: Item) -> tuple[Ended, str, str]:
    """Return how the case ended, the codes that say why, and the message of the first."""
    counting = [finding for finding in item.findings if not finding.exemption]
    if counting:
        codes = ",".join(finding.code for finding in counting)
        return Ended.FAILURE, codes, counting[0].message
    if item.ignored and (exemption := item.findings[0].exemption):
        return Ended.SKIPPED, "", describe_exemption(exemption)
    if not item.incomplete or item.change is None:
        return Ended.PASSED, "", ""
    refusing = [each for each in item.diagnostics if each.level is Level.ERROR]
    errors = [item.error] if item.error else refusing
    message = errors[0].message if errors else item.facts[0].text
    untried = item.status is Status.SKIPPED and not item.change.refused_by
    codes = ",".join(diagnostic.code for diagnostic in errors)
    return Ended.SKIPPED if untried else Ended.FAILURE, codes, message


def _list_details(item: Item) -> Iterator[str]:
    if item.change:
        yield f"action: {item.change.action}"
        yield item.text
    for finding in item.findings:
        yield f"{finding.severity} {finding.code}: {describe_finding(finding)}"
    if item.shown:  # else they have a case of their own
        yield from map(str, item.diagnostics)
    if item.result:
        yield f"result: {item.result.status}"
        if item.error:
            yield str(item.error)
        yield from (f"request: {format_request(sent)}" for sent in item.result.requests)
