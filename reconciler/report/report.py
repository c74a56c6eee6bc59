"""The report of one run, which every format renders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic, Effect
from ..diagnostics.errors import Exit
from ..model.change import Action, Change
from ..model.finding import DriftEntry
from ..model.meter import Unreadable
from ..model.price import Price
from ..model.project import MeterConfig
from ..model.request import RequestRecord
from ..model.usage import UsageSampling
from .result import AccountResult, CommandResult

MOST_SHARDS = 10_000


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


class ChangeResult(Struct, frozen=True):
    """What became of one change of a plan."""

    status: ResultStatus
    requests: tuple[RequestRecord, ...] = ()
    error: Diagnostic | None = None
    meter_id: str | None = None  # where it differs from the planned one: a created meter's


class ReportedChange(Struct, frozen=True):
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


class Unlisted(Struct, frozen=True):
    """How many entries a drift report that was read back does not list: those without findings."""

    unchanged: int = 0
    unmanaged: int = 0


class PlanField(Struct, frozen=True):
    """One value that differs; None where a plan has none.

    `path` is `target.NAME` (the configured account), `desired.FIELD`, `existing` (the id of the
    meter that the change acts on), `reactivates`, `meters.ID.FIELD` or `refused_by`.
    """

    path: str
    approved: Any
    planned: Any


class PlanDifference(Struct, frozen=True, kw_only=True):
    """How the change of one event_name differs; an event_name of None is the account itself.

    The actions are None where a plan has no change of the event_name.
    """

    event_name: str | None
    approved: Action | None = None
    planned: Action | None = None
    fields: tuple[PlanField, ...] = ()


class AccountReport(AccountResult, frozen=True, kw_only=True):
    """The part of a report about one account: changes of plan and apply, or entries of drift.

    `position` is that among all selected accounts, in the report of a shard. `configuration` is a
    digest of what the files say about the account. A `carried_over` result is that of an earlier
    run. `differences` are those from the approved plan, where the plan was compared with one.
    """

    changes: tuple[ReportedChange, ...] = ()
    entries: tuple[DriftEntry, ...] = ()
    complete: bool = True
    plan_id: str | None = None
    plan_hash: str | None = None
    valid: tuple[MeterConfig, ...] = ()  # of validate: the declared meters
    sampling: UsageSampling | None = None  # of drift: the samples of usage
    differences: tuple[PlanDifference, ...] | None = None
    identified: bool | None = None
    unlisted: Unlisted = Unlisted()
    position: int | None = None
    configuration: str | None = None
    carried_over: bool = False

    @property
    def summary(self) -> dict[str, int]:
        """How many changes of each action, refused changes and ignored findings."""
        counts = count_changes(self.changes, self.entries)
        counts["unchanged"] += self.unlisted.unchanged
        counts["unmanaged"] += self.unlisted.unmanaged
        return counts


class Shard(Struct, frozen=True):
    """One of `count` parts of the selected accounts; `configuration` is a digest of the files."""

    index: int
    count: int
    configuration: str = ""

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


class Report(CommandResult, frozen=True, kw_only=True):
    """One run of one command. `diagnostics` are those of files and usage, in no account.

    `shard` is set where the run was for a part of the selected accounts, `tool_version` in a
    report that was read back.
    """

    command: str
    accounts: tuple[AccountReport, ...] = ()
    declared: int | None = None  # of validate: how many meters the files declare
    shard: Shard | None = None
    tool_version: str = ""

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
        total = Counter(count_changes(()))
        for account in self.accounts:
            total.update(account.summary)
        return dict(total)


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
    every = [each.change for each in changes]
    counts |= Counter([str(change.action) for change in every])
    counts["refused"] = sum([bool(change.refused_by) for change in every])
    for entry in entries:
        counts[str(Action.UNCHANGED)] += not (entry.findings or entry.unmanaged)
        counts[str(Action.UNMANAGED)] += entry.unmanaged
        for finding in entry.findings:
            counts["ignored"] += finding.exemption is not None
            counts[str(Action.UNMANAGED)] += finding.is_unmanaged
    return counts
