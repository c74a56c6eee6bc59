"""Lines and policy in, refusals out: what is not done although it could be.

A guard never changes what is planned; it adds its code to the lines it refuses and says why.
Consent is given by naming the thing in the reviewed files, never by a general switch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..diagnostics.codes import guards as rules
from ..diagnostics.diagnostic import Level, Problem, Rule
from ..model.change import Action, Change
from ..model.meter import Unreadable
from ..model.pattern import matches
from ..model.price import unaccepted
from ..model.project import AccountRef, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
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


Refusal = tuple[Problem, Callable[[Change], bool]]
"""A problem, and which lines it refuses."""


def check(
    changes: Iterable[Change], situation: Situation
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """The same lines, each with the codes that refuse it, and a problem for every refusal."""
    lines = tuple(changes)
    refusals = [refusal for guard in _GUARDS for refusal in guard(lines, situation)]
    marked = tuple(_mark(line, refusals) for line in lines)
    return marked, tuple(problem for problem, _ in refusals)


def _mark(line: Change, refusals: Iterable[Refusal]) -> Change:
    by = [p.code for p, refuses in refusals if line.action.writes and refuses(line)]
    return replace(line, refused_by=tuple(dict.fromkeys(by)))


def _protected(lines: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    for line in lines:
        by_file = line.want is not None and line.want.protect
        if line.action.stops and (by_file or matches(line.event_name, at.policy.protect)):
            whose = "`protect: true`" if by_file else "policy.protect"
            yield _on_line(line, rules.PROTECTED, f"{whose} protects {line.event_name!r}")


def _few_stops(lines: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    stops = sum(line.action.stops for line in lines)
    if stops > at.policy.max_deactivations:
        meters = "1 meter" if stops == 1 else f"{stops} meters"
        problem = rules.TOO_MANY_STOPS(
            f"{meters} would stop counting usage; the policy allows {at.policy.max_deactivations}"
        )
        yield problem, lambda line: line.action.stops


def _not_from_nothing(lines: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    undeclared = sum(_stops_undeclared(line) for line in lines)
    if undeclared and not at.declared:
        problem = rules.EMPTY_CONFIGURATION(
            f"no meter is declared, and {undeclared} undeclared would be deactivated"
        )
        yield problem, _stops_undeclared


def _stops_undeclared(line: Change) -> bool:
    return line.want is None and line.action is Action.DEACTIVATE


def _no_bill_unserved(lines: tuple[Change, ...], _: Situation) -> Iterator[Refusal]:
    for line in lines:
        open_ = unaccepted(line.prices, line.want)
        if not line.action.stops or not open_:
            continue
        listed = ", ".join(price.id for price in open_)
        consent = f"`accepts: {{active_prices: [{listed}]}}`"
        hint = (
            f"move the prices, or consent under this meter: {consent}"
            if line.want
            else f"move the prices, or declare the meter `status: inactive` with {consent}"
        )
        message = f"active prices bill on {line.event_name!r}: {listed}"
        yield _on_line(line, rules.PRICES_BILL, message, hint)


def _prices_known(lines: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    if at.unreadable_prices is None:
        return
    for line in lines:
        if line.event_name in at.needs_prices and line.action.writes:
            yield _on_line(
                line,
                rules.PRICES_UNREADABLE,
                f"{line.action} of {line.event_name!r} depends on prices that the key may not "
                f"read (permission: {at.unreadable_prices.permission})",
            )


def _right_mode(_: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    if at.account.livemode is None or at.account.livemode == at.expected_livemode:
        return
    found, wanted = _mode(at.account.livemode), _mode(at.expected_livemode)
    message = f"account {at.account.name!r} is configured as {wanted}, but the key reaches {found}"
    yield rules.WRONG_MODE(message), lambda _: True


def _mode(livemode: object) -> str:
    return "live mode" if livemode else "test mode"


def _right_account(lines: tuple[Change, ...], at: Situation) -> Iterator[Refusal]:
    match at.expected_id, at.own_id:
        case None, _:
            return
        case expected, Unreadable(permission=permission):
            problem = rules.ACCOUNT_UNREADABLE(
                f"account_id {expected} is configured for {at.account.name!r}, and the key may "
                f"not read its account (permission: {permission})"
            )
            writes = any(line.action.writes for line in lines)
            yield replace(problem, level=problem.level if writes else Level.WARNING), lambda _: True
        case expected, own if expected != own:
            message = f"account {at.account.name!r} is configured as {expected}; the key is {own}'s"
            yield rules.WRONG_ACCOUNT(message), lambda _: True


def _on_line(line: Change, rule: Rule, message: str, hint: str = "") -> Refusal:
    problem = rule(message, line.where, hint, line.event_name)
    return problem, lambda other: other.event_name == line.event_name


_GUARDS: tuple[Callable[[tuple[Change, ...], Situation], Iterator[Refusal]], ...] = (
    _right_account,
    _right_mode,
    _not_from_nothing,
    _few_stops,
    _protected,
    _no_bill_unserved,
    _prices_known,
)
