"""The requests of a plan, and their idempotency keys."""

from __future__ import annotations

import pytest
from builders.meters import decide_all, declare, existing, inactive, plan_of
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from planning.test_plan import EVERY_CHANGE

from reconciler.execution.steps import KeyParts, Operation, build_key, list_steps, read_key


def test_every_request_has_its_number():
    """So has the update after a reactivation, and a compensation."""
    found = {
        name: [(s.n, str(s.operation), s.meter_id, s.undoes) for s in some]
        for name, some in list_steps(plan_of(*EVERY_CHANGE)).items()
    }
    assert found == {
        "new": [(1, "create", None, None)],
        "back": [(2, "reactivate", "mtr_w", None), (3, "update", "mtr_w", None)],
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


def test_a_reactivated_meter_with_the_declared_display_name_is_not_updated():
    """Neither is one that replaces another meter."""
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


def test_refused_changes_keep_their_numbers():
    """Skipping them does not change the keys of other changes."""
    plan = plan_of(*EVERY_CHANGE)
    refused = replace(plan, changes=tuple(replace(c, refused_by=("G001",)) for c in plan.changes))
    numbers = [[s.n for s in some] for some in list_steps(plan).values()]
    assert [[s.n for s in some] for some in list_steps(refused).values()] == numbers


@pytest.mark.parametrize(
    ("commit", "short"), [("0123456789abcdef" * 2 + "01234567", "0123456789ab"), (None, "none")]
)
def test_a_key_has_commit_plan_request_and_attempt(commit, short):
    """In at most 255 characters."""
    plan = plan_of(*EVERY_CHANGE, commit=commit)
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
def test_a_key_of_another_client_is_not_read(foreign):
    assert read_key(foreign) is None


@given(st.text(), st.text(alphabet="reconcil-0123456789abcdefno", max_size=80))
def test_reading_any_key_is_safe(some, similar):
    """Events of the account have keys of any client."""
    assert read_key(some) is None
    found = read_key(similar)
    assert found is None or str(found.n) in similar


def test_no_two_requests_or_attempts_share_a_key():
    """Within a plan, and between two plans of the same changes."""
    one, two = plan_of(*EVERY_CHANGE), plan_of(*EVERY_CHANGE, nonce="another")
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
