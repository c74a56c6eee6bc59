"""Everything around the table of a comment: marker, verdict, diagnostics, folds, and the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from ...diagnostics.diagnostic import Diagnostic, Level
from ...report.report import Report
from ..escape import clean
from ..summary import Tone, all_entries, by_degree, count, counts, incomplete, mode, verdict
from ..view import UNATTRIBUTED, Item, items, unattached, unattributed
from .gfm import code, prose
from .rows import Budget

_ALERT = {Tone.GOOD: "TIP", Tone.NEWS: "NOTE", Tone.WARNING: "WARNING", Tone.BAD: "CAUTION"}
_LEVEL = {Level.ERROR: "🔴 **error**", Level.WARNING: "🟡 **warning**", Level.INFO: "**note**"}
_LEVELS = list(_LEVEL)


def cut(report: Report, budget: Budget) -> bool:
    """Whether accounts or diagnostics do not fit."""
    return len(report.accounts) > budget.accounts or len(_loose(report)) > budget.diagnostics


def top(report: Report, budget: Budget) -> Iterator[str]:
    """Yield markers, heading, verdict, accounts, and the diagnostics of no item in the table."""
    for account in report.accounts[: budget.accounts]:
        hash_ = quote(clean(account.plan_hash or "none"), safe="")
        name = quote(clean(account.account.name), safe="")
        marker = f"account={name[:200]} plan_hash={hash_[:80]} command={report.command}"
        yield f"<!-- reconciler {marker} -->"
    yield f"## {_heading(report, budget)}"
    yield ""
    tone, sentence = verdict(report, report.command)
    yield f"> [!{_ALERT[tone]}]"
    yield f"> **{prose(sentence, 400)}**"
    if numbers := counts(report, report.command):
        yield f"> {', '.join(numbers)}"
    if report.accounts and (why := incomplete(report)):
        yield f"> {why}"
    if unattributed(all_entries(report)):
        yield f"> {UNATTRIBUTED}"
    yield ""
    if len(report.accounts) > 1:
        yield from _accounts(report, budget)
    yield from _diagnostics(report, budget)


def _heading(report: Report, budget: Budget) -> str:
    command = report.command.capitalize() or "Run"
    match report.accounts:
        case [only]:
            known = [code(only.account.id, 60)] if only.account.id else []
            said = [mode(only.account)] if only.account.livemode is not None else []
            return " · ".join(
                [f"{command} for {code(only.account.name, budget.name)}", *said, *known]
            )
        case []:
            return command
        case several:
            return f"{command} for {count(len(several), 'account')}"


def _accounts(report: Report, budget: Budget) -> Iterator[str]:
    yield from ("| Account | Mode | Verdict | Counts |", "| :-- | :-- | :-- | :-- |")
    for account in report.accounts[: budget.accounts]:
        _, sentence = verdict(account, report.command)
        numbers = ", ".join(counts(account, report.command))
        name = code(account.account.name, budget.name)
        yield f"| {name} | {mode(account.account)} | {prose(sentence, 120)} | {numbers} |"
    yield ""
    if len(report.accounts) > budget.accounts:
        yield f"and {count(len(report.accounts) - budget.accounts, 'more account')}"
        yield ""


def _loose(report: Report) -> list[Diagnostic]:
    """Return the diagnostics of no item in the table, errors first."""
    loose = [
        diagnostic
        for account in report.accounts
        for diagnostic in unattached(account, (item for item in items(account) if item.shown))
    ]
    return sorted(
        [*report.diagnostics, *loose], key=lambda diagnostic: _LEVELS.index(diagnostic.level)
    )


def _diagnostics(report: Report, budget: Budget) -> Iterator[str]:
    every = _loose(report)
    for diagnostic in every[: budget.diagnostics]:
        yield f"- {_diagnostic(diagnostic, budget)}"
    if len(every) > budget.diagnostics:
        rest = Counter(diagnostic.level for diagnostic in every[budget.diagnostics :])
        yield f"- and {', '.join(count(rest[level], f'more {level}') for level in rest)}"
    if every:
        yield ""


def _diagnostic(diagnostic: Diagnostic, budget: Budget) -> str:
    place = f"{code(str(diagnostic.location), budget.name)} " if diagnostic.location else ""
    hint = f"<br>_What to do:_ {prose(diagnostic.hint, budget.text)}" if diagnostic.hint else ""
    message = prose(diagnostic.message, budget.text)
    said = f"{_LEVEL[diagnostic.level]} {prose(diagnostic.code, 40)}: {message}"
    return f"{place}{said}{hint}"


def head(report: Report) -> Iterator[str]:
    """Yield the first two lines of the table."""
    drift = report.command == "drift"
    yield f"| {_degree(report)} | Meter | {'Finding' if drift else 'Change'} | Details |"
    yield "| :-- | :-- | :-- | :-- |"


def _degree(report: Report) -> str:
    return "Severity" if report.command == "drift" else "Risk"


def missing(hidden: list[Item], report: Report) -> Iterator[str]:
    """Yield what a shortened comment leaves out, and that it is no approval."""
    known = [f"{number:,} {degree}" for degree, number in by_degree(hidden) if number]
    yield "> [!WARNING]"
    if hidden:
        meters = count(len(hidden), "meter")
        degrees = f" ({_degree(report).lower()}: {', '.join(known)})" if known else ""
        yield f"> **Truncated: {meters} not shown**{degrees}."
    yield (
        "> This comment is shortened and **cannot serve as approval**: "
        "read the whole report, `--out html=FILE`."
    )
    yield ""


def more(hidden: list[Item]) -> Iterator[str]:
    """Yield the last line of a table that is cut off."""
    if hidden:
        yield f"| | and {len(hidden):,} more | | |"


def folded(quiet: list[Item], report: Report, budget: Budget, left: int) -> Iterator[str]:
    """Yield the names of meters that are as declared, folded, as many as fit."""
    if not quiet:
        return
    names: list[str] = []
    for item in quiet:
        name = code(item.event_name, budget.name)
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


def end(report: Report, budget: Budget) -> Iterator[str]:
    """Yield plan_hash, plan_id and exit code."""
    for account in report.accounts[: budget.accounts]:
        if account.plan_hash:
            whose = f"{code(account.account.name, 60)}: " if len(report.accounts) > 1 else ""
            id_ = f" · plan_id {code(account.plan_id, 80)}" if account.plan_id else ""
            yield f"<sub>{whose}plan_hash {code(account.plan_hash, 80)}{id_}</sub><br>"
    yield f"<sub>reconciler {report.command} · exit code {int(report.exit_code)}</sub>"
