"""Everything around the cards of a page: title, verdict, charts, diagnostics, timeline, end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic, Level
from ...model.finding import Severity
from ...model.project import AccountRef
from ...report.report import AccountReport, Report
from ..summary import Tone, all_entries, by_degree, count, counts, incomplete, mode, verdict
from ..view import (
    UNATTRIBUTED,
    Item,
    Status,
    attribution_text,
    items,
    origin_text,
    past_resending,
    price_list,
    unattached,
    unattributed,
    who,
)
from .markup import Html, moment, sentence, table, tag, together
from .svg import Part, bar, gauge

_TITLES = {"plan": "Plan", "apply": "Apply", "drift": "Drift", "validate": "Validation"}
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


def title(report: Report) -> str:
    """Return the title of the page."""
    names = ", ".join(account.account.name for account in report.accounts[:5])
    more = f" and {len(report.accounts) - 5} more" if len(report.accounts) > 5 else ""
    what = _TITLES.get(report.command, report.command.capitalize() or "Report")
    return f"{what} · {names}{more}" if names else what


def header(report: Report) -> Html:
    """Return the title, the account and the verdict."""
    tone, said = verdict(report, report.command)
    why = incomplete(report)
    numbers = ", ".join(counts(report, report.command))
    only = report.accounts[0].account if len(report.accounts) == 1 else None
    return tag(
        "header",
        tag("p", gauge(), "reconciler", tag("span", " for Stripe billing meters"), class_="brand"),
        tag("h1", title(report)),
        tag("p", *_badges(only), class_="badges") if only else None,
        tag(
            "div",
            tag("span", _ICON[tone], class_="icon", aria_hidden="true"),
            tag("p", tag("strong", said), tag("span", numbers) if numbers else None),
            class_=f"verdict {tone}",
        ),
        tag("p", why, class_="partial") if report.accounts and why else None,
        tag("p", UNATTRIBUTED, class_="partial") if unattributed(all_entries(report)) else None,
    )


def _badges(account: AccountRef) -> Iterator[Html]:
    if account.livemode is not None:
        yield tag("span", mode(account), class_="badge live" if account.livemode else "badge")
    if account.id:
        yield tag("code", account.id, class_="badge")


def degree_name(command: str) -> str:
    """Return what the items of a report are ordered by."""
    return "Severity" if command == "drift" else "Risk"


def pictures(found: list[Item], report: Report) -> Html | None:
    """Return the charts: how many items of each risk or severity, and of each status."""
    if not found:
        return None
    by_status = Counter(item.status for item in found)
    name = degree_name(report.command).lower()
    return _section(
        "At a glance",
        tag(
            "div",
            bar(
                f"{count(len(found), 'event_name')} by {name}",
                (Part(str(degree), str(degree), number) for degree, number in by_degree(found)),
            ),
            bar(
                "By status",
                (Part(str(one), _LOOK[one], by_status[one]) for one in reversed(Status)),
            ),
            class_="pictures",
        ),
        class_="glance",
    )


def losses(found: list[Item]) -> Html | None:
    """Return where revenue is being lost: since when, by whom, until when it can be re-sent."""
    rows = [row for item in found for row in _losses(item)]
    if not rows:
        return None
    heads = ("Meter", "Since", "Who", "Active prices", "Re-send usage until")
    shown = table("Unrecorded usage and prices on inactive meters", heads, rows)
    return _section("Revenue at stake", shown, class_="losses")


def _losses(item: Item) -> Iterator[tuple[Html | str, ...]]:
    for finding in item.findings:
        if finding.exemption or finding.severity is not Severity.REVENUE:
            continue
        yield (
            tag(
                "span",
                tag("span", item.event_name, class_="name"),
                tag("span", finding.kind.replace("_", " "), class_="known"),
            ),
            _moment(finding.since),
            origin_text(by) if (by := who(finding)) else "—",
            price_list(finding.prices) or "none listed",
            _LATE if past_resending(finding) else _moment(finding.resend_until),
        )


def _moment(seconds: int | None) -> Html | str:
    return "—" if seconds is None else moment(seconds)


def accounts(report: Report) -> Html | None:
    """Return one row for each account, where there are several."""
    if len(report.accounts) < 2:
        return None
    rows = (_account(account, report.command) for account in report.accounts)
    heads = ("Account", "Id", "Mode", "Verdict", "Counts")
    return _section("Accounts", table("What the run comes to in each account", heads, rows))


def _account(account: AccountReport, command: str) -> tuple[Html | str, ...]:
    tone, said = verdict(account, command)
    return (
        account.account.name,
        tag("code", account.account.id or "—"),
        mode(account.account),
        tag("span", said, class_=f"text {tone}"),
        ", ".join(counts(account, command)) or "—",
    )


def action_required(report: Report) -> Html | None:
    """Return the errors of the run, an account or a file."""
    return _said("Action required", (it for it in _loose(report) if it[1].level is Level.ERROR))


def also_to_know(report: Report) -> Html | None:
    """Return the warnings and infos of the run, an account or a file."""
    every = (it for it in _loose(report) if it[1].level is not Level.ERROR)
    return _said("Also to know", sorted(every, key=lambda it: it[1].level is Level.INFO))


def _loose(report: Report) -> Iterator[tuple[str, Diagnostic]]:
    """Yield the diagnostics of no item, with the account where there are several."""
    yield from (("", diagnostic) for diagnostic in report.diagnostics)
    for account in report.accounts:
        whose_ = account.account.name if len(report.accounts) > 1 else ""
        for diagnostic in unattached(account, (item for item in items(account) if item.shown)):
            yield whose_, diagnostic


def _said(heading: str, diagnostics: Iterable[tuple[str, Diagnostic]]) -> Html | None:
    entries = [_diagnostic(*pair) for pair in diagnostics]
    return _section(heading, tag("ul", *entries, class_="said")) if entries else None


def _diagnostic(whose: str, diagnostic: Diagnostic) -> Html:
    place = [text for text in (whose, str(diagnostic.location or "")) if text]
    return tag(
        "li",
        tag("p", tag("code", diagnostic.code), f" {diagnostic.level}", class_="label"),
        tag("p", sentence(diagnostic.message), class_="message"),
        tag("p", sentence(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        tag("p", *(tag("code", text) for text in place), class_="known") if place else None,
        class_=f"problem {diagnostic.level}",
    )


def timeline(found: list[Item]) -> Html | None:
    """Return what happened and who did it, in order, and until when usage can be re-sent."""
    moments = sorted(_moments(found), key=lambda entry: entry[0])
    if not moments:
        return None
    entries = (tag("li", moment(at), said, class_=look) for at, look, said in moments)
    return _section("Timeline", tag("ol", *entries, class_="timeline"))


def _moments(found: Iterable[Item]) -> Iterator[tuple[int, str, Html]]:
    for item in found:
        name = tag("b", item.event_name, class_="name")
        for finding in item.findings:
            by = who(finding)
            at = by.at if by and by.at is not None else finding.since
            kind = finding.kind.replace("_", " ")
            if at is not None:
                said = tag("p", attribution_text(by), class_="hint") if by else None
                yield at, str(finding.severity), together(tag("p", name, f" {kind}"), said)
            if finding.resend_until is not None:
                last = tag("p", name, ": the first lost usage can be re-sent until here")
                yield finding.resend_until, "deadline", last


def footer(report: Report) -> Html:
    """Return exit code, plan_hash and plan_id."""
    facts = [("Exit code", str(int(report.exit_code)))]
    for account in report.accounts:
        whose = f" of {account.account.name}" if len(report.accounts) > 1 else ""
        known = (("plan_hash", account.plan_hash), ("plan_id", account.plan_id))
        facts += [(f"{label}{whose}", text) for label, text in known if text]
    pairs = (tag("div", tag("dt", label), tag("dd", tag("code", text))) for label, text in facts)
    return tag("footer", tag("dl", *pairs))


def _section(heading: str, *content: Html, class_: str | None = None) -> Html:
    name = heading.lower().replace(" ", "-")
    inner = (tag("h2", heading, id=name), *content)
    return tag("section", *inner, aria_labelledby=name, class_=class_)
