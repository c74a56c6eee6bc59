"""What stands around the table of a comment: marker, verdict, problems, folds, and the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from ...diagnostics.diagnostic import Level, Problem
from ...model.change import Severity
from ...report.report import Line, Report
from ..escape import clean
from ..summary import PARTIAL, Tone, count, counted, every_line, mode, verdict
from ..view import of_nobody, severity, told
from .gfm import code, prose
from .rows import Room

_ALERT = {Tone.GOOD: "TIP", Tone.NEWS: "NOTE", Tone.WARNING: "WARNING", Tone.BAD: "CAUTION"}
_LEVEL = {Level.ERROR: "🔴 **error**", Level.WARNING: "🟡 **warning**", Level.INFO: "**note**"}
_LEVELS = list(_LEVEL)


def cut(report: Report, room: Room) -> bool:
    """Whether accounts or problems are left out for want of room."""
    return len(report.accounts) > room.accounts or len(_loose(report)) > room.problems


def top(report: Report, room: Room) -> Iterator[str]:
    """Markers, heading, verdict, accounts, and what is said of no line in the table."""
    for account in report.accounts[: room.accounts]:
        hash_ = quote(clean(account.plan_hash or "none"), safe="")
        name = quote(clean(account.account.name), safe="")
        yield f"<!-- reconciler account={name[:200]} plan_hash={hash_[:80]} verb={report.verb} -->"
    yield f"## {_heading(report, room)}"
    yield ""
    tone, sentence = verdict(report, report.verb)
    yield f"> [!{_ALERT[tone]}]"
    yield f"> **{prose(sentence, 400)}**"
    if numbers := counted(every_line(report), report.verb):
        yield f"> {', '.join(numbers)}"
    if report.accounts and not report.complete:
        yield f"> {PARTIAL}"
    yield ""
    if len(report.accounts) > 1:
        yield from _accounts(report, room)
    yield from _problems(report, room)


def _heading(report: Report, room: Room) -> str:
    verb = report.verb.capitalize() or "Run"
    match report.accounts:
        case [only]:
            known = [code(only.account.id, 60)] if only.account.id else []
            said = [mode(only.account)] if only.account.livemode is not None else []
            return " · ".join([f"{verb} for {code(only.account.name, room.name)}", *said, *known])
        case []:
            return verb
        case several:
            return f"{verb} for {count(len(several), 'account')}"


def _accounts(report: Report, room: Room) -> Iterator[str]:
    yield from ("| Account | Mode | Verdict | Lines |", "| :-- | :-- | :-- | :-- |")
    for account in report.accounts[: room.accounts]:
        _, sentence = verdict(account, report.verb)
        numbers = ", ".join(counted(account.lines, report.verb))
        name = code(account.account.name, room.name)
        yield f"| {name} | {mode(account.account)} | {prose(sentence, 120)} | {numbers} |"
    yield ""
    if len(report.accounts) > room.accounts:
        yield f"and {count(len(report.accounts) - room.accounts, 'more account')}"
        yield ""


def _loose(report: Report) -> list[Problem]:
    """What is said of no line in the table, errors first."""
    loose = [
        problem
        for account in report.accounts
        for problem in of_nobody(account, filter(told, account.lines))
    ]
    return sorted([*report.problems, *loose], key=lambda problem: _LEVELS.index(problem.level))


def _problems(report: Report, room: Room) -> Iterator[str]:
    every = _loose(report)
    for problem in every[: room.problems]:
        yield f"- {_problem(problem, room)}"
    if len(every) > room.problems:
        rest = Counter(problem.level for problem in every[room.problems :])
        yield f"- and {', '.join(count(rest[level], f'more {level}') for level in rest)}"
    if every:
        yield ""


def _problem(problem: Problem, room: Room) -> str:
    place = f"{code(str(problem.where), room.name)} " if problem.where else ""
    hint = f"<br>_What to do:_ {prose(problem.hint, room.text)}" if problem.hint else ""
    said = f"{_LEVEL[problem.level]} {prose(problem.code, 40)}: {prose(problem.message, room.text)}"
    return f"{place}{said}{hint}"


def head(report: Report) -> Iterator[str]:
    """The first two lines of the table."""
    yield f"| Severity | Meter | {'Finding' if report.verb == 'drift' else 'Change'} | Details |"
    yield "| :-- | :-- | :-- | :-- |"


def missing(hidden: list[Line]) -> Iterator[str]:
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


def more(hidden: list[Line]) -> Iterator[str]:
    """The last line of a table that is not whole."""
    if hidden:
        yield f"| | and {len(hidden):,} more | | |"


def folded(quiet: list[Line], report: Report, room: Room, left: int) -> Iterator[str]:
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
    word = "without findings" if report.verb == "drift" else "unchanged"
    yield f"<details><summary>{len(quiet):,} {word}</summary>"
    yield ""
    yield ", ".join([*names, *([f"and {rest:,} more"] if rest else [])])
    yield from ("", "</details>", "")


def end(report: Report, room: Room) -> Iterator[str]:
    """What the comment is of, for whoever compares it with a plan."""
    for account in report.accounts[: room.accounts]:
        if account.plan_hash:
            whose = f"{code(account.account.name, 60)}: " if len(report.accounts) > 1 else ""
            id_ = f" · plan_id {code(account.plan_id, 80)}" if account.plan_id else ""
            yield f"<sub>{whose}plan_hash {code(account.plan_hash, 80)}{id_}</sub><br>"
    yield f"<sub>reconciler {report.verb} · exit code {int(report.exit_code)}</sub>"
