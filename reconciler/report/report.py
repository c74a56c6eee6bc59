"""What a run has to say: accounts, lines, outcomes, problems. Every format is made from this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..diagnostics.codes.applying import HALF_REPLACED
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, worst
from ..model.change import Action, Change
from ..model.finding import Finding
from ..model.project import AccountRef, MeterConfig
from .documents import CommandResult


class ResultStatus(StrEnum):
    """What became of a line. `done` is only said of what was seen in the account."""

    DONE = "done"
    ALREADY = "already"  # somebody else, or an earlier run, had brought it about
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"  # the meter moved since it was read
    UNKNOWN = "unknown"  # sent, and nobody could see what came of it

    @property
    def succeeded(self) -> bool:
        """Whether the line now stands as the files want it."""
        return self in (ResultStatus.DONE, ResultStatus.ALREADY)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was sent: its verb, Stripe's request id, how many tries it took.

    `result` is `seen`, `refused` or `doubtful`; `wrote` whether it had, or may have had, an
    effect of its own.
    """

    operation: str
    request_id: str | None
    attempts: int
    result: str = "confirmed"
    wrote: bool = True


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of one line of a plan."""

    status: ResultStatus
    requests: tuple[RequestRecord, ...] = ()
    error: Diagnostic | None = None
    meter_id: str | None = None  # where it differs from the planned one: a created meter's


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """One event_name in a report: what is planned for it, and what came of it or was found.

    An audit puts the worst finding first in `findings`.
    """

    change: Change
    result: ChangeResult | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def ignored(self) -> bool:
        """Whether everything that was found here is exempt."""
        return bool(self.findings) and all(finding.exemption for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """All that a run has to say of one account."""

    account: AccountRef
    exit_code: Exit
    changes: tuple[ReportedChange, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = True
    plan_id: str | None = None
    plan_hash: str | None = None
    valid: tuple[MeterConfig, ...] = ()  # of a validation, which compares nothing: what it read

    def summary(self) -> dict[str, int]:
        """How many lines of each action, how many refused, how many findings ignored."""
        return summary(self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(CommandResult):
    """One run of one verb. Problems of files and usage stand here, the others at their account."""

    command: str
    accounts: tuple[AccountReport, ...] = ()
    declared: int | None = None  # how many meters the files declare, where that is the news

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return worst([self.own_exit, *(account.exit_code for account in self.accounts)])

    @property
    def complete(self) -> bool:
        """Whether everything was looked at; False when narrowed, unreadable or never begun."""
        return self.own_exit is Exit.DONE and all(each.complete for each in self.accounts)

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Those of the run, and of every account."""
        return (*self.diagnostics, *(said for each in self.accounts for said in each.diagnostics))

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """The replacements that stopped half-way."""
        results = (change.result for each in self.accounts for change in each.changes)
        errors = (result.error for result in results if result and result.error)
        return tuple(error for error in errors if error.code == HALF_REPLACED.code)

    def summary(self) -> dict[str, int]:
        """The same counts as of one account, over all of them."""
        return summary(change for account in self.accounts for change in account.changes)


def summary(changes: Iterable[ReportedChange]) -> dict[str, int]:
    """How many lines of each action, in order of apply, how many `refused`, findings `ignored`."""
    counts: dict[str, int] = {str(action): 0 for action in Action}
    counts |= {"refused": 0, "ignored": 0}
    for change in changes:
        counts[str(change.change.action)] += 1
        counts["refused"] += bool(change.change.refused_by)
        counts["ignored"] += sum(finding.exemption is not None for finding in change.findings)
    return counts
