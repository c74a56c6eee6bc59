"""Lines and policy in, refusals out: what is not done although it could be.

A guard never changes what is planned; it adds its code to the lines it refuses and says why.
Consent is given by naming the thing in the reviewed files, never by a general switch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..diagnostics.codes import guards as rules
from ..diagnostics.diagnostic import Diagnostic, Level, Rule
from ..model.change import Action, Change
from ..model.meter import Unreadable
from ..model.pattern import matches
from ..model.price import unaccepted_prices
from ..model.project import AccountRef, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardInput:
    """All that guards look at besides the lines themselves.

    `needs_prices` are the event_names whose decision depends on prices; `expected_id` and
    `expected_livemode` are configured, `account` is what the key really reaches, `own_id`
    the key's own account (the acting one may be a connected account).
    """

    policy: Policy
    declared: int
    account: AccountRef
    own_id: str | Unreadable
    expected_id: str | None
    expected_livemode: bool
    unreadable_prices: Unreadable | None = None
    needs_prices: frozenset[str] = frozenset()


Refusal = tuple[Diagnostic, Callable[[Change], bool]]
"""A problem, and which lines it refuses."""


def check(
    changes: Iterable[Change], guard_input: GuardInput
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The same lines, each with the codes that refuse it, and a problem for every refusal."""
    changes = tuple(changes)
    refusals = [refusal for guard in _GUARDS for refusal in guard(changes, guard_input)]
    marked = tuple(_mark(change, refusals) for change in changes)
    return marked, tuple(diagnostic for diagnostic, _ in refusals)


def _mark(change: Change, refusals: Iterable[Refusal]) -> Change:
    by = [p.code for p, refuses in refusals if change.action.writes and refuses(change)]
    return replace(change, refused_by=tuple(dict.fromkeys(by)))


def _protected(changes: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    for change in changes:
        by_file = change.desired is not None and change.desired.protect
        if change.action.stops and (by_file or matches(change.event_name, at.policy.protect)):
            whose = "`protect: true`" if by_file else "policy.protect"
            yield _on_line(change, rules.PROTECTED, f"{whose} protects {change.event_name!r}")


def _few_stops(changes: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    stops = sum(change.action.stops for change in changes)
    if stops > at.policy.max_deactivations:
        meters = "1 meter" if stops == 1 else f"{stops} meters"
        diagnostic = rules.TOO_MANY_STOPS(
            f"{meters} would stop counting usage; the policy allows {at.policy.max_deactivations}"
        )
        yield diagnostic, lambda change: change.action.stops


def _not_from_nothing(changes: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    undeclared = sum(_stops_undeclared(change) for change in changes)
    if undeclared and not at.declared:
        diagnostic = rules.EMPTY_CONFIGURATION(
            f"no meter is declared, and {undeclared} undeclared would be deactivated"
        )
        yield diagnostic, _stops_undeclared


def _stops_undeclared(change: Change) -> bool:
    return change.desired is None and change.action is Action.DEACTIVATE


def _no_bill_unserved(changes: tuple[Change, ...], _: GuardInput) -> Iterator[Refusal]:
    for change in changes:
        open_ = unaccepted_prices(change.prices, change.desired)
        if not change.action.stops or not open_:
            continue
        listed = ", ".join(price.id for price in open_)
        consent = f"`accepts: {{active_prices: [{listed}]}}`"
        hint = (
            f"move the prices, or consent under this meter: {consent}"
            if change.desired
            else f"move the prices, or declare the meter `status: inactive` with {consent}"
        )
        message = f"active prices bill on {change.event_name!r}: {listed}"
        yield _on_line(change, rules.PRICES_BILL, message, hint)


def _prices_known(changes: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    if at.unreadable_prices is None:
        return
    for change in changes:
        if change.event_name in at.needs_prices and change.action.writes:
            yield _on_line(
                change,
                rules.PRICES_UNREADABLE,
                f"{change.action} of {change.event_name!r} depends on prices that the key may not "
                f"read (permission: {at.unreadable_prices.permission})",
            )


def _right_mode(_: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    if at.account.livemode is None or at.account.livemode == at.expected_livemode:
        return
    found, wanted = _mode(at.account.livemode), _mode(at.expected_livemode)
    message = f"account {at.account.name!r} is configured as {wanted}, but the key reaches {found}"
    yield rules.WRONG_MODE(message), lambda _: True


def _mode(livemode: object) -> str:
    return "live mode" if livemode else "test mode"


def _right_account(changes: tuple[Change, ...], at: GuardInput) -> Iterator[Refusal]:
    match at.expected_id, at.own_id:
        case None, _:
            return
        case expected, Unreadable(permission=permission):
            diagnostic = rules.ACCOUNT_UNREADABLE(
                f"account_id {expected} is configured for {at.account.name!r}, and the key may "
                f"not read its account (permission: {permission})"
            )
            writes = any(change.action.writes for change in changes)
            yield (
                replace(diagnostic, level=diagnostic.level if writes else Level.WARNING),
                lambda _: True,
            )
        case expected, own if expected != own:
            message = f"account {at.account.name!r} is configured as {expected}; the key is {own}'s"
            yield rules.WRONG_ACCOUNT(message), lambda _: True


def _on_line(change: Change, rule: Rule, message: str, hint: str = "") -> Refusal:
    diagnostic = rule(message, change.location, hint, change.event_name)
    return diagnostic, lambda other: other.event_name == change.event_name


_GUARDS: tuple[Callable[[tuple[Change, ...], GuardInput], Iterator[Refusal]], ...] = (
    _right_account,
    _right_mode,
    _not_from_nothing,
    _few_stops,
    _protected,
    _no_bill_unserved,
    _prices_known,
)
