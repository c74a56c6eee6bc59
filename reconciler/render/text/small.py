"""Render the documents of the small commands, each with a function for its type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from msgspec.structs import replace

from ...report.checkup import Checkup
from ...report.comparison import Comparison
from ...report.documents import (
    DiagnosticList,
    EmulatorInfo,
    Inventory,
    MeterDeclarations,
    NewProject,
    Readiness,
)
from ...report.generated import CodeCheck, GeneratedCode
from ...report.history import History
from ...report.published import Published
from ...report.result import CommandResult
from ..escape import clean
from ..labels import count, describe_account
from ..sum_up import sum_up
from .checks import conclude, render_checks
from .comparison import render_comparison
from .diagnostics import render_diagnostic, render_diagnostics
from .history import render_runs, render_timeline
from .styled import Line, Span, Style, wrap_text
from .tables import render_meters, render_ready_meters, render_rules


def render_small(document: CommandResult, *, verbose: bool) -> Iterator[Line]:
    """Yield the lines of a document that is not a report; many alike diagnostics as one."""
    if isinstance(document, Comparison):
        return render_comparison(document, verbose=verbose)
    return _render(document if verbose else _sum_up_accounts(document))


def _sum_up_accounts(document: CommandResult) -> CommandResult:
    accounts = (
        replace(account, diagnostics=tuple(sum_up(account.diagnostics)))
        for account in document.accounts
    )
    return replace(document, accounts=tuple(accounts))


@singledispatch
def _render(document: CommandResult) -> Iterator[Line]:
    raise TypeError(type(document).__name__)


@_render.register
def _(inventory: Inventory) -> Iterator[Line]:
    for diagnostic in inventory.diagnostics:
        yield from render_diagnostic(diagnostic)
    for n, account in enumerate(inventory.accounts):
        if n or inventory.diagnostics:
            yield ()
        yield (Span(f"Meters of {describe_account(account.account)}", Style.BOLD),)
        if account.total is not None:
            yield from render_meters(account.meters, account.total, account.prices)
        yield from render_diagnostics(account.diagnostics)
    if inventory.narrowed:
        yield ()
        yield (Span("Partial list: only meters that match are shown.", Style.YELLOW),)


@_render.register
def _(found: MeterDeclarations) -> Iterator[Line]:
    """Yield the YAML as it is: it is quoted and escaped already, and files are made of it."""
    if found.file is None:
        yield from ((line,) for line in found.text.splitlines())
    elif found.meters:
        added = count(len(found.meters), "meter")
        yield from wrap_text(f"Added {added} to {found.file}.", "", "  ")


@_render.register
def _(started: NewProject) -> Iterator[Line]:
    for file in started.files:
        yield (f"  {file.change:<8}  {file.path}",)
    yield from render_diagnostics(started.diagnostics)
    yield ()
    declared = count(started.declared, "meter")
    found = f"Started a project for {describe_account(started.account)}: {declared} declared."
    for line in wrap_text(found, "", "  "):
        yield (Span(str(line[0]), Style.GREEN),)
    for sentence in started.next:
        yield from wrap_text(f"- {sentence}", "  ", "    ")


@_render.register
def _(readiness: Readiness) -> Iterator[Line]:
    yield from render_diagnostics(readiness.diagnostics)
    for n, account in enumerate(readiness.accounts):
        if n or readiness.diagnostics:
            yield ()
        yield (Span(f"Readiness of {describe_account(account.account)}", Style.BOLD),)
        yield from render_ready_meters(account.meters)
        yield from render_diagnostics(account.diagnostics)
        if not account.meters:
            continue
        yield ()
        ready = sum(meter.ready for meter in account.meters)
        whole = ready == len(account.meters)
        verdict = f"Ready: {count(ready, 'meter')}." if whole else "Not ready: "
        verdict += "" if whole else f"{len(account.meters) - ready} of {len(account.meters)}."
        yield (Span(verdict, Style.GREEN if whole else Style.RED),)


@_render.register
def _(history: History) -> Iterator[Line]:
    for diagnostic in history.diagnostics:
        yield from render_diagnostic(diagnostic)
        yield ()
    yield from render_runs(history) if history.timeline is None else render_timeline(history)


@_render.register
def _(checkup: Checkup) -> Iterator[Line]:
    yield (Span("This machine and project", Style.BOLD),)
    yield from render_checks(checkup.checks)
    yield from render_diagnostics(checkup.diagnostics)
    for account in checkup.accounts:
        yield ()
        yield (Span(f"Account {describe_account(account.account)}", Style.BOLD),)
        yield from render_checks(account.checks)
        yield from render_diagnostics(account.diagnostics)
    yield ()
    yield conclude(checkup)


@_render.register
def _(info: EmulatorInfo) -> Iterator[Line]:
    yield from render_diagnostics(info.diagnostics)
    yield (f"Emulating Stripe at {info.url} (key: {info.api_key}); Ctrl-C stops it",)


@_render.register
def _(listed: DiagnosticList) -> Iterator[Line]:
    yield from render_rules(listed.rules)
    yield from render_diagnostics(listed.diagnostics)


@_render.register
def _(code: GeneratedCode) -> Iterator[Line]:
    yield from render_diagnostics(code.diagnostics)
    yield (f"Generated code for {count(len(code.meters), 'meter')}.",)


@_render.register
def _(check: CodeCheck) -> Iterator[Line]:
    yield from render_diagnostics(check.diagnostics)
    for file in check.files:
        state = ("current", Style.GREEN) if file.current else ("out of date", Style.RED)
        yield (f"{clean(file.file)}: ", Span(*state))


@_render.register
def _(published: Published) -> Iterator[Line]:
    yield from render_diagnostics(published.diagnostics)
    for each in published.posted:
        where = {"": "the project", "*": "all accounts"}.get(each.account, clean(each.account))
        said = "nothing posted" if each.action == "none" else each.action
        number = f" #{each.number}" if each.number else ""
        place = f" {clean(each.url)}" if each.url else ""
        yield (f"{published.target}{number}: {where}: {said}{place}",)
