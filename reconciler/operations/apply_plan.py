"""The story on one screen: read both sides, compare, judge; write, look again, say so."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from ..diagnostics.codes import applying as rules
from ..diagnostics.errors import Exit
from ..execution.execute_step import ApplyContext
from ..execution.executor import apply, blocked
from ..execution.protocol import NULL_JOURNAL, Journal
from ..model.project import Account
from ..report.exit_code import exit_code_for_apply
from ..report.report import AccountReport, ChangeResult, ReportedChange, ResultStatus
from ..stripe.transport import API_VERSION
from .make_plan import Planned
from .session import Session
from .verify import verify


class OnRefused(Enum):
    """What an apply does about a plan with blocked or refused lines."""

    ABORT = "write nothing"
    SKIP = "do the other lines"


def apply_plan(
    planned: Planned,
    session: Session,
    *,
    on_refused: OnRefused = OnRefused.ABORT,
    journal: Journal = NULL_JOURNAL,
    on_result: Callable[[ReportedChange], None] = lambda _: None,
) -> AccountReport:
    """Do what was planned and nothing else, then look at the account again.

    A plan with a blocked or refused line writes nothing unless `on_refused` is SKIP. `told`
    hears of every line as it ends. The exit code is the one of the command line.
    """
    report = planned.report
    if report.exit_code is not Exit.DONE and on_refused is OnRefused.ABORT:
        return replace(report, changes=tuple(_untouched(change) for change in report.changes))
    changes = apply(_run(planned, session, journal, on_result))
    what = "the account" if report.complete else "the part that was looked at"
    snapshot, also = ((), Exit.DONE) if session.stopped() else verify(changes, session, what)
    interrupted = Exit.INTERRUPTED if session.stopped() else Exit.DONE
    exit_code = exit_code_for_apply(changes, report.exit_code, interrupted, also)
    return replace(
        report, changes=changes, exit_code=exit_code, diagnostics=(*report.diagnostics, *snapshot)
    )


def _run(
    planned: Planned,
    session: Session,
    journal: Journal,
    on_result: Callable[[ReportedChange], None],
) -> ApplyContext:
    return ApplyContext(
        plan=planned.plan,
        changes=tuple(change.change for change in planned.report.changes),
        meters=session.meters,
        journal=journal,
        clock=session.clock,
        livemode=session.account.livemode,
        stopped=session.stopped,
        on_result=on_result,
        recovery_command=recovery_command(session.account),
        already=planned.already,
        billing=lambda meter_id: session.prices.for_meters((meter_id,)),
    )


def _untouched(change: ReportedChange) -> ReportedChange:
    if not change.change.action.writes:
        return replace(change, result=blocked(change.change))
    message = f"{change.change.event_name!r} was not touched: the plan has refused lines"
    location, name = change.change.location, change.change.event_name
    error = rules.LINE_REFUSED(message, location, event_name=name)
    return replace(change, result=ChangeResult(ResultStatus.SKIPPED, error=error))


def recovery_command(account: Account) -> str:
    """The command that wakes a meter without this tool; `{id}` stands for the meter's id.

    Empty where the emulator stands in this process: nothing else reaches it.
    """
    if account.emulator:
        return ""
    named = {
        "Stripe-Version": API_VERSION,  # an organisation's key must name one
        "Stripe-Account": account.stripe_account,
        "Stripe-Context": account.stripe_context,
    }
    headers = "".join(f' -H "{name}: {value}"' for name, value in named.items() if value)
    url = f"{shlex.quote(account.api_base)}/v1/billing/meters/{{id}}/reactivate"
    return f'curl -X POST {url} -u "${account.api_key_env or "STRIPE_API_KEY"}:"{headers}'
