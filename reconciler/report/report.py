"""The report of one run, which every format renders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, Effect
from ..diagnostics.errors import Exit
from .result import AccountResult, CommandResult

if TYPE_CHECKING:
    from ..model.change import Change
    from ..model.finding import DriftEntry
    from ..model.meter import Unreadable
    from ..model.price import Price
    from ..model.project import MeterConfig
    from ..model.request import RequestRecord
    from ..model.usage import UsageSampling
    from .difference import PlanDifference


class ResultStatus(StrEnum):
    """What became of a change. `done` is only used for what the account shows."""

    DONE = "done"
    ALREADY = "already"  # made before, by another client or an earlier run
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"  # the meter changed since it was read
    UNKNOWN = "unknown"  # sent, and its effect could not be read

    @property
    def succeeded(self) -> bool:
        """Whether the account now matches the change."""
        return self in (ResultStatus.DONE, ResultStatus.ALREADY)


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of one change of a plan."""

    status: ResultStatus
    requests: tuple[RequestRecord, ...] = ()
    error: Diagnostic | None = None
    meter_id: str | None = None  # where it differs from the planned one: a created meter's


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """One change in a report; in a report of apply, with its result.

    `prices` are the prices in use on the existing meters of the event_name, where they were read
    to be shown.
    """

    change: Change
    result: ChangeResult | None = None
    prices: tuple[Price, ...] | Unreadable | None = None

    @property
    def known_prices(self) -> tuple[Price, ...]:
        """The prices in use that were read, at least those that the decision depends on."""
        return self.prices if isinstance(self.prices, tuple) else self.change.prices


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport(AccountResult):
    """The part of a report about one account: changes of plan and apply, or entries of drift.

    `differences` are those from the approved plan, where the plan was compared with one.
    """

    changes: tuple[ReportedChange, ...] = ()
    entries: tuple[DriftEntry, ...] = ()
    complete: bool = True
    plan_id: str | None = None
    plan_hash: str | None = None
    valid: tuple[MeterConfig, ...] = ()  # of validate: the declared meters
    sampling: UsageSampling | None = None  # of drift: the samples of usage
    differences: tuple[PlanDifference, ...] | None = None

    @property
    def summary(self) -> dict[str, int]:
        """How many changes of each action, refused changes and ignored findings."""
        return count_changes(self.changes, self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(CommandResult):
    """One run of one command. `diagnostics` are those of files and usage, in no account."""

    command: str
    accounts: tuple[AccountReport, ...] = ()
    declared: int | None = None  # of validate: how many meters the files declare

    @property
    def is_data(self) -> bool:
        """Whether the run was to write a file to standard output, and could not begin."""
        return self.command == "import"

    @property
    def complete(self) -> bool:
        """Whether everything was read; False when narrowed, unreadable or not begun."""
        return self.own_exit is Exit.DONE and all(each.complete for each in self.accounts)

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """The errors of results that say that usage is being lost now."""
        results = (change.result for each in self.accounts for change in each.changes)
        errors = (result.error for result in results if result and result.error)
        return tuple(error for error in errors if error.effect is Effect.LOSS)

    @property
    def summary(self) -> dict[str, int]:
        """The same counts over all accounts."""
        return count_changes(
            (change for account in self.accounts for change in account.changes),
            (entry for account in self.accounts for entry in account.entries),
        )


def count_changes(
    changes: Iterable[ReportedChange], entries: Iterable[DriftEntry] = ()
) -> dict[str, int]:
    """Count changes by action, in order of apply, then `refused` changes and `ignored` findings.

    Drift counts the entries without findings as unchanged, or as unmanaged where another project
    answers for them.
    """
    from ..model.change import Action  # `validate` has no changes to count

    counts: dict[str, int] = {str(action): 0 for action in Action}
    counts |= {"refused": 0, "ignored": 0}
    for change in changes:
        counts[str(change.change.action)] += 1
        counts["refused"] += bool(change.change.refused_by)
    for entry in entries:
        counts[str(Action.UNCHANGED)] += not (entry.findings or entry.unmanaged)
        counts[str(Action.UNMANAGED)] += entry.unmanaged
        for finding in entry.findings:
            counts["ignored"] += finding.exemption is not None
            counts[str(Action.UNMANAGED)] += finding.is_unmanaged
    return counts
