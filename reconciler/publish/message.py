"""What is posted: for each account a comment, with the hidden marker that it is found by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import publishing as rules
from ..diagnostics.diagnostic import Effect, Level, Location
from ..diagnostics.errors import ConfigError, Exit
from ..render.fleet.groups import MANY
from ..render.labels import has_effect
from ..render.markdown import Around, render_comment
from ..render.view import Status, build_view
from ..report.report import AccountReport, Report

PROJECT, MATRIX = "", "*"
"""In place of an account: a report of no account, and one comment for many accounts."""

_LONGEST_KEY = 300


class Message(Struct, frozen=True):
    """One comment. `replaces` are the markers of the comments that it makes outdated."""

    account: str
    marker: str
    body: str
    has_news: bool
    short: bool = False
    replaces: tuple[str, ...] = ()


def build_marker(kind: str, project: str, account: str) -> str:
    """Return the first line of a comment or an issue, which is not shown."""
    key = f"project={_quote(project)} account={_quote(account)}"
    if len(key) > _LONGEST_KEY:
        key = f"sha256={hashlib.sha256(key.encode()).hexdigest()}"
    return f"<!-- reconciler {kind} {key.replace('--', '%2D%2D')} -->"


def _quote(name: str) -> str:
    """Return a name without a space or a mark; a lone surrogate is no UTF-8."""
    return quote(name.encode("utf-8", "backslashreplace"), safe="*")


def check_accounts(reports: Iterable[tuple[str, Report]]) -> None:
    """Raise ConfigError where two reports are about one account: one would hide the other."""
    seen: dict[str, str] = {}
    for file, report in reports:
        for name in [each.account.name for each in report.accounts] or [PROJECT]:
            if name in seen:
                what = f"account {name!r}" if name else "no account"
                message = f"it is about {what}, and so is {seen[name]}"
                raise ConfigError(rules.REPORT_FILE(message, Location(file)))
            seen[name] = file


def build_messages(reports: Iterable[Report], project: str, around: Around) -> list[Message]:
    """Return the comments of reports: one for each account, one for many accounts at once."""
    return [each for report in reports for each in _split(report, project, around)]


def _split(report: Report, project: str, around: Around) -> list[Message]:
    names = [each.account.name for each in report.accounts]
    if len(names) > MANY:  # else each has a comment
        loud = tuple(each for each in report.accounts if _has_news(_select(report, each)))
        shown = replace(report, accounts=loud or report.accounts)
        quiet = len(names) - len(shown.accounts)
        marked = replace(around, others=quiet)
        return [_build(shown, MATRIX, project, marked, [PROJECT, *names])]
    if not names:
        return [_build(report, PROJECT, project, around, [])]
    others = [PROJECT, MATRIX]
    return [
        _build(_select(report, each), each.account.name, project, around, others)
        for each in report.accounts
    ]


def _select(report: Report, account: AccountReport) -> Report:
    """Return the report of one of its accounts, with the diagnostics of the whole run."""
    return replace(report, accounts=(account,))


def _build(
    report: Report, account: str, project: str, around: Around, replaces: list[str]
) -> Message:
    marker = build_marker("comment", project, account)
    comment = render_comment(report, around)
    return Message(
        account=account,
        marker=marker,
        body=f"{marker}\n{comment.text}",
        has_news=_has_news(report),
        short=comment.short,
        replaces=tuple(build_marker("comment", project, each) for each in replaces),
    )


def _has_news(report: Report) -> bool:
    """Whether a report says more than that nothing changes: errors and warnings always do."""
    quiet = (Status.IN_SYNC, Status.UNMANAGED, Status.IGNORED)
    loud = any(item.status not in quiet for item in build_view(report).items)
    warned = any(each.level is not Level.INFO for each in report.said)
    return loud or warned or report.exit_code is not Exit.DONE


def has_drift(account: AccountReport) -> bool:
    """Whether an audit found something, however `drift --fail-on` judges it."""
    counted = (Effect.FINDING, Effect.LOST_USAGE)
    found = any(each.effect in counted for each in account.diagnostics)
    return found or any(entry.severity for entry in account.entries)


def is_clean(report: Report, account: AccountReport) -> bool:
    """Whether an audit shows that there is no drift: of the whole account, and without an error."""
    done = account.exit_code is Exit.DONE and report.own_exit is Exit.DONE
    return done and not has_effect(report, Effect.SCOPE) and not has_drift(account)
