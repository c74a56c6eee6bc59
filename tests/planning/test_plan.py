"""Order, requests, keys and names of a plan."""

from __future__ import annotations

from dataclasses import replace

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
from hypothesis import given
from hypothesis import strategies as st

from reconciler.execution.steps import KeyParts, Operation, build_key, list_steps, read_key
from reconciler.model.change import Action
from reconciler.model.project import AccountRef, Policy
from reconciler.planning.plan import Target, is_intact, seal, sort_for_apply

NEW = declare("new")
WOKEN = declare("woken", display="Other")
RENAMED = declare("named", display="Other")
REPLACED = declare("old", retires=("mtr_o",))
SWAPPED = declare("swap", retires=("mtr_s",))
EVERY = [NEW, WOKEN, RENAMED, REPLACED, SWAPPED, retire("gone"), declare("odd"), declare("same")]
ACCOUNT = [
    inactive("mtr_w", "woken"),
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
EVERY_LINE = decide_all(EVERY, ACCOUNT, policy=Policy())


def test_lines_come_in_the_order_of_apply():
    """Usage is never left without a meter; within one kind the names are in order."""
    assert [(str(line.action), line.event_name) for line in EVERY_LINE] == [
        ("create", "new"),
        ("reactivate", "woken"),
        ("update", "named"),
        ("replace", "old"),
        ("replace", "swap"),
        ("deactivate", "gone"),
        ("blocked", "odd"),
        ("unmanaged", "unmanaged"),
        ("unchanged", "retired"),
        ("unchanged", "same"),
    ]
    assert sort_for_apply(EVERY_LINE[::-1]) == EVERY_LINE


def test_every_request_has_its_number():
    """A rename after waking and a compensation are requests of their own."""
    found = {
        name: [(s.n, str(s.operation), s.meter_id, s.undoes) for s in some]
        for name, some in list_steps(plan_of(*EVERY_LINE)).items()
    }
    assert found == {
        "new": [(1, "create", None, None)],
        "woken": [(2, "reactivate", "mtr_w", None), (3, "update", "mtr_w", None)],
        "named": [(4, "update", "mtr_n", None)],
        "old": [
            (5, "deactivate", "mtr_o", None),
            (6, "create", None, None),
            (7, "reactivate", "mtr_o", 5),
        ],
        "swap": [
            (8, "deactivate", "mtr_s", None),
            (9, "reactivate", "mtr_t", None),
            (10, "update", "mtr_t", None),
            (11, "reactivate", "mtr_s", 8),
        ],
        "gone": [(12, "deactivate", "mtr_g", None)],
    }


def test_waking_a_meter_of_the_right_name_takes_no_rename():
    """Nor does waking one in the place of a replaced meter."""
    account = [
        inactive("mtr_1", "a"),
        existing("mtr_b", "b", formula="last"),
        inactive("mtr_2", "b"),
    ]
    plan = plan_of(*decide_all([declare("a"), declare("b", retires=("mtr_b",))], account))
    verbs = {name: [step.operation for step in some] for name, some in list_steps(plan).items()}
    assert verbs == {
        "a": [Operation.REACTIVATE],
        "b": [Operation.DEACTIVATE, Operation.REACTIVATE, Operation.REACTIVATE],
    }


def test_refused_lines_keep_their_numbers():
    """What is skipped does not move the keys of what is not."""
    plan = plan_of(*EVERY_LINE)
    refused = replace(plan, changes=tuple(replace(c, refused_by=("G001",)) for c in plan.changes))
    numbers = [[s.n for s in some] for some in list_steps(plan).values()]
    assert [[s.n for s in some] for some in list_steps(refused).values()] == numbers


@pytest.mark.parametrize(
    ("commit", "short"), [("0123456789abcdef" * 2 + "01234567", "0123456789ab"), (None, "none")]
)
def test_a_key_is_read_back_as_it_was_written(commit, short):
    """Commit, plan, request and attempt stand in it, in at most 255 printable characters."""
    plan = plan_of(*EVERY_LINE, commit=commit)
    step = list_steps(plan)["swap"][2]
    key = build_key(plan, step, 3)
    assert key == f"reconciler-{short}-{plan.plan_id}-10-3"
    assert read_key(key) == KeyParts(commit and short, plan.plan_id, 10, 3)
    assert len(key) <= 255


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "reconciler-none-0-1-1",
        f"reconciler-None-{'0' * 32}-1-1",
        f"reconciler-none-{'0' * 32}-1-1x",
        f"xreconciler-none-{'0' * 32}-1-1",
        f"reconciler-none-{'0' * 32}-1-1\n",
        f"reconciler-none-{'g' * 32}-1-1",
        "6f1ed002-ab5a-4d3e-8a39-1e9a0e1d2b9c",
        f"reconciler-none-{'0' * 32}-1-{'1' * 5000}",
    ],
)
def test_a_key_that_is_not_ours_says_nothing(foreign):
    """Attribution must not claim what another client did."""
    assert read_key(foreign) is None


