"""What a run comes to: its verdict in a sentence, its lines in numbers, its account by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from ..diagnostics.codes import usage
from ..diagnostics.errors import Exit
from ..model.change import Action, Severity
from ..model.project import AccountRef
from ..report.report import AccountReport, Report, ReportedChange, ResultStatus, summary
from .view import halted, severity, succeeded

PARTIAL = "Partial: not everything was looked at, and absence was not judged."
"""What every format says of a run that is not complete."""


def mode(account: AccountRef) -> str:
    """In which of Stripe's two worlds an account is."""
    return {None: "mode unknown", True: "LIVE mode", False: "test mode"}[account.livemode]


def called(account: AccountRef) -> str:
    """An account by its name, its id and its mode; offline only the name is known."""
    if account.id is None and account.livemode is None:
        return account.name
    return f"{account.name} ({account.id or 'account id unknown'}, {mode(account)})"


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


_ASKED = (
    (Action.CREATE, "to create"),
    (Action.REACTIVATE, "to reactivate"),
    (Action.UPDATE, "to update"),
    (Action.REPLACE, "to replace"),
    (Action.DEACTIVATE, "to deactivate"),
)
_BESIDES = ("blocked", "refused", "unmanaged", "unchanged", "ignored")


def counted(lines: Iterable[ReportedChange], command: str) -> list[str]:
    """The lines of a run in numbers, each a short phrase; numbers of nothing are left out."""
    every = list(lines)
    if command == "drift":
        return _found(every)
    asked, besides = planned(every)
    return results(every) or [*asked, *besides]


def _found(lines: list[ReportedChange]) -> list[str]:
    degrees = [severity(line) for line in lines if line.findings and not line.ignored]
    ignored = sum(line.ignored for line in lines)
    rest = ((ignored, "ignored"), (len(lines) - len(degrees) - ignored, "without findings"))
    found = [f"{degrees.count(each)} {each}" for each in reversed(Severity) if each in degrees]
    return found + [f"{number} {words}" for number, words in rest if number]


def results(lines: Iterable[ReportedChange]) -> list[str]:
    """What became of the lines, in numbers; nothing where nothing was tried."""
    every = list(lines)
    ended = [line.result.status for line in every if line.result]
    rest = len(every) - len(ended)
    said = [f"{ended.count(status)} {status}" for status in ResultStatus if status in ended]
    return said + ([f"{rest} without a request"] if rest and ended else [])


def planned(lines: Iterable[ReportedChange]) -> tuple[list[str], list[str]]:
    """What a plan asks for in numbers, and what else it holds."""
    counts = summary(lines)
    asked = [f"{counts[action]} {words}" for action, words in _ASKED if counts[action]]
    return asked, [f"{counts[word]} {word}" for word in _BESIDES if counts[word]]


class Tone(StrEnum):
    """How a verdict should look."""

    GOOD = "good"
    NEWS = "news"
    WARNING = "warning"
    BAD = "bad"


_ENDED = {
    Exit.FAILED: "The run ended in an error",
    Exit.REFUSED: "Refused",
    Exit.STALE: "The plan is stale",
    Exit.PARTIAL: "Not done: something was or may have been written, and lines remain",
    Exit.DENIED: "The API key is missing, or may not do this",
    Exit.USAGE: "The command line cannot be used",
    Exit.INTERRUPTED: "The run was interrupted",
}
_UNSEEN = (
    "Not confirmed: everything was sent and answered, but the account was not seen to be as planned"
)
_WITHOUT_EFFECT = (Exit.FAILED, Exit.REFUSED, Exit.STALE, Exit.DENIED)


def verdict(report: Report | AccountReport, command: str) -> tuple[Tone, str]:
    """What a run, or its part on one account, comes to: one sentence, and how it should look."""
    if command == "validate" and report.exit_code in (Exit.DONE, Exit.FAILED):
        valid = report.exit_code is Exit.DONE
        return (
            (Tone.GOOD, "The files are valid.") if valid else (Tone.BAD, "The files have errors.")
        )
    lines = list(every_line(report))
    if report.exit_code in _ENDED:
        return _ended(report, command, lines)
    if command == "drift":
        return _audited(report, lines)
    writes = sum(line.change.action.writes for line in lines)
    if not writes:
        return Tone.GOOD, "Nothing to do: what is declared is so."
    if command == "apply" and any(line.result for line in lines):
        return Tone.GOOD, f"Applied: {count(writes, 'change')}."
    return Tone.NEWS, f"{count(writes, 'change')} planned."


def _ended(
    report: Report | AccountReport, command: str, lines: list[ReportedChange]
) -> tuple[Tone, str]:
    """How a run ended that did not do all, and what it did all the same."""
    said, code = _ENDED[report.exit_code], report.exit_code
    done = [line.result.status for line in lines if line.result].count(ResultStatus.DONE)
    halts = sum(map(halted, lines))
    left = count(halts, "line")
    if code is Exit.REFUSED and command == "plan":
        return Tone.BAD, f"{said}: until this is settled, apply writes nothing."
    if code is Exit.PARTIAL and _all_settled(report, lines):
        return Tone.BAD, f"{_UNSEEN}."
    if code is Exit.REFUSED and done:
        return Tone.WARNING, f"{count(done, 'change')} applied; {left} refused and left."
    if command != "apply" or code is Exit.PARTIAL or not (done or code in _WITHOUT_EFFECT):
        return Tone.BAD, f"{said}."
    if done:
        rest = f", {left} left" if halts else ""
        return Tone.BAD, f"{said}; {count(done, 'change')} applied{rest}."
    said = "Cancelled" if _cancelled(report) else said
    return Tone.BAD, f"{said}; nothing was written."


def _all_settled(report: Report | AccountReport, lines: list[ReportedChange]) -> bool:
    """Whether only the closing look can have failed: no line is open, and no account was lost."""
    open_ = [line for line in lines if line.change.action.writes and not succeeded(line)]
    ends = {account.exit_code for account in _accounts(report)}
    return not (open_ or any(map(halted, lines))) and ends <= {Exit.DONE, Exit.PARTIAL}


def _cancelled(report: Report | AccountReport) -> bool:
    diagnostics = (
        diagnostic for account in _accounts(report) for diagnostic in account.diagnostics
    )
    return report.exit_code is Exit.FAILED and usage.CANCELLED.code in {p.code for p in diagnostics}


def _audited(report: Report | AccountReport, lines: list[ReportedChange]) -> tuple[Tone, str]:
    found = sum(bool(line.findings) and not line.ignored for line in lines)
    if found:
        lost = any(severity(line) is Severity.REVENUE for line in lines)
        tone = Tone.BAD if lost else Tone.WARNING
        return tone, f"Drift: {count(found, 'event_name')} not as declared."
    if report.exit_code is Exit.CHANGES:
        return Tone.WARNING, "No drift, but an exemption has run out."
    return Tone.GOOD, "No drift."


def every_line(report: Report | AccountReport) -> Iterator[ReportedChange]:
    """The lines of an account, or of all of them."""
    return (line for account in _accounts(report) for line in account.changes)


def _accounts(report: Report | AccountReport) -> tuple[AccountReport, ...]:
    return report.accounts if isinstance(report, Report) else (report,)
