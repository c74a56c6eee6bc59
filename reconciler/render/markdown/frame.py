"""Everything around the table of a comment: marker, verdict, diagnostics, folds, and the end."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.errors import Exit
from ..escape import clean
from ..labels import count, describe_mode, title_run
from ..summary import Tone
from ..view import Item, View, count_degrees
from .around import Around
from .gfm import format_code, format_prose
from .rows import Budget

ALERT = {Tone.GOOD: "TIP", Tone.NEWS: "NOTE", Tone.WARNING: "WARNING", Tone.BAD: "CAUTION"}
_LEVEL = {Level.ERROR: "🔴 **error**", Level.WARNING: "🟡 **warning**", Level.INFO: "**note**"}


def is_cut(view: View, budget: Budget) -> bool:
    """Whether accounts or diagnostics do not fit."""
    return len(view.accounts) > budget.accounts or len(view.unattached) > budget.diagnostics


def render_top(view: View, budget: Budget) -> Iterator[str]:
    """Yield markers, heading, verdict, accounts, and the diagnostics of no item in the table."""
    for account in view.accounts[: budget.accounts]:
        hash_ = quote(clean(account.report.plan_hash or "none"), safe="")
        name = quote(clean(account.name), safe="")
        marker = f"account={name[:200]} plan_hash={hash_[:80]} command={view.report.command}"
        yield f"<!-- reconciler {marker} -->"
    yield f"## {_render_heading(view, budget)}"
    yield ""
    yield f"> [!{ALERT[view.headline.tone]}]"
    if budget.around:
        yield from _render_context(view, budget.around)
    else:
        yield f"> **{format_prose(view.headline.verdict, 400)}**"
        yield from filter(None, (view.headline.counts and f"> {view.headline.counts}",))
    yield from (f"> {text}" for text in view.headline.notes)
    yield ""
    if view.has_several:
        yield from _render_accounts(view, budget)
    yield from _render_diagnostics(view, budget)


def _render_context(view: View, around: Around) -> Iterator[str]:
    """Yield which account, commit and job a posted comment is of: its verdict is in the heading."""
    known = [
        f"account {format_code(each.report.account.id, 60)}"
        for each in view.accounts
        if each.report.account.id and not view.has_several
    ]
    known += [f"commit {format_code(around.commit[:12], 20)}"] if around.commit else []
    known += [f"[job]({around.run})"] if around.run else []
    levels = Counter(diagnostic.level for _, diagnostic in view.unattached)
    known += [count(levels[Level.WARNING], "warning")] if levels[Level.WARNING] else []
    yield f"> {' · '.join(known) or f'reconciler {view.report.command}'}"
    if around.others:
        yield f"> {count(around.others, 'more account')} without changes."


def _render_heading(view: View, budget: Budget) -> str:
    if budget.around:
        return _render_first_line(view, budget)
    command = title_run(view.report.command) or "Run"
    match view.report.accounts:
        case [only]:
            account = only.account
            known = [f"{command} for {format_code(account.name, budget.name)}"]
            known += [describe_mode(account)] if account.livemode is not None else []
            known += [format_code(account.id, 60)] if account.id else []
            return " · ".join(known)
        case []:
            return command
        case several:
            return f"{command} for {count(len(several), 'account')}"


def _render_first_line(view: View, budget: Budget) -> str:
    """Return what a notification shows of a comment: account, mode, verdict and counts."""
    run = title_run(view.report.command)
    match view.report.accounts:
        case [only]:
            account = only.account
            mode = f" · {describe_mode(account)}" if account.livemode is not None else ""
            run = f"{run} for {format_code(account.name, budget.name)}{mode}"
        case [_, *_] as several:
            run = f"{run} for {count(len(several), 'account')}"
    errors = sum(diagnostic.level is Level.ERROR for _, diagnostic in view.unattached)
    numbers = view.headline.counts or (count(errors, "error") if errors else "")
    counts = f" {numbers}." if numbers else ""
    return f"{run} · {format_prose(view.headline.verdict, 400)}{counts}"


def _render_accounts(view: View, budget: Budget) -> Iterator[str]:
    yield from ("| Account | Mode | Verdict | Counts |", "| :-- | :-- | :-- | :-- |")
    for account in view.accounts[: budget.accounts]:
        name = format_code(account.name, budget.name)
        mode, headline = describe_mode(account.report.account), account.headline
        yield f"| {name} | {mode} | {format_prose(headline.verdict, 120)} | {headline.counts} |"
    yield ""
    if len(view.accounts) > budget.accounts:
        yield f"and {count(len(view.accounts) - budget.accounts, 'more account')}"
        yield ""


def _render_diagnostics(view: View, budget: Budget) -> Iterator[str]:
    every = [diagnostic for _, diagnostic in view.unattached]
    for diagnostic in every[: budget.diagnostics]:
        yield f"- {render_diagnostic(diagnostic, budget)}"
    if len(every) > budget.diagnostics:
        rest = Counter(diagnostic.level for diagnostic in every[budget.diagnostics :])
        yield f"- and {', '.join(count(rest[level], f'more {level}') for level in rest)}"
    if every:
        yield ""


def render_diagnostic(diagnostic: Diagnostic, budget: Budget) -> str:
    """Return a diagnostic in one line."""
    location = diagnostic.location
    place = f"{budget.place_at(location, budget.name)} " if location else ""
    hint = format_prose(diagnostic.hint, budget.text)
    advice = f"<br>_What to do:_ {hint}" if diagnostic.hint else ""
    message = format_prose(diagnostic.message, budget.text)
    label = f"{_LEVEL[diagnostic.level]} {format_prose(diagnostic.code, 40)}"
    return f"{place}{label}: {message}{advice}"


def render_head(view: View) -> Iterator[str]:
    """Yield the first two lines of the table."""
    what = "Finding" if view.report.command == "drift" else "Change"
    yield f"| {view.degree_name} | Meter | {what} | Details |"
    yield "| :-- | :-- | :-- | :-- |"


def render_warning(hidden: list[Item], view: View) -> Iterator[str]:
    """Yield what a shortened comment leaves out, and that it is no approval."""
    known = [f"{number:,} {degree}" for degree, number in count_degrees(hidden) if number]
    yield "> [!WARNING]"
    if hidden:
        meters = count(len(hidden), "meter")
        degrees = f" ({view.degree_name.lower()}: {', '.join(known)})"
        yield f"> **Truncated: {meters} not shown**{degrees}."
    yield (
        "> This comment is shortened and **cannot serve as approval**: "
        "read the whole report, `--out html=FILE`."
    )
    yield ""


def render_more(hidden: list[Item]) -> Iterator[str]:
    """Yield the last line of a table that is cut off."""
    if hidden:
        yield f"| | and {len(hidden):,} more | | |"


def fold_quiet(view: View, budget: Budget, left: int) -> Iterator[str]:
    """Yield the names of meters that are as declared, folded, as many as fit."""
    quiet = [item for item in view.items if not item.shown]
    if not quiet:
        return
    names: list[str] = []
    for item in quiet:
        name = format_code(item.name, budget.name)
        left -= len(name.encode()) + 2
        if left < 0:
            break
        names.append(name)
    rest = len(quiet) - len(names)
    word = "without findings" if view.report.command == "drift" else "unchanged"
    yield f"<details><summary>{len(quiet):,} {word}</summary>"
    yield ""
    yield ", ".join([*names, *([f"and {rest:,} more"] if rest else [])])
    yield from ("", "</details>", "")


def fold_routine(view: View, items: list[Item], rows: list[str]) -> Iterator[str]:
    """Yield the rows of changes without a risk, folded."""
    actions = Counter(str(item.change.action) for item in items if item.change)
    listed = ", ".join(f"{number:,} {action}" for action, number in actions.items())
    yield f"<details><summary>{len(items):,} routine: {listed}</summary>"
    yield from ("", *render_head(view), *rows, "", "</details>", "")


def render_how_to_apply(view: View, budget: Budget) -> Iterator[str]:
    """Yield the command that applies exactly this plan: only where apply would not be refused."""
    if not budget.around or view.report.command != "plan":
        return
    for account in (each.report for each in view.accounts[: budget.accounts]):
        clear = account.exit_code in (Exit.DONE, Exit.CHANGES) and account.complete
        writes = any(each.change.action.writes for each in account.changes)
        if account.plan_hash and clear and writes:
            words = ("--account", account.account.name, "--expect", account.plan_hash)
            command = format_code(f"reconciler apply {shlex.join(words)}", 600)
            yield f"To apply exactly this plan: {command}"
            yield ""


def render_end(view: View, budget: Budget) -> Iterator[str]:
    """Yield plan_hash, plan_id and exit code."""
    for account in (each.report for each in view.accounts[: budget.accounts]):
        if account.plan_hash:
            whose = f"{format_code(account.account.name, 60)}: " if view.has_several else ""
            id_ = f" · plan_id {format_code(account.plan_id, 80)}" if account.plan_id else ""
            yield f"<sub>{whose}plan_hash {format_code(account.plan_hash, 80)}{id_}</sub><br>"
    yield f"<sub>reconciler {view.report.command} · exit code {int(view.report.exit_code)}</sub>"
