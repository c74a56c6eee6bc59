"""What stands around the lines of a page: title, verdict, pictures, problems, time line, end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic, Level
from ...model.change import Severity
from ...model.finding import Finding, Kind
from ...model.project import AccountRef
from ...report.report import AccountReport, Report, ReportedChange
from ..summary import PARTIAL, Tone, count, counted, every_line, mode, verdict
from ..view import Standing, attribution_text, severity, standing, told, unattached, whose
from .markup import Html, moment, sentence, table, tag, together
from .svg import Part, bar, gauge

_TITLES = {"plan": "Plan", "apply": "Apply", "drift": "Drift audit", "validate": "Validation"}
_ICON = {Tone.GOOD: "✓", Tone.NEWS: "→", Tone.WARNING: "!", Tone.BAD: "✕"}
_LATE = "only that of the last 35 days"
_LOOK = {
    Standing.IN_SYNC: "none",
    Standing.DONE: "good",
    Standing.IGNORED: "ignored",
    Standing.UNMANAGED: "ignored",
    Standing.TO_CHANGE: "news",
    Standing.DRIFTED: "high",
    Standing.BLOCKED: "high",
    Standing.REFUSED: "revenue",
    Standing.SKIPPED: "low",
    Standing.STALE: "high",
    Standing.UNKNOWN: "high",
    Standing.FAILED: "revenue",
}


def title(report: Report) -> str:
    """What the page is called."""
    names = ", ".join(account.account.name for account in report.accounts[:5])
    more = f" and {len(report.accounts) - 5} more" if len(report.accounts) > 5 else ""
    what = _TITLES.get(report.command, report.command.capitalize() or "Report")
    return f"{what} · {names}{more}" if names else what


def header(report: Report) -> Html:
    """The title, whose account it is, and the verdict."""
    tone, said = verdict(report, report.command)
    numbers = ", ".join(counted(every_line(report), report.command))
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
        tag("p", PARTIAL, class_="partial") if report.accounts and not report.complete else None,
    )


def _badges(account: AccountRef) -> Iterator[Html]:
    if account.livemode is not None:
        yield tag("span", mode(account), class_="badge live" if account.livemode else "badge")
    if account.id:
        yield tag("code", account.id, class_="badge")


def pictures(report: Report) -> Html | None:
    """The account at a glance: how bad it is, and how it stands."""
    lines = list(every_line(report))
    if not lines:
        return None
    bad, stand = Counter(map(severity, lines)), Counter(map(standing, lines))
    return _section(
        "At a glance",
        tag(
            "div",
            bar(
                f"{count(len(lines), 'event_name')} by severity",
                (Part(str(degree), str(degree), bad[degree]) for degree in reversed(Severity)),
            ),
            bar(
                "… and by how they stand",
                (Part(str(one), _LOOK[one], stand[one]) for one in reversed(Standing)),
            ),
            class_="pictures",
        ),
        class_="glance",
    )


def losses(report: Report) -> Html | None:
    """Where revenue is being lost: since when, by whom, until when it can be mended."""
    rows = [row for line in every_line(report) for row in _losses(line)]
    if not rows:
        return None
    heads = ("Meter", "Since", "Who", "Active prices", "Send usage again until")
    found = table("Usage that nobody counts, and prices that nobody serves", heads, rows)
    return _section("Revenue at stake", found, class_="losses")


def _losses(line: ReportedChange) -> Iterator[tuple[Html | str, ...]]:
    for finding in line.findings:
        if finding.exemption or finding.severity is not Severity.REVENUE:
            continue
        prices = ", ".join(price.id for price in line.change.prices[:3])
        more = f" and {len(line.change.prices) - 3} more" if len(line.change.prices) > 3 else ""
        yield (
            tag(
                "span",
                tag("span", line.change.event_name, class_="name"),
                tag("span", finding.kind.replace("_", " "), class_="known"),
            ),
            _moment(finding.since),
            whose(finding.attribution) if finding.attribution else "—",
            f"{prices}{more}" or "none listed",
            _LATE if _too_late(finding) else _moment(finding.resend_until),
        )


def _too_late(finding: Finding) -> bool:
    """Whether an outage began so long ago that its first usage can no longer be sent again."""
    dated = finding.since is not None and finding.resend_until is None
    return dated and finding.kind in (Kind.INACTIVE, Kind.MISSING)


def _moment(seconds: int | None) -> Html | str:
    return "—" if seconds is None else moment(seconds)


def accounts(report: Report) -> Html | None:
    """One row for each account, where there are several."""
    if len(report.accounts) < 2:
        return None
    rows = (_account(account, report.command) for account in report.accounts)
    heads = ("Account", "Id", "Mode", "Verdict", "Lines")
    return _section("Accounts", table("What the run comes to in each account", heads, rows))


def _account(account: AccountReport, command: str) -> tuple[Html | str, ...]:
    tone, said = verdict(account, command)
    return (
        account.account.name,
        tag("code", account.account.id or "—"),
        mode(account.account),
        tag("span", said, class_=f"text {tone}"),
        ", ".join(counted(account.changes, command)) or "—",
    )


def to_settle(report: Report) -> Html | None:
    """Errors that belong to the run, an account or a file, and to no line."""
    return _said("To settle", (it for it in _loose(report) if it[1].level is Level.ERROR))


def also_to_know(report: Report) -> Html | None:
    """Warnings and remarks that belong to no line."""
    every = (it for it in _loose(report) if it[1].level is not Level.ERROR)
    return _said("Also to know", sorted(every, key=lambda it: it[1].level is Level.INFO))


def _loose(report: Report) -> Iterator[tuple[str, Diagnostic]]:
    """What is said of no line, and in which account where there are several."""
    yield from (("", diagnostic) for diagnostic in report.diagnostics)
    for account in report.accounts:
        whose_ = account.account.name if len(report.accounts) > 1 else ""
        for diagnostic in unattached(account, filter(told, account.changes)):
            yield whose_, diagnostic


def _said(heading: str, diagnostics: Iterable[tuple[str, Diagnostic]]) -> Html | None:
    items = [_problem(*pair) for pair in diagnostics]
    return _section(heading, tag("ul", *items, class_="said")) if items else None


def _problem(whose: str, diagnostic: Diagnostic) -> Html:
    place = [text for text in (whose, str(diagnostic.location or "")) if text]
    return tag(
        "li",
        tag("p", tag("code", diagnostic.code), f" {diagnostic.level}", class_="label"),
        tag("p", sentence(diagnostic.message), class_="message"),
        tag("p", sentence(diagnostic.hint), class_="hint") if diagnostic.hint else None,
        tag("p", *(tag("code", text) for text in place), class_="known") if place else None,
        class_=f"problem {diagnostic.level}",
    )


def timeline(report: Report) -> Html | None:
    """What happened and who did it, in order, and until when lost usage can be sent again."""
    moments = sorted(_moments(every_line(report)), key=lambda entry: entry[0])
    if not moments:
        return None
    entries = (
        tag("li", moment(at), said, class_=take_snapshot) for at, take_snapshot, said in moments
    )
    return _section("Time line", tag("ol", *entries, class_="timeline"))


def _moments(lines: Iterable[ReportedChange]) -> Iterator[tuple[int, str, Html]]:
    for line in lines:
        name = tag("b", line.change.event_name, class_="name")
        for finding in line.findings:
            by = finding.attribution
            at = by.at if by and by.at is not None else finding.since
            kind = finding.kind.replace("_", " ")
            if at is not None:
                said = tag("p", attribution_text(by), class_="hint") if by else None
                yield at, str(finding.severity), together(tag("p", name, f" {kind}"), said)
            if finding.resend_until is not None:
                last = tag("p", name, ": the first lost usage may be sent again until here")
                yield finding.resend_until, "deadline", last


def footer(report: Report) -> Html:
    """What the report is of, for whoever compares it with a plan."""
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
