"""Read two accounts and compare their meters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from ..diagnostics.codes import usage
from ..diagnostics.codes.config import SAME_ACCOUNT
from ..diagnostics.codes.planning import UNKNOWN_STATUS
from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit, UsageError
from ..diagnostics.suggest import suggest
from ..drift.parity import compare_accounts
from ..model.meter import ExistingMeter
from ..model.pattern import matches
from ..model.project import Account, Project
from ..planning.warnings import warn_of_unknown_fields
from ..report.comparison import Comparison
from ..report.result import AccountResult
from .session import Session
from .snapshot import check_account, take_snapshot


class AccountReading(AccountResult, frozen=True, kw_only=True):
    """The existing meters of one account."""

    existing: tuple[ExistingMeter, ...] = ()


def read_account(session: Session) -> AccountReading:
    """Read the meters of one account; REFUSED where it is not the configured account or mode."""
    existing = session.meters.list_all()
    snapshot = take_snapshot(session, (), existing)
    exit_code, said = check_account(session.account, snapshot)
    unknown = (
        (*_warn_of_status(meter), *warn_of_unknown_fields(meter.event_name, [meter]))
        for meter in existing
    )
    return AccountReading(
        account=snapshot.account,
        exit_code=exit_code,
        diagnostics=(*said, *session.report_rate(), *chain.from_iterable(unknown)),
        existing=existing,
    )


def _warn_of_status(meter: ExistingMeter) -> Iterator[Diagnostic]:
    if not meter.has_known_status:
        message = f"the status of {meter.id} is {meter.status!r}, which this version does not know"
        diagnostic = UNKNOWN_STATUS(message, event_name=meter.event_name)
        yield replace(diagnostic, level=Level.WARNING)


def join_readings(
    project: Project,
    accounts: tuple[Account, Account],
    readings: tuple[AccountReading, ...],
    only: tuple[str, ...],
) -> Comparison:
    """Compare two accounts; where one could not be read, nothing is said about any meter."""
    document = Comparison(
        accounts=readings,
        diagnostics=project.diagnostics,
        narrowed=bool(only),
    )
    a, b = readings
    if not document.compared:
        return document
    if _is_one_account(accounts, readings):
        names = " and ".join(f"`{each.name}`" for each in accounts)
        message = f"accounts {names} are the same account, {a.account.id}"
        said = (*document.diagnostics, SAME_ACCOUNT(message))
        return replace(document, diagnostics=said, own_exit=Exit.REFUSED)
    _check_patterns(only, (*a.existing, *b.existing))
    mapping = project.map_event_names(a.account.name, b.account.name)
    meters = compare_accounts(a.existing, b.existing, mapping, only)
    differ = any(each.parity.is_difference for each in meters)
    return replace(document, meters=meters, own_exit=Exit.CHANGES if differ else Exit.DONE)


def _check_patterns(only: tuple[str, ...], existing: tuple[ExistingMeter, ...]) -> None:
    """Raise UsageError for a pattern without a meter: nothing would differ because of a typo."""
    for pattern in only:
        if not any(matches(meter.event_name, (pattern,)) for meter in existing):
            message = f"--only {pattern!r} matches no meter of either account"
            close = suggest(pattern, (meter.event_name for meter in existing))
            hint = f"did you mean {close}?" if close else ""
            raise UsageError(usage.PATTERN_WITHOUT_MATCH(message, hint=hint))


def _is_one_account(
    accounts: tuple[Account, Account], readings: tuple[AccountReading, ...]
) -> bool:
    """Whether two keys reach the same account in the same mode; emulators have no own ids."""
    if any(each.emulator for each in accounts) or accounts[0].api_base != accounts[1].api_base:
        return False
    a, b = ((each.account.id, each.account.livemode) for each in readings)
    return a == b and a[0] is not None
