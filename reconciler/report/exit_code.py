"""The exit codes of plan, apply, verification and drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics.diagnostic import Diagnostic, Effect, Level
from ..diagnostics.errors import Exit, select_worst
from ..model.change import Action, Change
from ..model.finding import DriftEntry, Severity
from .report import ChangeResult, ReportedChange, ResultStatus


def exit_code_for_plan(changes: Iterable[Change], diagnostics: Iterable[Diagnostic]) -> Exit:
    """REFUSED when a change is blocked or refused, or a guard found the wrong account or mode."""
    refused = any(change.action is Action.BLOCKED or change.refused_by for change in changes)
    return Exit.REFUSED if refused or _has_guard_error(diagnostics) else Exit.DONE


def _has_guard_error(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(
        d.effect in (Effect.GUARD, Effect.ACCOUNT) and d.level is Level.ERROR for d in diagnostics
    )


def exit_code_for_apply(changes: Iterable[ReportedChange], *also: Exit) -> Exit:
    """Return the exit code of an apply: of every result, and of what else happened."""
    return select_worst([*also, *_open_results(changes)])


def exit_code_for_verification(
    changes: Iterable[ReportedChange], unmet: Iterable[ReportedChange]
) -> Exit:
    """PARTIAL or FAILED where the account does not show a change that succeeded.

    FAILED where nothing was written: the changes had been found made already.
    """
    if not tuple(unmet):
        return Exit.DONE
    return Exit.PARTIAL if _has_written(change.result for change in changes) else Exit.FAILED


def _has_written(results: Iterable[ChangeResult | None]) -> bool:
    """Whether any request had, or may have had, an effect."""
    return any(request.wrote for each in results if each for request in each.requests)


def exit_code_for_drift(
    entries: Iterable[DriftEntry], diagnostics: Iterable[Diagnostic], fail_on: Severity
) -> Exit:
    """REFUSED by a guard; CHANGES for findings as bad as `fail_on`; else DENIED or FAILED.

    An expired exemption counts as a finding of severity LOW.
    """
    said = list(diagnostics)
    found = [entry.severity for entry in entries if entry.severity]
    found += [Severity.LOW for each in said if each.effect is Effect.FINDING]
    found += [Severity.REVENUE for each in said if each.effect is Effect.LOST_USAGE]
    if _has_guard_error(said):
        return Exit.REFUSED
    if any(severity.weight >= fail_on.weight for severity in found):
        return Exit.CHANGES
    errors = [each.effect for each in said if each.level is Level.ERROR]
    return select_worst(Exit.DENIED if each is Effect.DENIED else Exit.FAILED for each in errors)


def _open_results(changes: Iterable[ReportedChange]) -> Iterator[Exit]:
    """Yield the exit codes of the results that did not succeed; a skipped one has no cause."""
    every = [
        change.result for change in changes if change.result and not _is_withheld(change.change)
    ]
    open_ = [result for result in every if not result.status.succeeded]
    if open_ and _has_written(every):
        yield Exit.PARTIAL
    causes = [_classify(result) for result in open_ if result.status is not ResultStatus.SKIPPED]
    yield from causes or ([Exit.FAILED] if open_ else [])


def _is_withheld(change: Change) -> bool:
    """Whether a change was not to be sent; the exit code of the plan covers that."""
    return change.action is Action.BLOCKED or bool(change.refused_by)


def _classify(result: ChangeResult) -> Exit:
    if result.status is ResultStatus.UNKNOWN:
        return Exit.PARTIAL
    if result.status is ResultStatus.STALE:
        return Exit.STALE
    denied = result.error is not None and result.error.effect is Effect.DENIED
    return Exit.DENIED if denied else Exit.FAILED
