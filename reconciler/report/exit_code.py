"""What a plan, an apply and the closing look at the account add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import drift
from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit, worst
from ..model.change import Action, Change, Severity, weight
from .report import ChangeResult, ReportedChange, ResultStatus


def exit_code_for_plan(changes: Iterable[Change], diagnostics: Iterable[Diagnostic]) -> Exit:
    """REFUSED when a line is blocked or refused, or a guard found the wrong account or mode."""
    halted = any(change.action is Action.BLOCKED or change.refused_by for change in changes)
    return Exit.REFUSED if halted or _guarded(diagnostics) else Exit.DONE


def _guarded(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(p.code.startswith("G") and p.level is Level.ERROR for p in diagnostics)


def exit_code_for_apply(changes: Iterable[ReportedChange], *also: Exit) -> Exit:
    """The exit code of an apply: of every line's outcome, and what else happened (section 3)."""
    return worst([*also, *_unsettled(changes)])


def exit_code_for_verification(
    changes: Iterable[ReportedChange], unmet: Iterable[ReportedChange]
) -> Exit:
    """What the closing look adds: PARTIAL or FAILED where lines no longer stand as they ended.

    FAILED where all of them had only been found as wanted, and so nothing was written.
    """
    if not tuple(unmet):
        return Exit.DONE
    return Exit.PARTIAL if _wrote(change.result for change in changes) else Exit.FAILED


def _wrote(results: Iterable[ChangeResult | None]) -> bool:
    """Whether any request had, or may have had, an effect."""
    return any(request.wrote for each in results if each for request in each.requests)


def exit_code_for_drift(
    changes: Iterable[ReportedChange], diagnostics: Iterable[Diagnostic], fail_on: Severity
) -> Exit:
    """REFUSED by a guard; CHANGES where what counts is as bad as `fail_on`; FAILED for an error.

    An expired exemption is a finding of severity LOW.
    """
    said = list(diagnostics)
    found = [f.severity for change in changes for f in change.findings if not f.exemption]
    found += [Severity.LOW for each in said if each.code == drift.EXEMPTION_EXPIRED.code]
    if _guarded(said):
        return Exit.REFUSED
    if any(weight(degree) >= weight(fail_on) for degree in found):
        return Exit.CHANGES
    return Exit.FAILED if any(each.level is Level.ERROR for each in said) else Exit.DONE


def _unsettled(changes: Iterable[ReportedChange]) -> Iterator[Exit]:
    """What the lines that are not done amount to, one by one; what was skipped is no cause."""
    every = [change.result for change in changes if change.result and not _held(change.change)]
    open_ = [result for result in every if not result.status.succeeded]
    if open_ and _wrote(every):
        yield Exit.PARTIAL
    causes = [_cause(result) for result in open_ if result.status is not ResultStatus.SKIPPED]
    yield from causes or ([Exit.FAILED] if open_ else [])


def _held(change: Change) -> bool:
    """Whether a line was never to be sent; the plan's own exit code tells of that."""
    return change.action is Action.BLOCKED or bool(change.refused_by)


def _cause(result: ChangeResult) -> Exit:
    if result.status is ResultStatus.UNKNOWN:
        return Exit.PARTIAL
    if result.status is ResultStatus.STALE:
        return Exit.STALE
    denied = result.error is not None and result.error.code == rules.NOT_ALLOWED.code
    return Exit.DENIED if denied else Exit.FAILED
