"""What stands around the table of a comment: marker, verdict, problems, folds, and the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from ...diagnostics.diagnostic import Diagnostic, Level
from ...model.change import Severity
from ...report.report import Report, ReportedChange
from ..escape import clean
from ..summary import PARTIAL, Tone, count, counted, every_line, mode, verdict
from ..view import severity, told, unattached
from .gfm import code, prose
from .rows import Budget

_ALERT = {Tone.GOOD: "TIP", Tone.NEWS: "NOTE", Tone.WARNING: "WARNING", Tone.BAD: "CAUTION"}
_LEVEL = {Level.ERROR: "🔴 **error**", Level.WARNING: "🟡 **warning**", Level.INFO: "**note**"}
_LEVELS = list(_LEVEL)


def cut(report: Report, room: Budget) -> bool:
    """Whether accounts or problems are left out for want of room."""
    return len(report.accounts) > room.accounts or len(_loose(report)) > room.diagnostics


def top(report: Report, room: Budget) -> Iterator[str]:
    """Markers, heading, verdict, accounts, and what is said of no line in the table."""
    for account in report.accounts[: room.accounts]:
        hash_ = quote(clean(account.plan_hash or "none"), safe="")
        name = quote(clean(account.account.name), safe="")
        marker = f"account={name[:200]} plan_hash={hash_[:80]} command={report.command}"
        yield f"<!-- reconciler {marker} -->"
    yield f"## {_heading(report, room)}"
    yield ""
    tone, sentence = verdict(report, report.command)
    yield f"> [!{_ALERT[tone]}]"
    yield f"> **{prose(sentence, 400)}**"
    if numbers := counted(every_line(report), report.command):
        yield f"> {', '.join(numbers)}"
    if report.accounts and not report.complete:
        yield f"> {PARTIAL}"
    yield ""
    if len(report.accounts) > 1:
        yield from _accounts(report, room)
    yield from _problems(report, room)


def _heading(report: Report, room: Budget) -> str:
    command = report.command.capitalize() or "Run"
    match report.accounts:
        case [only]:
            known = [code(only.account.id, 60)] if only.account.id else []
            said = [mode(only.account)] if only.account.livemode is not None else []
            return " · ".join(
                [f"{command} for {code(only.account.name, room.name)}", *said, *known]
            )
        case []:
            return command
        case several:
            return f"{command} for {count(len(several), 'account')}"


def _accounts(report: Report, room: Budget) -> Iterator[str]:
    yield from ("| Account | Mode | Verdict | Lines |", "| :-- | :-- | :-- | :-- |")
    for account in report.accounts[: room.accounts]:
        _, sentence = verdict(account, report.command)
        numbers = ", ".join(counted(account.changes, report.command))
        name = code(account.account.name, room.name)
        yield f"| {name} | {mode(account.account)} | {prose(sentence, 120)} | {numbers} |"
    yield ""
    if len(report.accounts) > room.accounts:
        yield f"and {count(len(report.accounts) - room.accounts, 'more account')}"
        yield ""


def _loose(report: Report) -> list[Diagnostic]:
    """What is said of no line in the table, errors first."""
    loose = [
        diagnostic
        for account in report.accounts
        for diagnostic in unattached(account, filter(told, account.changes))
    ]
    return sorted(
        [*report.diagnostics, *loose], key=lambda diagnostic: _LEVELS.index(diagnostic.level)
    )


def _problems(report: Report, room: Budget) -> Iterator[str]:
    every = _loose(report)
    for diagnostic in every[: room.diagnostics]:
        yield f"- {_problem(diagnostic, room)}"
    if len(every) > room.diagnostics:
        rest = Counter(diagnostic.level for diagnostic in every[room.diagnostics :])
        yield f"- and {', '.join(count(rest[level], f'more {level}') for level in rest)}"
    if every:
        yield ""


def _problem(diagnostic: Diagnostic, room: Budget) -> str:
    place = f"{code(str(diagnostic.location), room.name)} " if diagnostic.location else ""
    hint = f"<br>_What to do:_ {prose(diagnostic.hint, room.text)}" if diagnostic.hint else ""
    message = prose(diagnostic.message, room.text)
    said = f"{_LEVEL[diagnostic.level]} {prose(diagnostic.code, 40)}: {message}"
    return f"{place}{said}{hint}"


def head(report: Report) -> Iterator[str]:
    """The first two lines of the table."""
    yield f"| Severity | Meter | {'Finding' if report.command == 'drift' else 'Change'} | Details |"
    yield "| :-- | :-- | :-- | :-- |"


def missing(hidden: list[ReportedChange]) -> Iterator[str]:
    """A comment that is not whole says so, and what it is not good for."""
    bad = Counter(severity(line) for line in hidden)
    known = [f"{bad[degree]:,} {degree}" for degree in reversed(Severity) if bad[degree]]
    yield "> [!WARNING]"
    if hidden:
        lines = count(len(hidden), "line")
        yield f"> **Truncated: {lines} not shown** (severity: {', '.join(known)})."
    yield (
        "> This comment is shortened and **cannot serve as approval**: "
        "read the whole report, `--out html=FILE`."
    )
    yield ""


def more(hidden: list[ReportedChange]) -> Iterator[str]:
    """The last line of a table that is not whole."""
    if hidden:
        yield f"| | and {len(hidden):,} more | | |"


def folded(quiet: list[ReportedChange], report: Report, room: Budget, left: int) -> Iterator[str]:
    """Names of what is as it should be, behind a fold, as many as there is room for."""
    if not quiet:
        return
    names: list[str] = []
    for line in quiet:
        name = code(line.change.event_name, room.name)
        left -= len(name.encode()) + 2
        if left < 0:
            break
        names.append(name)
    rest = len(quiet) - len(names)
    word = "without findings" if report.command == "drift" else "unchanged"
    yield f"<details><summary>{len(quiet):,} {word}</summary>"
    yield ""
    yield ", ".join([*names, *([f"and {rest:,} more"] if rest else [])])
    yield from ("", "</details>", "")


def end(report: Report, room: Budget) -> Iterator[str]:
    """What the comment is of, for whoever compares it with a plan."""
    for account in report.accounts[: room.accounts]:
        if account.plan_hash:
            whose = f"{code(account.account.name, 60)}: " if len(report.accounts) > 1 else ""
            id_ = f" · plan_id {code(account.plan_id, 80)}" if account.plan_id else ""
            yield f"<sub>{whose}plan_hash {code(account.plan_hash, 80)}{id_}</sub><br>"
    yield f"<sub>reconciler {report.command} · exit code {int(report.exit_code)}</sub>"
