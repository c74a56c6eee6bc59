"""The items of a report as cards that open: what differs, what was found, the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic
from ...model.change import Action, Change, FieldChange, Risk
from ...model.finding import Finding
from ...report.report import ChangeResult
from ..view import SIGN, Group, Item, Status, facts, field_rows, reason_text, remedy, value
from .markup import Html, moment, sentence, table, tag, together

_OPEN = 12  # cards that are open from the beginning, of those that must be read


def cards(shown: list[Item | Group], *, several: bool) -> Html:
    """Return every item as an entry of a list, with its account where there are several."""
    return tag(
        "ol",
        *(
            _group(nth, entry) if isinstance(entry, Group) else _card(nth, entry, several=several)
            for nth, entry in enumerate(shown)
        ),
        class_="lines",
        id="lines",
    )


def look(item: Item) -> str:
    """Return the class that colours an item."""
    if item.ignored:
        return "ignored"
    if item.status is Status.DONE:
        return "good"
    if item.incomplete and item.degree is Risk.NONE:
        return "high"
    return str(item.degree)


def _card(nth: int, item: Item, *, several: bool) -> Html:
    head = _head(item, item.account if several else None)
    if item.shown:
        opened = "" if nth < _OPEN and item.must_read else None
        body = tag("div", *_body(item), class_="body")
        return _entry(nth, item, tag("details", tag("summary", head), body, open=opened))
    return _entry(nth, item, tag("div", head, class_="quiet"))


def _group(nth: int, group: Group) -> Html:
    """Return many items of the same kind as one card: a count and examples."""
    examples = f"{', '.join(group.examples)} and {group.rest:,} more"
    head = together(
        tag("span", _badge(group.items[0]), class_="severity"),
        tag(
            "span",
            tag("b", f"{len(group.items):,} meters", class_="name"),
            tag("span", tag("span", examples), class_="known"),
            class_="who",
        ),
        tag("span", tag("span", group.label, class_="tag"), class_="happens"),
    )
    return _entry(nth, group.items[0], tag("div", head, class_="quiet"))


def _entry(nth: int, item: Item, card: Html) -> Html:
    """Return an entry of the list; filters and sorting read its attributes."""
    since = [finding.since for finding in item.findings if finding.since is not None]
    return tag(
        "li",
        card,
        class_=f"line {look(item)}",
        data_rank=nth,
        data_name=item.event_name,
        data_severity="ignored" if item.ignored else str(item.degree),
        data_status=str(item.status),
        data_account=item.account,
        data_since=max(since) if since else None,
    )


def _head(item: Item, account: str | None) -> Html:
    known = [item.meter_id, str(item.location or "") or None, account]
    return together(
        tag("span", _badge(item), class_="severity"),
        tag(
            "span",
            tag("b", item.event_name, class_="name"),
            tag("span", *(tag("span", text) for text in known if text), class_="known"),
            class_="who",
        ),
        tag("span", *_happens(item), class_="happens"),
    )


def _badge(item: Item) -> str:
    if item.ignored:
        return "ignored"
    if item.status is Status.DONE and item.result:
        return str(item.result.status)
    if item.degree is Risk.NONE:
        return str(item.status) if item.incomplete else "—"
    return str(item.degree)


def _happens(item: Item) -> Iterator[Html]:
    kinds = dict.fromkeys(finding.kind for finding in item.findings)
    yield from (tag("span", kind.replace("_", " "), class_="tag") for kind in kinds)
    if change := item.change:
        sign = tag("span", SIGN[change.action], class_="sign", aria_hidden="true")
        yield tag("span", sign, f" {change.action}", class_=f"tag {change.action}")
        if change.refused_by:
            yield tag("span", "refused", class_="tag bad")
        if item.result and item.status is not Status.DONE:  # else the badge says so
            yield tag("span", str(item.result.status), class_="tag bad")


def _body(item: Item) -> Iterator[Html]:
    yield from map(_finding, item.findings)
    if item.change:
        yield tag("p", sentence(reason_text(item.change)), class_="why")
    yield from map(_diagnostic, item.diagnostics)
    if item.result:
        yield from _result(item.result)
    if item.change and (rows := field_rows(item.change)):
        yield _differences(item.change, rows)
    if item.prices:
        heads = ("Price", "Nickname", "Product", "Meter")
        cells = (
            (tag("code", price.id), price.nickname or "—", price.product or "—", price.meter)
            for price in item.prices
        )
        yield table("Active prices", heads, cells)
    if item.others:
        rows_ = (
            (tag("code", other.id), other.status, moment(other.created)) for other in item.others
        )
        yield table("Other meters of this event_name", ("Meter", "Status", "Created"), rows_)


def _differences(change: Change, rows: Iterable[FieldChange]) -> Html:
    if change.action is Action.CREATE:
        new = ((row.path, tag("ins", value(row.after))) for row in rows)
        return table("New meter: non-default fields", ("Field", "Value"), new)
    cells = ((r.path, tag("del", value(r.before)), tag("ins", value(r.after))) for r in rows)
    return table("Fields that differ", ("Field", "Existing", "Desired"), cells)


def _finding(finding: Finding) -> Html:
    head = tag("p", tag("code", finding.code), " ", sentence(finding.message), class_="message")
    known = [
        (fact.label, sentence(fact.text) if fact.at is None else moment(fact.at))
        for fact in facts(finding)
    ]
    if how := remedy(finding):
        known.append((how[0], tag("pre", how[1], tabindex=0)))
    listed = (
        together(tag("dt", sentence(label.capitalize())), tag("dd", said)) for label, said in known
    )
    return tag("section", head, tag("dl", *listed), class_=f"finding {finding.severity}")


def _diagnostic(diagnostic: Diagnostic) -> Html:
    return tag(
        "div",
        tag("p", tag("code", diagnostic.code), " ", sentence(diagnostic.message), class_="message"),
        tag("p", sentence(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        class_=f"problem {diagnostic.level}",
    )


def _result(result: ChangeResult) -> Iterator[Html]:
    if result.error:
        yield _diagnostic(result.error)
    if result.requests:
        heads = ("Request", "Request id", "Attempts", "Result")
        cells = (
            (sent.operation, tag("code", sent.request_id or "—"), str(sent.attempts), sent.result)
            for sent in result.requests
        )
        yield table("Requests to Stripe", heads, cells)
