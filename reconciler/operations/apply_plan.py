"""The story on one screen: read both sides, compare, judge; write, look again, say so."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from ..diagnostics.codes import applying as rules
from ..diagnostics.errors import Exit
from ..execution.execute_step import Run
from ..execution.executor import apply, blocked
from ..execution.protocol import UNWRITTEN, Notebook
from ..model.project import Account
from ..report.exit_code import after_apply
from ..report.report import AccountReport, Line, Outcome, OutcomeStatus
from ..stripe.transport import API_VERSION
from .make_plan import Planned
from .session import Session
from .verify import verify


class Refusals(Enum):
    """What an apply does about a plan with blocked or refused lines."""

    HALT = "write nothing"
    SKIP = "do the other lines"


def carry_out(
    planned: Planned,
    session: Session,
    *,
    refusals: Refusals = Refusals.HALT,
    notebook: Notebook = UNWRITTEN,
    told: Callable[[Line], None] = lambda _: None,
) -> AccountReport:
    """Do what was planned and nothing else, then look at the account again.

    A plan with a blocked or refused line writes nothing unless `refusals` is SKIP. `told`
    hears of every line as it ends. The exit code is the one of the command line.
    """
    report = planned.report
    if report.exit_code is not Exit.DONE and refusals is Refusals.HALT:
        return replace(report, lines=tuple(_untouched(line) for line in report.lines))
    lines = apply(_run(planned, session, notebook, told))
    what = "the account" if report.complete else "the part that was looked at"
    seen, also = ((), Exit.DONE) if session.stopped() else verify(lines, session, what)
    interrupted = Exit.INTERRUPTED if session.stopped() else Exit.DONE
    exit_code = after_apply(lines, report.exit_code, interrupted, also)
    return replace(report, lines=lines, exit_code=exit_code, problems=(*report.problems, *seen))


def _run(
    planned: Planned, session: Session, notebook: Notebook, told: Callable[[Line], None]
) -> Run:
    return Run(
        plan=planned.plan,
        changes=tuple(line.change for line in planned.report.lines),
        meters=session.meters,
        notebook=notebook,
        clock=session.clock,
        livemode=session.account.livemode,
        stopped=session.stopped,
        told=told,
        repair=recovery_command(session.account),
        already=planned.already,
        billing=lambda meter_id: session.prices.for_meters((meter_id,)),
    )


def _untouched(line: Line) -> Line:
    if not line.change.action.writes:
        return replace(line, outcome=blocked(line.change))
    message = f"{line.change.event_name!r} was not touched: the plan has refused lines"
    where, name = line.change.where, line.change.event_name
    error = rules.LINE_REFUSED(message, where, event_name=name)
    return replace(line, outcome=Outcome(OutcomeStatus.SKIPPED, error=error))


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
