"""The audit over every small world: it agrees with the plan, and no unserved price is missed."""

from __future__ import annotations

from itertools import product

from builders.meters import COMMANDS, OWNING, active_prices, declare, existing, inactive, retire

from reconciler.drift.findings import DriftInput, inspect
from reconciler.model.change import Action
from reconciler.model.finding import Kind
from reconciler.model.match import match_meters
from reconciler.model.project import Policy
from reconciler.planning.diff import decide

NOW = 1_790_000_000


def take_snapshot(names, prices, policy):
    return inspect(
        names, DriftInput(commands=COMMANDS, policy=policy, prices=active_prices(*prices), now=NOW)
    )


WANTS = [
    [],
    [declare()],
    [retire()],
    [declare(retires=("mtr_a", "mtr_j"))],
    [retire(accepts=("price_1",))],
]
ACTIVE = [
    [],
    [existing()],
    [existing(formula="count")],
    [existing(display="Other")],
    [existing(), existing("mtr_b")],
]
INACTIVE = [[], [inactive()], [inactive(), inactive("mtr_j", formula="count", at=NOW - 60)]]
PRICES = [[], ["price_1@mtr_a"], ["price_1@mtr_i"], ["price_1@mtr_i", "price_2@mtr_j"]]
WORLDS = [
    (desired, active + inactive, prices, policy)
    for desired, active, inactive in product(WANTS, ACTIVE, INACTIVE)
    for prices, policy in product(PRICES, [Policy(), OWNING])
    if desired or active or inactive
]


def test_audit_and_plan_never_disagree():
    """Whatever a plan would change is found; what it leaves alone is not, but for active prices
    on an inactive meter."""
    for desired, account, prices, policy in WORLDS:
        (names,) = match_meters(desired, account)
        line = take_snapshot(names, prices, policy)
        planned = decide(names, active_prices(*prices), policy)
        kinds = {finding.kind for finding in line.findings}
        if planned.action is Action.UNCHANGED:
            assert kinds <= {Kind.PRICE_ON_INACTIVE}
        else:
            assert kinds - {Kind.PRICE_ON_INACTIVE}
        assert all(finding.remediation for finding in line.findings)


def test_a_price_is_told_of_exactly_once_where_it_costs_revenue():
    """No active price on a meter that counts nothing goes unmentioned, unless it is accepted."""
    for desired, account, prices, policy in WORLDS:
        (names,) = match_meters(desired, account)
        found = take_snapshot(names, prices, policy).findings
        said = [price.id for finding in found for price in finding.prices]
        accepted = desired[0].accepted_prices if desired else ()
        off = {meter.id for meter in account if not meter.active}
        for word in prices:
            price, meter = word.split("@")
            if meter in off and price not in accepted:
                assert said.count(price) == 1, said
