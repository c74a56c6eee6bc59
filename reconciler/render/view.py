"""What every format shows of a report, computed once: formats only lay it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic, Effect, Level, Location
from ..diagnostics.shorten import shorten
from ..model.change import Action, Change, Risk
from ..model.finding import DriftEntry, Finding
from ..model.meter import ExistingMeter
from ..model.price import Price
from ..report.report import AccountReport, ChangeResult, Report, ReportedChange
from .differences import list_differences
from .facts import Fact, Field, describe_exemption, list_change_facts, list_fields
from .sum_up import sum_up
from .summary import Headline, summarize

_SIGN = {
    Action.CREATE: "+",
    Action.REACTIVATE: "↻",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DEACTIVATE: "-",
    Action.BLOCKED: "!",
    Action.UNMANAGED: "?",
    Action.UNCHANGED: "=",
}
_FEW = 5  # meters of one kind that are shown one by one
_EXAMPLES = 3
_LEVELS = list(Level)


class Status(StrEnum):
    """What became of an event_name, in one word, in the order of a legend."""

    IN_SYNC = "in sync"
    DONE = "done"
    IGNORED = "ignored"
    UNMANAGED = "unmanaged"
    TO_CHANGE = "to change"
    DRIFTED = "drifted"
    BLOCKED = "blocked"
    REFUSED = "refused"
    SKIPPED = "skipped"
    STALE = "stale"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Item(Struct, frozen=True, kw_only=True):
    """One event_name of a report: a change with its result, or a drift entry.

    `degree` is the risk that is left of a change, or the severity of an entry; `rank` orders the
    items of a report. `facts` and `fields` are those of the change; `diagnostics` leave out the
    error of its result. `priced` says that its prices were read to be shown.
    """

    account: str
    event_name: str
    status: Status
    degree: Risk
    rank: tuple[bool, int, int, str]
    location: Location | None
    meter_id: str | None
    reported: ReportedChange | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    findings: tuple[Finding, ...] = ()
    prices: tuple[Price, ...] = ()
    others: tuple[ExistingMeter, ...] = ()
    priced: bool = False

    @property
    def change(self) -> Change | None:
        """The change, None for an item of drift."""
        return self.reported.change if self.reported else None

    @property
    def result(self) -> ChangeResult | None:
        """What became of the change, None before it is applied."""
        return self.reported.result if self.reported else None

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the change."""
        return tuple(list_fields(self.reported.change)) if self.reported else ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts of the change; most items are not shown, and need none."""
        return tuple(list_change_facts(self.reported)) if self.reported else ()

    @property
    def name(self) -> str:
        """The event_name as it is shown."""
        return shorten(self.event_name)

    @property
    def shown(self) -> bool:
        """Whether there is more to show than that the meter is as declared."""
        foreign = self.status is Status.UNMANAGED and not (self.change or self.diagnostics)
        return self.priced or (self.status is not Status.IN_SYNC and not foreign)

    @property
    def ignored(self) -> bool:
        """Whether every finding is exempt."""
        return self.status is Status.IGNORED

    @property
    def incomplete(self) -> bool:
        """Whether a change is blocked, refused, or was not made."""
        return self.status in _INCOMPLETE

    @property
    def must_read(self) -> bool:
        """Whether no format may leave the item out."""
        return self.incomplete or self.degree in (Risk.HIGH, Risk.REVENUE)

    @property
    def routine(self) -> bool:
        """Whether it is a change without a risk, a failure or anything to say about it."""
        calm = all(said.level is Level.INFO for said in self.diagnostics)
        return self.change is not None and self.degree is Risk.NONE and not self.incomplete and calm

    @property
    def badge(self) -> str:
        """The degree in one word; the status where that says more."""
        if self.ignored or (self.incomplete and self.degree is Risk.NONE):
            return str(self.status)
        return str(self.degree)

    @property
    def error(self) -> Diagnostic | None:
        """Why the change was not made."""
        return self.result.error if self.result else None

    @property
    def sign(self) -> str:
        """The sign of the action, for formats that align actions by it."""
        return _SIGN[self.change.action] if self.change else ""

    @property
    def text(self) -> str:
        """The facts and fields of the change as lines, for formats without markup."""
        return "\n".join(map(str, (*self.facts, *self.fields)))

    @property
    def label(self) -> str:
        """What the item has in common with others like it; empty where it is shown by itself."""
        if self.ignored and (exemption := self.findings[0].exemption):
            return describe_exemption(exemption)
        alike = self.status in (Status.UNMANAGED, Status.DRIFTED) and not self.location
        if not alike or self.must_read or any(finding.exemption for finding in self.findings):
            return ""
        kinds = [finding.kind.replace("_", " ") for finding in self.findings] or [self.status]
        codes = dict.fromkeys(said.code for said in self.diagnostics)
        return ", ".join([*kinds, *codes])


_INCOMPLETE = (
    Status.BLOCKED,
    Status.REFUSED,
    Status.SKIPPED,
    Status.STALE,
    Status.UNKNOWN,
    Status.FAILED,
)


class Group(Struct, frozen=True):
    """Many items of the same kind, shown as one: a count and examples."""

    items: tuple[Item, ...]
    label: str

    @property
    def examples(self) -> tuple[str, ...]:
        """The first event_names."""
        return tuple(item.name for item in self.items[:_EXAMPLES])

    @property
    def more(self) -> str:
        """How many items are not among the examples."""
        return f"and {len(self.items) - len(self.examples):,} more"

    @property
    def title(self) -> str:
        """The number and the label, for formats without markup."""
        return f"{len(self.items):,} meters: {self.label}"

    @property
    def listing(self) -> str:
        """The examples as a sentence, for formats without markup."""
        return f"{', '.join(self.examples)} {self.more}; --format json lists all"


class AccountView(Struct, frozen=True):
    """One account: its headline, its items, and the diagnostics of no item that is shown.

    Many warnings of one kind are a few of them, and a last one that counts the rest.
    """

    report: AccountReport
    headline: Headline
    items: list[Item]
    unattached: list[Diagnostic]

    @property
    def name(self) -> str:
        """The name of the account."""
        return self.report.account.name


class View(Struct, frozen=True):
    """A report as every format shows it: its headline, its accounts, and the items of all.

    `unattached` are the diagnostics of the run and of its accounts, errors first, each with the
    name of the account where there are several.
    """

    report: Report
    headline: Headline
    accounts: list[AccountView]
    items: list[Item]
    unattached: list[tuple[str, Diagnostic]]

    @property
    def shown(self) -> list[Item]:
        """The items with more to show than that they are as declared."""
        return [item for item in self.items if item.shown]

    @property
    def has_several(self) -> bool:
        """Whether an item has to name its account."""
        return len(self.accounts) > 1

    @property
    def degree_name(self) -> str:
        """What the items are ordered by."""
        return "Severity" if self.report.command == "drift" else "Risk"


def build_view(report: Report, *, verbose: bool = False) -> View:
    """Return everything that a format shows of a report; `verbose` keeps every diagnostic."""
    tell = list if verbose else sum_up
    accounts = [build_account_view(each, report.command, tell) for each in report.accounts]
    loose = [("", diagnostic) for diagnostic in report.diagnostics]
    for view in accounts:
        loose += [(view.name if len(accounts) > 1 else "", each) for each in view.unattached]
    return View(
        report=report,
        headline=summarize(report, report.command),
        accounts=accounts,
        items=sorted((item for view in accounts for item in view.items), key=_get_rank),
        unattached=sorted(loose, key=lambda pair: _LEVELS.index(pair[1].level)),
    )


def build_account_view(
    account: AccountReport, command: str, tell: Callable[[Iterable[Diagnostic]], list[Diagnostic]]
) -> AccountView:
    """Return everything that a format shows of one account, the most important item first."""
    items = sorted(_build_items(account, tell), key=_get_rank)
    shown = {item.event_name for item in items if item.shown}
    unattached = [each for each in account.diagnostics if each.event_name not in shown]
    unattached.sort(key=lambda each: each.effect is not Effect.ACCOUNT)
    said = [*tell(unattached), *list_differences(account)]
    return AccountView(account, summarize(account, command), items, said)


_ORDER = {risk: -n for n, risk in enumerate(Risk)}  # the highest first


def _get_rank(item: Item) -> tuple[bool, int, int, str]:
    return item.rank


def _build_items(
    account: AccountReport, tell: Callable[[Iterable[Diagnostic]], list[Diagnostic]]
) -> Iterator[Item]:
    of_names: dict[str | None, list[Diagnostic]] = {}
    for diagnostic in account.diagnostics:
        of_names.setdefault(diagnostic.event_name, []).append(diagnostic)
    name = account.account.name
    shared = [each for each in of_names.get(None, []) if each.effect is not Effect.ACCOUNT]
    for each in account.changes:
        refusing = [said for said in shared if said.code in each.change.refused_by]
        own = of_names.get(each.change.event_name)
        said = (*refusing, *(tell(own) if own else ()))
        yield _build_change(name, each, said)
    for entry in account.entries:
        yield _build_entry(name, entry, tuple(tell(of_names.get(entry.event_name, []))))


def _build_change(account: str, reported: ReportedChange, said: tuple[Diagnostic, ...]) -> Item:
    change, result = reported.change, reported.result
    status = _find_status(reported)
    degree = Risk.NONE if status is Status.DONE else change.risk
    quiet = (Status.UNMANAGED, Status.IN_SYNC)
    known = change.existing.id if change.existing else None
    return Item(
        account=account,
        event_name=change.event_name,
        status=status,
        degree=degree,
        rank=(
            status not in _INCOMPLETE,
            _ORDER[degree],
            quiet.index(status) + 1 if status in quiet else 0,
            change.event_name,
        ),
        location=change.location,
        meter_id=(result.meter_id if result else None) or known,
        reported=reported,
        diagnostics=tuple(each for each in said if not result or each != result.error),
        prices=reported.known_prices,
        others=change.others,
        priced=reported.prices is not None,
    )


def _find_status(reported: ReportedChange) -> Status:
    change, result = reported.change, reported.result
    if result:
        return Status.DONE if result.status.succeeded else Status(result.status.value)
    if change.refused_by:
        return Status.REFUSED
    match change.action:
        case Action.UNCHANGED:
            return Status.IN_SYNC
        case Action.BLOCKED:
            return Status.BLOCKED
        case Action.UNMANAGED:
            return Status.UNMANAGED
    return Status.TO_CHANGE


def _build_entry(account: str, entry: DriftEntry, said: tuple[Diagnostic, ...]) -> Item:
    drifted = Status.IGNORED if entry.ignored else Status.DRIFTED
    quiet = Status.UNMANAGED if entry.unmanaged else Status.IN_SYNC
    degree = Risk(entry.severity.value) if entry.severity else Risk.NONE
    has_prices = any(finding.prices for finding in entry.findings if not finding.exemption)
    return Item(
        account=account,
        event_name=entry.event_name,
        status=drifted if entry.findings else quiet,
        degree=degree,
        rank=(
            True,
            _ORDER[degree],
            2 * (not entry.findings) + (not has_prices),
            entry.event_name,
        ),
        location=entry.location,
        meter_id=entry.meters[0].id if entry.meters else None,
        diagnostics=said,
        findings=entry.findings,
        prices=entry.prices,
        others=entry.meters[1:],
    )


def group_items(items: Iterable[Item]) -> list[Item | Group]:
    """Return the items, with many unmanaged or ignored ones as one group each."""
    every = list(items)
    alike: dict[str, list[Item]] = {}
    for item in every:
        if item.label:
            alike.setdefault(item.label, []).append(item)
    shown: list[Item | Group] = []
    for item in every:
        members = alike.get(item.label, [])
        if len(members) <= _FEW:
            shown.append(item)
        elif item is members[0]:
            shown.append(Group(tuple(members), item.label))
    return shown


def count_degrees(items: Iterable[Item]) -> list[tuple[Risk, int]]:
    """Count items by risk or severity, the highest first."""
    degrees = [item.degree for item in items]
    return [(each, degrees.count(each)) for each in reversed(Risk)]
