"""Everything around the cards of a page: title, verdict, charts, diagnostics, timeline, end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.shorten import list_some
from ...model.finding import Severity
from ...model.project import AccountRef
from ...planning.prices import format_prices
from ...report.report import Report
from ..facts import (
    describe_attribution,
    describe_origin,
    find_origin,
)
from ..fleet.groups import has_many
from ..labels import count, describe_mode, title_run
from ..resend import is_past_resending
from ..summary import Tone
from ..view import Item, Status, View, count_degrees, group_items
from .fleet import build_account_groups
from .markup import Html, format_moment, format_prose, join, table, tag
from .svg import Part, draw_bar, draw_gauge

_ICON = {Tone.GOOD: "✓", Tone.NEWS: "→", Tone.WARNING: "!", Tone.BAD: "✕"}
_LATE = "only usage of the last 35 days"
_LOOK = {
    Status.IN_SYNC: "none",
    Status.DONE: "good",
    Status.IGNORED: "ignored",
    Status.UNMANAGED: "ignored",
    Status.TO_CHANGE: "news",
    Status.DRIFTED: "high",
    Status.BLOCKED: "high",
    Status.REFUSED: "revenue",
    Status.SKIPPED: "low",
    Status.STALE: "high",
    Status.UNKNOWN: "high",
    Status.FAILED: "revenue",
}


def format_title(report: Report) -> str:
    """Return the title of the page."""
    names = list_some(account.account.name for account in report.accounts)
    what = title_run(report.command) or "Report"
    return f"{what} · {names}" if names else what


def build_header(view: View) -> Html:
    """Return the title, the account and the verdict."""
    headline, accounts = view.headline, view.report.accounts
    counts = tag("span", headline.counts) if headline.counts else None
    brand = (draw_gauge(), "reconciler", tag("span", " for Stripe billing meters"))
    only = accounts[0].account if len(accounts) == 1 else None
    return tag(
        "header",
        tag("p", *brand, class_="brand"),
        tag("h1", format_title(view.report)),
        tag("p", *_build_badges(only), class_="badges") if only else None,
        build_verdict(headline.tone, headline.verdict, counts),
        *(tag("p", note, class_="partial") for note in headline.notes),
    )


def build_verdict(tone: Tone, verdict: str, counts: Html | None) -> Html:
    """Return the verdict of a page behind its icon, and the counts below it."""
    return tag(
        "div",
        tag("span", _ICON[tone], class_="icon", aria_hidden="true"),
        tag("p", tag("strong", verdict), counts),
        class_=f"verdict {tone}",
    )


def _build_badges(account: AccountRef) -> Iterator[Html]:
    if account.livemode is not None:
        look = "badge live" if account.livemode else "badge"
        yield tag("span", describe_mode(account), class_=look)
    if account.id:
        yield tag("code", account.id, class_="badge")


def build_charts(view: View) -> Html | None:
    """Return the charts: how many items of each risk or severity, and of each status."""
    if not view.items:
        return None
    by_status = Counter(item.status for item in view.items)
    degrees = count_degrees(view.items)
    charts = (
        draw_bar(
            f"{count(len(view.items), 'event_name')} by {view.degree_name.lower()}",
            (Part(str(degree), str(degree), number) for degree, number in degrees),
        ),
        draw_bar(
            "By status",
            (Part(str(one), _LOOK[one], by_status[one]) for one in reversed(Status)),
        ),
    )
    return _build_section("At a glance", tag("div", *charts, class_="pictures"), class_="glance")


def build_losses(view: View) -> Html | None:
    """Return where revenue is being lost: since when, by whom, until when it can be re-sent."""
    several = view.has_several
    rows = [row for item in view.items for row in _list_losses(item, several=several)]
    if not rows:
        return None
    heads = ("Meter", "Since", "Who", "Prices in use", "Re-send usage until")
    shown = table("Unrecorded usage and prices on inactive meters", heads, rows)
    return _build_section("Revenue at stake", shown, class_="losses")


def _list_losses(item: Item, *, several: bool) -> Iterator[tuple[Html | str, ...]]:
    for finding in item.findings:
        if finding.exemption or finding.severity is not Severity.REVENUE:
            continue
        yield (
            tag(
                "span",
                tag("span", item.name, class_="name"),
                tag("span", finding.kind.replace("_", " "), class_="known"),
                tag("span", f" {item.account}", class_="known") if several else None,
            ),
            _format_known(finding.since),
            describe_origin(by) if (by := find_origin(finding)) else "—",
            format_prices(finding.prices) or "none listed",
            _LATE if is_past_resending(finding) else _format_known(finding.resend_deadline),
        )


def _format_known(seconds: int | None) -> Html | str:
    return "—" if seconds is None else format_moment(seconds)


def build_accounts(view: View) -> Html | None:
    """Return one row for each account, where there are several."""
    if not view.has_several:
        return None
    if has_many(view):
        return _build_section("Accounts", *build_account_groups(view))
    rows = (
        (
            account.name,
            tag("code", account.report.account.id or "—"),
            describe_mode(account.report.account),
            tag("span", account.headline.verdict, class_=f"text {account.headline.tone}"),
            account.headline.counts or "—",
        )
        for account in view.accounts
    )
    heads = ("Account", "Id", "Mode", "Verdict", "Counts")
    return _build_section("Accounts", table("Result for each account", heads, rows))


def build_diagnostics(view: View, heading: str, *levels: Level) -> Html | None:
    """Return the diagnostics of the run, an account or a file that have one of the levels."""
    entries = [build_diagnostic(*pair) for pair in view.unattached if pair[1].level in levels]
    return _build_section(heading, tag("ul", *entries, class_="said")) if entries else None


def build_diagnostic(whose: str, diagnostic: Diagnostic) -> Html:
    """Return one diagnostic as an item of a list, with the name of its account, if any."""
    place = [text for text in (whose, str(diagnostic.location or "")) if text]
    return tag(
        "li",
        tag("p", tag("code", diagnostic.code), f" {diagnostic.level}", class_="label"),
        tag("p", format_prose(diagnostic.message), class_="message"),
        tag("p", format_prose(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        tag("p", *(tag("code", text) for text in place), class_="known") if place else None,
        class_=f"problem {diagnostic.level}",
    )


def build_timeline(view: View) -> Html | None:
    """Return what happened and who did it, in order, and until when usage can be re-sent."""
    single = (item for item in group_items(view.items) if isinstance(item, Item))
    moments = sorted(_list_moments(single), key=lambda entry: entry[0])
    if not moments:
        return None
    entries = (tag("li", format_moment(at), said, class_=look) for at, look, said in moments)
    return _build_section("Timeline", tag("ol", *entries, class_="timeline"))


def _list_moments(items: Iterable[Item]) -> Iterator[tuple[int, str, Html]]:
    for item in items:
        name = tag("b", item.name, class_="name")
        for finding in item.findings:
            by = find_origin(finding)
            at = by.at if by and by.at is not None else finding.since
            if at is not None:
                kind = tag("p", name, f" {finding.kind.replace('_', ' ')}")
                said = tag("p", describe_attribution(by), class_="hint") if by else None
                yield at, str(finding.severity), join(kind, said)
            if finding.resend_deadline is not None:
                last = tag("p", name, ": the first lost usage can be re-sent until here")
                yield finding.resend_deadline, "deadline", last


def build_footer(view: View) -> Html:
    """Return exit code, plan_hash and plan_id."""
    facts = [("Exit code", str(int(view.report.exit_code)))]
    for account in () if has_many(view) else view.accounts:
        whose = f" of {account.name}" if view.has_several else ""
        known = (("plan_hash", account.report.plan_hash), ("plan_id", account.report.plan_id))
        facts += [(f"{label}{whose}", text) for label, text in known if text]
    pairs = (tag("div", tag("dt", label), tag("dd", tag("code", text))) for label, text in facts)
    return tag("footer", tag("dl", *pairs))


def _build_section(heading: str, *content: Html, class_: str | None = None) -> Html:
    name = heading.lower().replace(" ", "-")
    inner = (tag("h2", heading, id=name), *content)
    return tag("section", *inner, aria_labelledby=name, class_=class_)
