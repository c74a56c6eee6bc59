"""The lines of a report as cards that open: what differs, what was found, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic
from ...model.change import Action, Change, FieldChange, Severity
from ...model.finding import Finding
from ...report.report import ChangeResult, ReportedChange
from ..view import (
    SIGN,
    Place,
    advice,
    attribution_text,
    exempted,
    field_rows,
    meter_id,
    risky,
    severity,
    standing,
    succeeded,
    told,
    undated,
    value,
    why,
)
from .markup import Html, moment, sentence, table, tag, together

_OPEN = 12  # cards that are open from the beginning, of those that must be read


def lines(places: list[Place], *, several: bool) -> Html:
    """Every line as an item of a list, with its account where there are several."""
    return tag(
        "ol",
        *(_item(nth, place, several=several) for nth, place in enumerate(places)),
        class_="lines",
        id="lines",
    )


def take_snapshot(line: ReportedChange) -> str:
    """The class that colours a line: how bad it is, else that it was exempted or settled."""
    if line.ignored:
        return "ignored"
    if succeeded(line):
        return "good"
    return str(severity(line))


def _item(nth: int, place: Place, *, several: bool) -> Html:
    """What filters and sorts reads from the attributes, and shows or hides the item."""
    line = place.line
    since = [finding.since for finding in line.findings if finding.since is not None]
    head = _head(line, place.account if several else None)
    if told(line):
        opened = "" if nth < _OPEN and risky(line) else None
        body = tag("div", *_body(place), class_="body")
        card = tag("details", tag("summary", head), body, open=opened)
    else:
        card = tag("div", head, class_="quiet")
    return tag(
        "li",
        card,
        class_=f"line {take_snapshot(line)}",
        data_rank=nth,
        data_name=line.change.event_name,
        data_severity="ignored" if line.ignored else str(severity(line)),
        data_standing=str(standing(line)),
        data_action=str(line.change.action),
        data_account=place.account,
        data_since=max(since) if since else None,
    )


def _head(line: ReportedChange, whose: str | None) -> Html:
    known = [meter_id(line), str(line.change.location or "") or None, whose]
    return together(
        tag("span", _badge(line), class_="severity"),
        tag(
            "span",
            tag("b", line.change.event_name, class_="name"),
            tag("span", *(tag("span", text) for text in known if text), class_="known"),
            class_="who",
        ),
        tag("span", *_happens(line), class_="happens"),
    )


def _badge(line: ReportedChange) -> str:
    if line.ignored:
        return "ignored"
    if line.result and line.result.status.succeeded:
        return str(line.result.status)
    degree = severity(line)
    return "—" if degree is Severity.NONE else str(degree)


def _happens(line: ReportedChange) -> Iterator[Html]:
    if line.findings:
        kinds = dict.fromkeys(finding.kind for finding in line.findings)
        yield from (tag("span", kind.replace("_", " "), class_="tag") for kind in kinds)
        return
    change = line.change
    sign = tag("span", SIGN[change.action], class_="sign", aria_hidden="true")
    yield tag("span", sign, f" {change.action}", class_=f"tag {change.action}")
    if change.refused_by:
        yield tag("span", "refused", class_="tag bad")
    if line.result and not line.result.status.succeeded:  # else the badge says so
        yield tag("span", str(line.result.status), class_="tag bad")


def _body(place: Place) -> Iterator[Html]:
    line, change = place.line, place.line.change
    yield from map(_finding, line.findings)
    if not line.findings:
        yield tag("p", sentence(why(change)), class_="why")
    yield from map(_problem, place.besides())
    if line.result:
        yield from _outcome(line.result)
    if rows := field_rows(change):
        yield _differences(change, rows)
    if change.prices:
        heads = ("Price", "Nickname", "Product", "Meter")
        cells = (
            (tag("code", price.id), price.nickname or "—", price.product or "—", price.meter)
            for price in change.prices
        )
        yield table("Active prices", heads, cells)
    if change.others:
        rows_ = (
            (tag("code", other.id), other.status, moment(other.created)) for other in change.others
        )
        yield table("Other live meters of this name", ("Meter", "Status", "Created"), rows_)


def _differences(change: Change, rows: Iterable[FieldChange]) -> Html:
    if change.action is Action.CREATE:
        new = ((row.path, tag("ins", value(row.after))) for row in rows)
        return table("The new meter, where it is not left to defaults", ("Field", "Value"), new)
    cells = ((r.path, tag("del", value(r.before)), tag("ins", value(r.after))) for r in rows)
    return table("Field by field", ("Field", "Live now", "Wanted"), cells)


def _finding(finding: Finding) -> Html:
    head = tag("p", tag("code", finding.code), " ", sentence(finding.message), class_="message")
    facts: list[tuple[str, Html]] = []
    if (since := undated(finding)) is not None:
        facts.append(("Since", moment(since)))
    if finding.attribution:
        facts.append(("Who", sentence(attribution_text(finding.attribution))))
    if finding.exemption:
        facts.append(("Exempt", sentence(exempted(finding.exemption))))
    elif finding.remedy:
        facts.append((advice(finding).capitalize(), tag("pre", finding.remedy, tabindex=0)))
    listed = (together(tag("dt", sentence(label)), tag("dd", said)) for label, said in facts)
    return tag("section", head, tag("dl", *listed), class_=f"finding {finding.severity}")


def _problem(diagnostic: Diagnostic) -> Html:
    return tag(
        "div",
        tag("p", tag("code", diagnostic.code), " ", sentence(diagnostic.message), class_="message"),
        tag("p", sentence(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        class_=f"problem {diagnostic.level}",
    )


def _outcome(result: ChangeResult) -> Iterator[Html]:
    if result.error:
        yield _problem(result.error)
    if result.requests:
        heads = ("Request", "Request id", "Tries", "Answer")
        cells = (
            (sent.operation, tag("code", sent.request_id or "—"), str(sent.attempts), sent.result)
            for sent in result.requests
        )
        yield table("Requests to Stripe", heads, cells)