@given(st.text(), st.text(alphabet="reconcil-0123456789abcdefno", max_size=80))
def test_reading_any_key_is_safe(some, similar):
    """Keys come from outside, in the account's events."""
    assert read_key(some) is None
    found = read_key(similar)
    assert found is None or str(found.n) in similar


def test_no_two_requests_or_attempts_share_a_key():
    """Within a plan, between its attempts, and between two plans of the same wish."""
    one, two = plan_of(*EVERY_LINE), plan_of(*EVERY_LINE, nonce="another")
    keys = {
        build_key(plan, step, attempt)
        for plan in (one, two)
        for some in list_steps(plan).values()
        for step in some
        for attempt in (1, 2, 11)
    }
    assert len(keys) == 2 * 12 * 3
    assert one.plan_hash == two.plan_hash
    assert one.plan_id != two.plan_id


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
        "a line moved in a file",
        "declarations reordered",
        "listed in another order",
        "a retired name elsewhere",
        "an unchanged meter elsewhere",
        "an unchanged declaration gone",
        "made again",
        "another version of the tool",
        "a key that may not read its account",
    ],
)
def test_the_hash_stays_while_the_meaning_stays(wants, account, more):
    """A re-plan of the same wish against the same meters has the approved hash."""
    assert hashed(wants, account, **more) == hashed(*BEFORE)


def test_unmanaged_meters_elsewhere_keep_the_hash():
    """Where the project stops nothing undeclared, others may come and go."""
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
        "another wish",
        "a hand edit",
        "a hand edit taken back",
        "another meter",
        "a twin",
        "an owned meter to stop",
        "a line that is blocked",
        "a declaration more",
        *("another account", "another account_id", "another stripe_account", "another context"),
        "the other mode",
    ],
)
def test_the_hash_moves_with_the_meaning(wants, account, more):
    """Whatever is asked differently, or of other meters, is another plan."""
    assert hashed(wants, account, **more) != hashed(*BEFORE)


def test_the_hash_says_which_twin_is_woken():
    """Two same twins: the prices choose one, and an approval holds for that one only."""
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
        ("changes", EVERY_LINE[1:]),
        ("account", AccountRef("test", "acct_2", livemode=False)),
    ],
)
def test_the_id_covers_everything_that_is_saved(field, value):
    """So that an edited plan does not load, and two plans never share keys."""
    plan = plan_of(*EVERY_LINE)
    edited = replace(plan, **{field: value})
    assert is_intact(plan)
    assert not is_intact(edited)
    assert seal(edited).plan_id != plan.plan_id or field in ("plan_hash", "plan_id")


def test_every_kind_of_action_is_in_these_tests():
    """A new kind must say where it stands and what it sends."""
    assert {line.action for line in EVERY_LINE} == set(Action)
