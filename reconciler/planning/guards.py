"""Guards: refuse changes that could be applied, but must not be without consent.

A guard never alters what is planned. It adds its code to the changes it refuses and explains
why. Consent is given in the reviewed files, for each meter or price by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from ..diagnostics.codes import guards as rules
from ..diagnostics.diagnostic import Diagnostic, Level, Rule
from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import list_some
from ..model.change import Action, Change
from ..model.meter import Unreadable
from ..model.pattern import matches
from ..model.price import select_unaccepted
from ..model.project import Account
from ..model.snapshot import Snapshot
from .adoption import format_ids
from .diagnose import diagnose, note_override
from .prices import find_missing_permission, name_prices

Changes = tuple[Change, ...]
_SHOWN = 5  # ids that a message lists
Refusal = tuple[Diagnostic, Callable[[Change], bool]]
"""A diagnostic, and a predicate for the changes that it refuses."""


def check(
    changes: tuple[Change, ...], account: Account, snapshot: Snapshot
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """Return the changes with the codes that refuse them, and a diagnostic for each refusal."""
    refusals = [refusal for guard in _GUARDS for refusal in guard(changes, account, snapshot)]
    marked = tuple(_mark(change, refusals) for change in changes)
    return marked, tuple(diagnostic for diagnostic, _ in refusals)


def _mark(change: Change, refusals: list[Refusal]) -> Change:
    if not refusals and not change.refused_by:
        return change
    by = tuple(rule.code for rule, refuses in refusals if change.action.writes and refuses(change))
    return change if by == change.refused_by else replace(change, refused_by=by)


def _check_protected(changes: Changes, account: Account, _: Snapshot) -> Iterator[Refusal]:
    for change in changes:
        if not change.action.deactivates:
            continue
        by_file = _is_protected(change, account)
        if by_file or matches(change.event_name, account.policy.protect):
            setting = "`protect: true`" if by_file else "policy.protect"
            if by_file and change.desired:
                setting += note_override(change.desired, "protect")
            yield _refuse(change, rules.PROTECTED, f"{change.event_name!r} is protected: {setting}")


def _is_protected(change: Change, account: Account) -> bool:
    """Whether a file protects the meter; one that a saved plan calls undeclared may be declared."""
    if change.desired:
        return change.desired.protect
    return any(it.protect for it in account.declared if it.event_name == change.event_name)


def _check_max_deactivations(changes: Changes, account: Account, _: Snapshot) -> Iterator[Refusal]:
    count = sum(change.action.deactivates for change in changes)
    if count > account.policy.max_deactivations:
        meters = "1 meter" if count == 1 else f"{count} meters"
        diagnostic = rules.TOO_MANY_DEACTIVATIONS(
            f"{meters} would be deactivated; policy.max_deactivations allows "
            f"{account.policy.max_deactivations}"
        )
        yield diagnostic, lambda change: change.action.deactivates


def _check_empty_project(changes: Changes, account: Account, _: Snapshot) -> Iterator[Refusal]:
    count = sum(_is_undeclared_deactivation(change) for change in changes)
    if count and not account.declared:
        meters = "1 undeclared meter" if count == 1 else f"{count} undeclared meters"
        message = f"no meter is declared, and {meters} would be deactivated"
        yield rules.EMPTY_CONFIGURATION(message), _is_undeclared_deactivation


def _check_renames(changes: Changes, *_: object) -> Iterator[Refusal]:
    """Refuse what a rename in a file would do to the old event_name."""
    for change in filter(_is_undeclared_deactivation, changes):
        if new := change.renamed_to:
            name, (old, later) = repr(change.event_name), tell_apart(change.event_name, new)
            message = f"{name}{old} would be deactivated: no file declares it, and {new!r}{later} "
            message += "looks like "
            hint = f"keep {name} in the files; to deactivate it, declare it `status: inactive`"
            yield _refuse(change, rules.RENAMED, f"{message}its rename", hint)


def _check_unread_files(changes: Changes, account: Account, _: Snapshot) -> Iterator[Refusal]:
    """Refuse where a declaration was probably moved out of the files that the account reads."""
    for change in filter(_is_undeclared_deactivation, changes):
        files = [each.file for each in account.unread if each.mentions(change.event_name)]
        if files:
            message = f"{change.event_name!r} would be deactivated: no file that account "
            message += f"{account.name!r} reads declares it, but it is in {', '.join(files)}"
            yield _refuse(change, rules.FILE_NOT_READ, message)


def _is_undeclared_deactivation(change: Change) -> bool:
    return change.desired is None and change.action is Action.DEACTIVATE


def _check_prices_in_use(changes: Changes, *_: object) -> Iterator[Refusal]:
    for change in changes:
        prices = select_unaccepted(change.prices, change.desired)
        if not change.action.deactivates or not prices:
            continue
        accepted = change.desired.accepted_prices if change.desired else ()
        ids = format_ids([*accepted, *(price.id for price in prices)])
        consent = f"`accepts: {{prices: {ids}}}`"
        hint = (
            f"move the prices, or consent under this meter: {consent}"
            f"{note_override(change.desired, 'accepts')}"
            if change.desired
            else f"move the prices, or declare the meter `status: inactive` with {consent}"
        )
        if missing := find_missing_permission(prices):
            hint += f"; with the permission {missing}, archived prices without subscriptions "
            hint += "do not count"
        message = f"{change.event_name!r} has prices in use: {name_prices(prices)}"
        yield _refuse(change, rules.PRICES_IN_USE, message, hint)


def _check_prices_readable(changes: Changes, _: Account, snapshot: Snapshot) -> Iterator[Refusal]:
    if snapshot.unreadable is None:
        return
    for change in changes:
        if change.event_name in snapshot.needs_prices and change.action.writes:
            yield _refuse(
                change,
                rules.PRICES_UNREADABLE,
                f"{change.action} of {change.event_name!r} depends on prices that the key may not "
                f"read (permission: {snapshot.unreadable.permission})",
            )


def _check_mode(_: Changes, account: Account, snapshot: Snapshot) -> Iterator[Refusal]:
    if snapshot.account.livemode is None or snapshot.account.livemode == account.livemode:
        return
    yield report_wrong_mode(account, snapshot.foreign), lambda _: True


def report_wrong_mode(account: Account, foreign: tuple[str, ...]) -> Diagnostic:
    """Return the error that the key, or some of the listed objects, are of the other mode."""
    other, expected = _name_mode(not account.livemode), _name_mode(account.livemode)
    message = f"account {account.name!r} is configured for {expected}, but "
    if not foreign:
        return rules.WRONG_MODE(f"{message}the key is for {other}")
    verb = "is" if len(foreign) == 1 else "are"
    return rules.WRONG_MODE(f"{message}{list_some(foreign, _SHOWN)} {verb} in {other}")


def _name_mode(livemode: object) -> str:
    return "live mode" if livemode else "test mode"


def _check_account_id(changes: Changes, account: Account, snapshot: Snapshot) -> Iterator[Refusal]:
    match account.account_id, snapshot.own_id:
        case None, _:
            return
        case expected, Unreadable(permission=permission, title=title):
            named = f'"{title}" ({permission})' if title else permission
            diagnostic = rules.ACCOUNT_UNREADABLE(
                f"account {account.name!r} is configured as {expected}, but the key may not "
                f"read its account (permission: {permission})",
                hint=f"add the permission {named} to the restricted key",
            )
            writes = any(change.action.writes for change in changes)
            yield (
                replace(diagnostic, level=diagnostic.level if writes else Level.WARNING),
                lambda _: True,
            )
        case expected, own if expected != own:
            message = (
                f"account {account.name!r} is configured as {expected}, but the key belongs to "
                f"{own}"
            )
            yield rules.WRONG_ACCOUNT(message), lambda _: True


def _refuse(change: Change, rule: Rule, message: str, hint: str = "") -> Refusal:
    diagnostic = diagnose(change, rule, message, hint)
    return diagnostic, lambda other: other.event_name == change.event_name


_GUARDS: tuple[Callable[[Changes, Account, Snapshot], Iterator[Refusal]], ...] = (
    _check_account_id,
    _check_mode,
    _check_empty_project,
    _check_renames,
    _check_unread_files,
    _check_max_deactivations,
    _check_protected,
    _check_prices_in_use,
    _check_prices_readable,
)
