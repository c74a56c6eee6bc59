"""What a plan, an apply and the closing look at the account add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import drift
from ..diagnostics.diagnostic import Level, Problem
from ..diagnostics.errors import Exit, worst
from ..model.change import Action, Change, Severity, weight
from .report import Line, Outcome, OutcomeStatus


def after_plan(lines: Iterable[Change], problems: Iterable[Problem]) -> Exit:
    """REFUSED when a line is blocked or refused, or a guard found the wrong account or mode."""
    halted = any(line.action is Action.BLOCKED or line.refused_by for line in lines)
    return Exit.REFUSED if halted or _guarded(problems) else Exit.DONE


def _guarded(problems: Iterable[Problem]) -> bool:
    return any(p.code.startswith("G") and p.level is Level.ERROR for p in problems)


def after_apply(lines: Iterable[Line], *also: Exit) -> Exit:
    """The exit code of an apply: of every line's outcome, and what else happened (section 3)."""
    return worst([*also, *_unsettled(lines)])


def after_look(lines: Iterable[Line], unmet: Iterable[Line]) -> Exit:
    """What the closing look adds: PARTIAL or FAILED where lines no longer stand as they ended.

    FAILED where all of them had only been found as wanted, and so nothing was written.
    """
    if not tuple(unmet):
        return Exit.DONE
    return Exit.PARTIAL if _wrote(line.outcome for line in lines) else Exit.FAILED


def _wrote(outcomes: Iterable[Outcome | None]) -> bool:
    """Whether any request had, or may have had, an effect."""
    return any(request.wrote for each in outcomes if each for request in each.requests)


def after_audit(lines: Iterable[Line], problems: Iterable[Problem], fail_on: Severity) -> Exit:
    """REFUSED by a guard; CHANGES where what counts is as bad as `fail_on`; FAILED for an error.

    An expired exemption is a finding of severity LOW.
    """
    said = list(problems)
    found = [f.severity for line in lines for f in line.findings if not f.exemption]
    found += [Severity.LOW for each in said if each.code == drift.EXEMPTION_EXPIRED.code]
    if _guarded(said):
        return Exit.REFUSED
    if any(weight(degree) >= weight(fail_on) for degree in found):
        return Exit.CHANGES
    return Exit.FAILED if any(each.level is Level.ERROR for each in said) else Exit.DONE


def _unsettled(lines: Iterable[Line]) -> Iterator[Exit]:
    """What the lines that are not done amount to, one by one; what was skipped is no cause."""
    every = [line.outcome for line in lines if line.outcome and not _held(line.change)]
    open_ = [outcome for outcome in every if not outcome.status.settled]
    if open_ and _wrote(every):
        yield Exit.PARTIAL
    causes = [_cause(outcome) for outcome in open_ if outcome.status is not OutcomeStatus.SKIPPED]
    yield from causes or ([Exit.FAILED] if open_ else [])


def _held(line: Change) -> bool:
    """Whether a line was never to be sent; the plan's own exit code tells of that."""
    return line.action is Action.BLOCKED or bool(line.refused_by)


def _cause(outcome: Outcome) -> Exit:
    if outcome.status is OutcomeStatus.UNKNOWN:
        return Exit.PARTIAL
    if outcome.status is OutcomeStatus.STALE:
        return Exit.STALE
    denied = outcome.error is not None and outcome.error.code == rules.NOT_ALLOWED.code
    return Exit.DENIED if denied else Exit.FAILED
