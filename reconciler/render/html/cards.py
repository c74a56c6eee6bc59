"""The items of a report as cards that open: what differs, what was found, the result."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.shorten import shorten
from ...model.change import Action, Risk
from ...model.finding import Finding
from ...planning.prices import describe_amount, describe_state
from ...report.report import ChangeResult
from ..facts import Fact, list_finding_facts
from ..view import Group, Item, Status
from .markup import Html, format_moment, format_prose, join, table, tag

_OPEN = 12  # cards that are open from the beginning, of those that must be read


def build_cards(shown: list[Item | Group], *, several: bool) -> Html:
    """Return every item as an entry of a list, with its account where there are several."""
    return tag(
        "ol",
        *(
            _build_group(nth, entry)
            if isinstance(entry, Group)
            else _build_card(nth, entry, several=several)
            for nth, entry in enumerate(shown)
        ),
        class_="lines",
        id="lines",
    )


def _build_card(nth: int, item: Item, *, several: bool) -> Html:
    known = (item.meter_id, str(item.location or ""), item.account if several else "")
    head = _build_head(item, item.name, known, tuple(_list_tags(item)))
    if not item.shown:
        return _build_entry(nth, item, tag("div", head, class_="quiet"))
    opened = "" if nth < _OPEN and item.must_read else None
    body = tag("div", *_build_body(item), class_="body")
    card = tag("details", tag("summary", head), body, open=opened)
    return _build_entry(nth, item, card)


def _build_group(nth: int, group: Group) -> Html:
    """Return many items of the same kind as one card: a count and examples."""
    first, examples = group.items[0], f"{', '.join(group.examples)} {group.more}"
    label = tag("span", group.label, class_="tag")
    head = _build_head(first, f"{len(group.items):,} meters", (examples,), (label,))
    return _build_entry(nth, first, tag("div", head, class_="quiet"))


def _build_entry(nth: int, item: Item, card: Html) -> Html:
    """Return an entry of the list; filters and sorting read its attributes."""
    since = [finding.since for finding in item.findings if finding.since is not None]
    return tag(
        "li",
        card,
        class_=f"line {_choose_class(item)}",
        data_rank=nth,
        data_name=item.name,
        data_severity="ignored" if item.ignored else str(item.degree),
        data_status=str(item.status),
        data_account=item.account,
        data_since=max(since) if since else None,
    )


def _choose_class(item: Item) -> str:
    """Return the class that colours an item."""
    if item.status is Status.DONE:
        return "good"
    if item.incomplete and item.degree is Risk.NONE:
        return "high"
    return item.badge


def _build_head(
    item: Item, name: str, known: tuple[str | None, ...], tags: tuple[Html, ...]
) -> Html:
    return join(
        tag("span", _choose_badge(item), class_="severity"),
        tag(
            "span",
            tag("b", name, class_="name"),
            tag("span", *(tag("span", text) for text in known if text), class_="known"),
            class_="who",
        ),
        tag("span", *tags, class_="happens"),
    )


def _choose_badge(item: Item) -> str:
    if item.status is Status.DONE and item.result:
        return str(item.result.status)
    return "—" if item.badge == Risk.NONE else item.badge


def _list_tags(item: Item) -> Iterator[Html]:
    for kind in dict.fromkeys(finding.kind for finding in item.findings):
        yield tag("span", kind.replace("_", " "), class_="tag")
    if change := item.change:
        sign = tag("span", item.sign, class_="sign", aria_hidden="true")
        yield tag("span", sign, f" {change.action}", class_=f"tag {change.action}")
        if change.refused_by:
            yield tag("span", "refused", class_="tag bad")
        if item.result and item.status is not Status.DONE:  # else the badge says so
            yield tag("span", str(item.result.status), class_="tag bad")


def _build_body(item: Item) -> Iterator[Html]:
    yield from map(_build_finding, item.findings)
    for fact in item.facts:
        if fact.label == "reason":
            yield tag("p", format_prose(fact.text), class_="why")
        elif fact.label in ("overridden", "alerts") or (fact.label == "prices" and not item.prices):
            said = f"{fact.label.capitalize()}: {fact.text}"
            yield tag("p", format_prose(said), class_="why")  # others are tables
    yield from map(_build_diagnostic, item.diagnostics)
    if item.result:
        yield from _build_result(item.result)
    if item.fields:
        yield _build_fields(item)
    if item.prices:
        heads = ("Price", "Lookup key", "Amount", "Nickname", "Product", "Meter", "State")
        prices = (
            (
                tag("code", shorten(price.id)),
                shorten(price.lookup_key or "—"),
                describe_amount(price) or "—",
                shorten(price.nickname or "—"),
                shorten(price.product or "—"),
                price.meter,
                describe_state(price),
            )
            for price in item.prices
        )
        yield table("Prices in use", heads, prices)
    if item.others:
        others = (
            (tag("code", other.id), other.status, format_moment(other.created))
            for other in item.others
        )
        yield table("Other meters of this event_name", ("Meter", "Status", "Created"), others)


def _build_fields(item: Item) -> Html:
    if item.change and item.change.action is Action.CREATE:
        new = ((field.path, tag("ins", field.after)) for field in item.fields)
        return table("New meter: non-default fields", ("Field", "Value"), new)
    cells = (
        (field.path, tag("del", field.before), tag("ins", field.after)) for field in item.fields
    )
    return table("Fields that differ", ("Field", "Existing", "Desired"), cells)


def _build_finding(finding: Finding) -> Html:
    head = (tag("code", finding.code), " ", format_prose(finding.message))
    facts = (
        join(tag("dt", format_prose(fact.label.capitalize())), _build_value(fact))
        for fact in list_finding_facts(finding)
    )
    return tag(
        "section",
        tag("p", *head, class_="message"),
        tag("dl", *facts),
        class_=f"finding {finding.severity}",
    )


def _build_value(fact: Fact) -> Html:
    if fact.literal:
        return tag("dd", tag("pre", fact.text, tabindex=0))
    return tag("dd", format_prose(fact.text) if fact.at is None else format_moment(fact.at))


def _build_diagnostic(diagnostic: Diagnostic) -> Html:
    head = (tag("code", diagnostic.code), " ", format_prose(diagnostic.message))
    return tag(
        "div",
        tag("p", *head, class_="message"),
        tag("p", format_prose(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        class_=f"problem {diagnostic.level}",
    )


def _build_result(result: ChangeResult) -> Iterator[Html]:
    if result.error:
        yield _build_diagnostic(result.error)
    if result.requests:
        heads = ("Request", "Request id", "Attempts", "Result")
        cells = (
            (
                sent.operation,
                tag("code", sent.request_id or "—"),
                str(sent.attempts),
                sent.result,
            )
            for sent in result.requests
        )
        yield table("Requests to Stripe", heads, cells)
