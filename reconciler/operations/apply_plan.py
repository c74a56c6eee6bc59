"""Apply a plan, then verify the account."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from enum import Enum

from msgspec.structs import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Diagnostic, Effect, Level
from ..diagnostics.errors import Exit
from ..execution.execute_step import ApplyContext
from ..execution.executor import apply, explain_blocked
from ..execution.protocol import NULL_JOURNAL, SIDE_BY_SIDE, Journal
from ..model.change import Change
from ..model.project import Account
from ..planning.diagnose import diagnose
from ..report.exit_code import exit_code_for_apply
from ..report.report import AccountReport, ChangeResult, ReportedChange, ResultStatus
from ..stripe.transport import API_VERSION, FORM
from .make_plan import Planned
from .session import Session
from .verify import Verification, verify

_LEAST_WORKERS = 8
_USUAL_TIME = 0.3  # seconds that Stripe takes for a request that writes


class OnRefused(Enum):
    """How to apply a plan with blocked or refused changes."""

    ABORT = "write nothing"
    SKIP = "apply the remaining changes"


def apply_plan(
    planned: Planned,
    session: Session,
    *,
    on_refused: OnRefused = OnRefused.ABORT,
    journal: Journal = NULL_JOURNAL,
    on_result: Callable[[ReportedChange], None] = lambda _: None,
    on_replacement: Callable[[Diagnostic], None] = lambda _: None,
) -> AccountReport:
    """Apply the changes of a plan, then read the account again and compare it with the plan.

    A plan with a blocked or refused change writes nothing unless `on_refused` is SKIP.
    `on_result` is called as each change ends, `on_replacement` before each replacement, with what
    to report if the process ends amid it. The report has the exit code of the command line.
    """
    report = planned.report
    if _is_aborted(planned, on_refused):
        return skip_changes(report, *_explain_abort(report))
    changes = apply(_build_context(planned, session, journal, on_result, on_replacement))
    what = "the account" if report.complete else "the evaluated part"
    recovery_command = build_recovery_command(session.account)
    verified = Verification(changes)
    if not session.stopped():
        verified = verify(changes, session, what, recovery_command)
    also = (verified.exit_code, Exit.INTERRUPTED if session.stopped() else Exit.DONE)
    return replace(
        report,
        changes=verified.changes,
        exit_code=exit_code_for_apply(verified.changes, report.exit_code, *also),
        diagnostics=(*report.diagnostics, *verified.diagnostics, *session.report_rate()),
    )


def select_changes(planned: Planned, on_refused: OnRefused) -> tuple[Change, ...]:
    """Return the changes of a plan that requests would be sent for."""
    if _is_aborted(planned, on_refused):
        return ()
    return tuple(
        change
        for change in planned.plan.changes
        if change.action.writes
        and not change.refused_by
        and change.event_name not in planned.already
    )


def _is_aborted(planned: Planned, on_refused: OnRefused) -> bool:
    if find_refusal(planned.report):
        return True
    return planned.report.exit_code is not Exit.DONE and on_refused is OnRefused.ABORT


def find_refusal(report: AccountReport) -> Diagnostic | None:
    """Return the error that refuses every change of the account, if there is one."""
    errors = (each for each in report.diagnostics if each.level is Level.ERROR)
    return next((each for each in errors if each.effect is Effect.ACCOUNT), None)


def _build_context(
    planned: Planned,
    session: Session,
    journal: Journal,
    on_result: Callable[[ReportedChange], None],
    on_replacement: Callable[[Diagnostic], None],
) -> ApplyContext:
    return ApplyContext(
        plan=planned.plan,
        meters=session.meters,
        journal=journal,
        clock=session.clock,
        livemode=session.account.livemode,
        stopped=session.stopped,
        on_result=on_result,
        on_replacement=on_replacement,
        recovery_command=build_recovery_command(session.account),
        already=planned.already,
        workers=count_workers(session.account),
    )


def count_workers(account: Account) -> int:
    """Return how many changes to apply concurrently: as many as reach the limit, at most 64.

    An emulator in this process is not faster with more than the least, and connected accounts
    share their limit.
    """
    if account.rate_limit is None or account.platform:
        return _LEAST_WORKERS
    wanted = math.ceil(account.rate_limit * _USUAL_TIME)
    return min(SIDE_BY_SIDE, max(_LEAST_WORKERS, wanted))


def skip_changes(report: AccountReport, why: str, hint: str) -> AccountReport:
    """Return the report of a plan of which nothing was applied, with a result for each change."""
    return replace(report, changes=tuple(_skip(each, why, hint) for each in report.changes))


def _skip(reported: ReportedChange, why: str, hint: str) -> ReportedChange:
    change = reported.change
    if not change.action.writes:
        return replace(reported, result=explain_blocked(change, hint))
    message = f"{change.event_name!r} was not applied: {why}"
    error = diagnose(change, rules.CHANGE_REFUSED, message, hint)
    return replace(reported, result=ChangeResult(ResultStatus.SKIPPED, error=error))


def _explain_abort(report: AccountReport) -> tuple[str, str]:
    """Return why nothing of a plan was applied, and what to do about it."""
    if refusal := find_refusal(report):
        return f"{refusal.code} refuses the whole account", "fix the error of the account"
    every = [reported.change for reported in report.changes]
    left = any(change.action.writes and not change.refused_by for change in every)
    return "the plan has refused changes", "" if left else "fix the errors of the refused changes"


def build_recovery_command(account: Account) -> str:
    """Return the command that reactivates a meter manually, with `{id}` for the meter's id.

    It is empty for an emulated account, which only this process can reach.
    """
    if account.emulator:
        return ""
    named = {
        "Content-Type": FORM,  # curl gives none to a POST without a body
        "Stripe-Version": API_VERSION,  # required for an organization's key
        "Stripe-Account": account.stripe_account,
        "Stripe-Context": account.stripe_context,
    }
    headers = "".join(f' -H "{name}: {value}"' for name, value in named.items() if value)
    url = f"{shlex.quote(account.api_base)}/v1/billing/meters/{{id}}/reactivate"
    return f'curl -X POST {url} -u "${account.api_key_env or "STRIPE_API_KEY"}:"{headers}'
