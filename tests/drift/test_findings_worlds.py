"""Drift over every small account: it agrees with the plan, and no active price is missed."""

from __future__ import annotations

from itertools import product

from builders.meters import (
    NOW,
    OWNING,
    REPORTING,
    active_prices,
    decide_all,
    declare,
    existing,
    inactive,
    inspect_all,
    retire,
)

from reconciler.model.change import Action
from reconciler.model.finding import Kind

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
ACCOUNTS = [
    (desired, active + inactives, prices, policy)
    for desired, active, inactives in product(WANTS, ACTIVE, INACTIVE)
    for prices, policy in product(PRICES, [REPORTING, OWNING])
    if desired or active or inactives
]


def test_drift_and_plan_never_disagree():
    """Drift finds whatever a plan would change, and besides only prices on inactive meters."""
    for desired, account, prices, policy in ACCOUNTS:
        (entry,) = inspect_all(desired, account, *prices, policy=policy)
        (planned,) = decide_all(desired, account, active_prices(*prices), policy)
        kinds = {finding.kind for finding in entry.findings} - {Kind.PRICE_ON_INACTIVE}
        assert bool(kinds) is (planned.action is not Action.UNCHANGED)
        assert all(finding.remediation for finding in entry.findings)


def test_every_active_price_on_an_inactive_meter_is_in_one_finding():
    """Unless the declaration accepts it."""
    for desired, account, prices, policy in ACCOUNTS:
        (entry,) = inspect_all(desired, account, *prices, policy=policy)
        found = [price.id for finding in entry.findings for price in finding.prices]
        accepted = desired[0].accepted_prices if desired else ()
        off = {meter.id for meter in account if not meter.active}
        for price, meter in (word.split("@") for word in prices):
            if meter in off and price not in accepted:
                assert found.count(price) == 1, found
