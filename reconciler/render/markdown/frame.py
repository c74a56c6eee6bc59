"""Everything around the table of a comment: marker, verdict, diagnostics, folds, and the end."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.errors import Exit
from ...model.change import Risk
from ...report.report import AccountReport
from ..escape import clean
from ..fleet.groups import has_many
from ..labels import count, describe_mode, title_run
from ..sum_up import sum_up
from ..summary import Tone
from ..view import AccountView, Item, View, count_degrees
from .around import Around
from .gfm import format_breakable_code, format_code, format_prose
from .matrix import render_matrix
from .rows import BADGE, Budget

ALERT = {Tone.GOOD: "TIP", Tone.NEWS: "NOTE", Tone.WARNING: "WARNING", Tone.BAD: "CAUTION"}
_RISKS = list(Risk)
_FEW = 5  # accounts whose plan_hash or command is not folded
_LISTED = 3  # accounts with the same result that are named
_LEVEL = {Level.ERROR: "🔴 **error**", Level.WARNING: "🟡 **warning**", Level.INFO: "**note**"}


def is_cut(view: View, budget: Budget) -> bool:
    """Whether accounts or diagnostics do not fit."""
    return len(view.accounts) > budget.accounts or len(view.unattached) > budget.diagnostics


def render_top(view: View, budget: Budget) -> Iterator[str]:
    """Yield markers, heading, verdict, accounts, and the diagnostics of no change that is shown."""
    if not budget.around:  # a comment that is posted has a marker of its own
        yield from (_render_marker(view, each) for each in view.accounts[: budget.accounts])
    yield _render_heading(view, budget)
    yield ""
    yield f"> [!{ALERT[view.headline.tone]}]"
    if budget.around:
        yield from _render_context(view, budget.around)
    else:
        yield f"> **{format_prose(view.headline.verdict, 400)}**"
        yield from filter(None, (view.headline.counts and f"> {view.headline.counts}",))
    yield from (f"> {text}" for text in view.headline.notes)
    yield ""
    yield from _render_diagnostics(view, budget)
    if view.has_several:
        yield from _render_accounts(view, budget)
        yield from render_matrix(view, budget)


def _render_marker(view: View, account: AccountView) -> str:
    hash_ = quote(clean(account.report.plan_hash or "none"), safe="")
    name = quote(clean(account.name), safe="")
    marker = f"account={name[:200]} plan_hash={hash_[:80]} command={view.report.command}"
    return f"<!-- reconciler {marker} -->"


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
    command = title_run(view.report.command) or "Run"
    match view.report.accounts:
        case [only]:
            account = only.account
            known = [f"{command} for {format_code(account.name, budget.name)}"]
            known += [describe_mode(account)] if account.livemode is not None else []
            known += [format_code(account.id, 60)] if account.id and not budget.around else []
            command = " · ".join(known)
        case [_, *_] as several:
            command = f"{command} for {count(len(several), 'account')}"
    return f"### {command}{_render_verdict(view)}" if budget.around else f"## {command}"


def _render_verdict(view: View) -> str:
    """Return verdict and counts: a notification shows the first line of a posted comment."""
    errors = sum(diagnostic.level is Level.ERROR for _, diagnostic in view.unattached)
    numbers = view.headline.counts or (count(errors, "error") if errors else "")
    counts = f"<br><sub>{numbers}</sub>" if numbers else ""
    return f" · {format_prose(view.headline.verdict, 400)}{counts}"


def _render_accounts(view: View, budget: Budget) -> Iterator[str]:
    """Yield the accounts by what is to happen there, the ones with the highest risk first."""
    yield from ("| Account | Result |", "| :-- | :-- |")
    same: dict[tuple[str, ...], list[str]] = {}
    for account in sorted(view.accounts, key=_rank_account):
        same.setdefault(tuple(_describe_result(account)), []).append(account.name)
    groups = list(same.items())
    for said, names in groups[: budget.accounts]:
        cells = [format_breakable_code(name, budget.name) for name in names[:_LISTED]]
        more = len(names) - _LISTED
        cells += [f"and {count(more, 'more account')}"] if more > 0 else []
        yield f"| {'<br>'.join(cells)} | {'<br>'.join(said)} |"
    yield ""
    if left_out := groups[budget.accounts :]:
        yield f"and {count(sum(len(names) for _, names in left_out), 'more account')}"
        yield ""


def _describe_result(account: AccountView) -> Iterator[str]:
    """Yield highest risk, verdict, counts and mode of an account."""
    worst = max((item.degree for item in account.items), key=_RISKS.index, default=Risk.NONE)
    if worst is not Risk.NONE:
        yield f"**{BADGE[worst]}**"
    yield format_prose(account.headline.verdict, 160)
    if account.headline.counts:
        yield account.headline.counts
    if account.report.account.livemode is not None:
        yield f"<sub>{describe_mode(account.report.account)}</sub>"


def _rank_account(account: AccountView) -> tuple[bool, int]:
    worst = max((_RISKS.index(item.degree) for item in account.items), default=0)
    return account.report.exit_code in (Exit.DONE, Exit.CHANGES), -worst


def _render_diagnostics(view: View, budget: Budget) -> Iterator[str]:
    every = [_name_account(whose, diagnostic, view) for whose, diagnostic in view.unattached]
    every = sum_up(every) if has_many(view) else every
    for diagnostic in every[: budget.diagnostics]:
        yield f"- {render_diagnostic(diagnostic, budget)}"
    if len(every) > budget.diagnostics:
        rest = Counter(diagnostic.level for diagnostic in every[budget.diagnostics :])
        yield f"- and {', '.join(count(rest[level], f'more {level}') for level in rest)}"
    if every:
        yield ""


def _name_account(whose: str, diagnostic: Diagnostic, view: View) -> Diagnostic:
    """Return a diagnostic with its account, where a report is of many."""
    if not whose or not has_many(view):
        return diagnostic
    return replace(diagnostic, message=f"{whose}: {diagnostic.message}")


def render_diagnostic(diagnostic: Diagnostic, budget: Budget) -> str:
    """Return a diagnostic in one line."""
    location = diagnostic.location
    place = f"{budget.place_at(location, budget.name)} " if location else ""
    hint = format_prose(diagnostic.hint, budget.text)
    advice = f"<br>_What to do:_ {hint}" if diagnostic.hint else ""
    message = format_prose(diagnostic.message, budget.text)
    label = f"{_LEVEL[diagnostic.level]} {format_prose(diagnostic.code, 40)}"
    return f"{place}{label}: {message}{advice}"


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
    """Yield how many changes or findings are cut off."""
    if hidden:
        yield f"**and {len(hidden):,} more**"
        yield ""


class Fold(Struct, frozen=True):
    """Meters that need no review: what they are, and at most how many are named."""

    items: list[Item]
    what: str
    most: int


def fold_names(fold: Fold, budget: Budget, left: int) -> Iterator[str]:
    """Yield the names of meters, folded, as many as fit."""
    if not fold.items:
        return
    every = list(dict.fromkeys(item.name for item in fold.items))
    names: list[str] = []
    for name in every[: fold.most]:
        shown = format_code(name, budget.name)
        left -= len(shown.encode()) + 2
        if left < 0:
            break
        names.append(shown)
    rest = len(every) - len(names)
    yield f"<details><summary>{len(fold.items):,} {fold.what}</summary>"
    yield ""
    yield ", ".join([*names, *([f"and {rest:,} more"] if rest else [])])
    yield from ("", "</details>", "")


def tabulate(rows: list[str], items: list[Item], *, folded: bool) -> Iterator[str]:
    """Yield the rows of routine changes as a table for a narrow screen."""
    if folded:
        actions = Counter(str(item.change.action) for item in items if item.change)
        listed = ", ".join(f"{number:,} {action}" for action, number in actions.items())
        yield f"<details><summary>{len(items):,} routine: {listed}</summary>"
        yield ""
    yield from ("| Change | Meter |", "| :-- | :-- |", *rows, "")
    if folded:
        yield from ("</details>", "")


def render_how_to_apply(view: View, budget: Budget) -> Iterator[str]:
    """Yield the commands that apply exactly these plans: only where apply would not be refused."""
    reports = (account.report for account in view.accounts[: budget.accounts])
    plans = [each for each in reports if _is_applicable(each, view, budget)]
    commands = [_write_command(each) for each in plans if each.identified is not False]
    fence = ("", "```sh", *commands, "```", "")
    if len(commands) > _FEW:
        what = f"To apply exactly these {len(commands):,} plans, in the project folder"
        yield f"<details><summary>{what}</summary>"
        yield from (*fence, "</details>", "")
    elif commands:
        these = "these plans" if len(commands) > 1 else "this plan"
        yield f"To apply exactly {these}, in the project folder:"
        yield from fence
    if len(commands) < len(plans):
        why = "without it, an approved plan cannot be applied (G014)"
        yield f"Set `account_id` in the project file: {why}."
        yield ""


def _has_command(account: AccountReport, view: View, budget: Budget) -> bool:
    return account.identified is not False and _is_applicable(account, view, budget)


def _is_applicable(account: AccountReport, view: View, budget: Budget) -> bool:
    if not budget.around or view.report.command != "plan":
        return False
    clear = account.exit_code in (Exit.DONE, Exit.CHANGES) and account.complete
    writes = any(it.change.action.writes for it in account.changes)
    return bool(account.plan_hash) and clear and writes


def _write_command(account: AccountReport) -> str:
    words = ("--account", account.account.name, "--expect", account.plan_hash or "")
    return clean(f"reconciler apply {shlex.join(words)}")


def render_end(view: View, budget: Budget) -> Iterator[str]:
    """Yield exit code, plan_hash and plan_id; of several accounts, where no command has them."""
    some = [each.report for each in view.accounts[: budget.accounts] if each.report.plan_hash]
    hashed = [
        account
        for account in some
        if not (view.has_several and _has_command(account, view, budget))
    ]
    folded = len(hashed) > _FEW
    if folded:
        yield from (f"<details><summary>plan_hash of {len(hashed):,} accounts</summary>", "")
    for account in hashed:
        whose = f"{format_code(account.account.name, 60)}: " if view.has_several else ""
        id_ = f" · plan_id {format_code(account.plan_id, 80)}" if account.plan_id else ""
        known = f"plan_hash {format_code(account.plan_hash or '', 80)}{'' if folded else id_}"
        yield f"{'- ' if view.has_several else ''}<sub>{whose}{known}</sub>"
    if hashed:
        yield ""
    if folded:
        yield from ("</details>", "")
    yield f"<sub>reconciler {view.report.command} · exit code {int(view.report.exit_code)}</sub>"
