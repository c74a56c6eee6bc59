"""The order and the hashes of a plan."""

from __future__ import annotations

import pytest
from builders.meters import (
    OWNING,
    active_prices,
    decide_all,
    declare,
    existing,
    inactive,
    plan_of,
    retire,
)
from msgspec.structs import replace

from reconciler.model.change import Action
from reconciler.model.project import AccountRef, Policy
from reconciler.planning.plan import Target, is_intact, seal, sort_for_apply

NEW = declare("new")
BACK = declare("back", display="Other")
RENAMED = declare("named", display="Other")
REPLACED = declare("old", retires=("mtr_o",))
SWAPPED = declare("swap", retires=("mtr_s",))
EVERY = [NEW, BACK, RENAMED, REPLACED, SWAPPED, retire("gone"), declare("odd"), declare("same")]
ACCOUNT = [
    inactive("mtr_w", "back"),
    existing("mtr_n", "named"),
    existing("mtr_o", "old", formula="count"),
    existing("mtr_s", "swap", formula="count"),
    inactive("mtr_t", "swap", display="Was"),
    existing("mtr_g", "gone"),
    existing("mtr_d", "odd", window="day"),
    existing("mtr_e", "same"),
    existing("mtr_u", "unmanaged"),
    inactive("mtr_r", "retired"),
]
EVERY_CHANGE = decide_all(EVERY, ACCOUNT, policy=Policy())


def test_changes_are_in_the_order_of_apply():
    """And by event_name within one action."""
    assert [(str(change.action), change.event_name) for change in EVERY_CHANGE] == [
        ("create", "new"),
        ("reactivate", "back"),
        ("update", "named"),
        ("replace", "old"),
        ("replace", "swap"),
        ("deactivate", "gone"),
        ("blocked", "odd"),
        ("unmanaged", "unmanaged"),
        ("unchanged", "retired"),
        ("unchanged", "same"),
    ]
    assert sort_for_apply(EVERY_CHANGE[::-1]) == EVERY_CHANGE


def hashed(wants, found, prices=(), policy=OWNING, **more):
    return plan_of(*decide_all(wants, found, active_prices(*prices), policy), **more).plan_hash


BEFORE = ([declare(display="New"), declare("b")], [existing(), existing("mtr_b", "b")])


@pytest.mark.parametrize(
    ("wants", "account", "more"),
    [
        ([declare(display="New", line=90), declare("b", line=1)], BEFORE[1], {}),
        ([declare("b"), declare(display="New")], BEFORE[1], {}),
        (BEFORE[0], BEFORE[1][::-1], {}),
        (BEFORE[0], [*BEFORE[1], inactive("mtr_z", "z")], {}),
        (BEFORE[0], [existing(), existing("mtr_b", "b", updated=5)], {}),
        ([declare(display="New")], [existing()], {}),
        (*BEFORE, {"nonce": "other", "created_at": 5, "commit": "f" * 40}),
        (*BEFORE, {"tool_version": "9.9"}),
        (*BEFORE, {"account": AccountRef("test")}),
    ],
    ids=[
        "a declaration moved in its file",
        "declarations reordered",
        "listed in another order",
        "a retired name elsewhere",
        "an unchanged meter elsewhere",
        "an unchanged declaration removed",
        "made again",
        "another version of the tool",
        "a key that may not read its account",
    ],
)
def test_the_hash_is_the_same_for_the_same_changes_of_the_same_meters(wants, account, more):
    assert hashed(wants, account, **more) == hashed(*BEFORE)


def test_unmanaged_meters_elsewhere_keep_the_hash():
    """Where the policy does not deactivate them."""
    wants, account = BEFORE
    more = [*account, existing("mtr_x", "x")]
    assert hashed(wants, more, policy=Policy()) == hashed(wants, account, policy=Policy())


@pytest.mark.parametrize(
    ("wants", "account", "more"),
    [
        ([declare(display="Newer"), declare("b")], BEFORE[1], {}),
        (BEFORE[0], [existing(display="Edited"), existing("mtr_b", "b")], {}),
        (BEFORE[0], [existing(updated=7), existing("mtr_b", "b")], {}),
        (BEFORE[0], [existing("mtr_z"), existing("mtr_b", "b")], {}),
        (BEFORE[0], [*BEFORE[1], inactive("mtr_z")], {}),
        (BEFORE[0], [*BEFORE[1], existing("mtr_x", "x")], {}),
        (BEFORE[0], [existing(), existing("mtr_b", "b", formula="last")], {}),
        ([*BEFORE[0], declare("c")], BEFORE[1], {}),
        (*BEFORE, {"target": Target("other")}),
        (*BEFORE, {"target": Target(account_id="acct_2")}),
        (*BEFORE, {"target": Target(stripe_account="acct_2")}),
        (*BEFORE, {"target": Target(stripe_context="acct_2")}),
        (*BEFORE, {"target": Target(livemode=True)}),
    ],
    ids=[
        "another declaration",
        "a manual edit",
        "a manual edit, reverted",
        "another meter",
        "an inactive meter",
        "an owned meter to deactivate",
        "a blocked change",
        "one more declaration",
        "another account",
        "another account_id",
        "another stripe_account",
        "another context",
        "the other mode",
    ],
)
def test_the_hash_differs_for_other_changes_or_other_meters(wants, account, more):
    assert hashed(wants, account, **more) != hashed(*BEFORE)


def test_the_hash_depends_on_the_meter_to_reactivate():
    """Prices choose one of two, and an approval is for that one only."""
    others = [inactive("mtr_1", at=1), inactive("mtr_2", at=2)]
    assert hashed([declare()], others, ["p@mtr_1"]) != hashed([declare()], others, ["p@mtr_2"])
    old = existing("mtr_a", formula="count")
    desired = declare(retires=("mtr_a",))
    assert hashed([desired], [*others, old], ["p@mtr_1"]) != hashed([desired], [*others, old])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", 5),
        ("nonce", "x"),
        ("commit", "f" * 40),
        ("listed", ()),
        ("tool_version", "x"),
        ("complete", False),
        ("plan_hash", "0" * 64),
        ("plan_id", "0" * 32),
        ("changes", EVERY_CHANGE[1:]),
        ("account", AccountRef("test", "acct_2", livemode=False)),
    ],
)
def test_the_id_covers_everything_that_is_saved(field, value):
    """An edited plan does not load, and two plans never share keys."""
    plan = plan_of(*EVERY_CHANGE)
    edited = replace(plan, **{field: value})
    assert is_intact(plan)
    assert not is_intact(edited)
    assert seal(edited).plan_id != plan.plan_id or field in ("plan_hash", "plan_id")


def test_every_action_is_in_these_tests():
    assert {change.action for change in EVERY_CHANGE} == set(Action)
