"""Apply a plan: order, failures, stops, the mode of the first response."""

from __future__ import annotations

import pytest
from builders.fake_account import (
    Account,
    confirmed,
    followed_by,
    lost_answer,
    lost_request,
    raising,
    read_error,
    rejected,
    run_of,
)
from builders.meters import OWNING, decide_all, declare, existing, inactive, retire
from msgspec.structs import replace

from reconciler.diagnostics.errors import ServiceError
from reconciler.execution.executor import apply
from reconciler.model.project import AccountRef

MIXED = [
    declare("new"),
    declare("paused", display="Other"),
    declare("named", display="Other"),
    declare("old", retires=("mtr_o",)),
    retire("gone"),
    declare("odd"),
    declare("same"),
]
METERS = [
    inactive("mtr_w", "paused"),
    existing("mtr_n", "named"),
    existing("mtr_o", "old", formula="count"),
    existing("mtr_g", "gone"),
    existing("mtr_d", "odd", window="day"),
    existing("mtr_e", "same"),
    existing("mtr_x", "x"),
]
ORDER = [
    ("create", "new"),
    ("reactivate", "mtr_w"),
    ("update", "mtr_w"),
    ("update", "mtr_n"),
    ("deactivate", "mtr_o"),
    ("create", "old"),
    ("deactivate", "mtr_g"),
    ("deactivate", "mtr_x"),
]


def statuses(ended):
    """The status of each change, by event_name; None if there was nothing to do."""
    return {line.change.event_name: line.result and str(line.result.status) for line in ended}


def mixed(*script, workers=1, **more):
    account = Account(METERS, *script)
    run = run_of(account, *decide_all(MIXED, METERS, policy=OWNING), workers=workers, **more)
    return account, run, apply(run)


def test_changes_are_applied_in_the_order_of_the_actions():
    """Results are in the plan's order; keys have its numbers."""
    reported = []
    account, run, ended = mixed(on_result=reported.append)
    assert account.sent == ORDER
    assert account.keys == [f"{n}-1" for n in (1, 2, 3, 4, 5, 6, 8, 9)]
    assert [line.change for line in ended] == list(run.plan.changes)
    assert statuses(ended) == {
        **dict.fromkeys(["new", "paused", "named", "old", "gone", "x"], "done"),
        "odd": "skipped",
        "same": None,
    }
    assert [line for line in ended if line.change.action.writes] == reported
    (odd,) = (line.result.error for line in ended if line.change.event_name == "odd")
    assert (odd.code, odd.message) == ("A009", "'odd' was not applied: it is blocked")
    made = {line.change.event_name: line.result.meter_id for line in ended if line.result}
    assert (made["new"], made["old"], made["paused"]) == ("mtr_new_new", "mtr_new_old", "mtr_w")


def test_the_account_is_then_as_declared():
    """And nothing else in it has changed."""
    account, _, _ = mixed()
    active = {m.event_name: m for m in account.meters.values() if m.active}
    assert sorted(active) == ["named", "new", "odd", "old", "paused", "same"]
    for desired in MIXED[:4]:
        assert active[desired.event_name].meter == desired.meter
    for untouched in ("mtr_d", "mtr_e"):
        assert account.meters[untouched] in METERS


@pytest.mark.parametrize("failing", range(4))
@pytest.mark.parametrize("how", [rejected(), rejected(403), raising(ValueError())])
def test_after_a_failure_the_safe_changes_continue(failing, how):
    """Creates, reactivations and updates do; replacements and deactivations do not."""
    account, _, ended = mixed(*[confirmed()] * failing, how)
    left = [step for step in ORDER[:4] if step != ("update", "mtr_w") or failing != 1]
    assert account.sent == left
    became = statuses(ended)
    expected = "unknown" if how.__closure__ and "raising" in how.__qualname__ else "failed"
    assert became.pop(["new", "paused", "paused", "named"][failing]) == expected
    assert {became[name] for name in ("old", "gone", "x")} == {"skipped"}
    assert list(became.values()).count("done") == 2
    skipped = [line.result.error for line in ended if statuses([line]).popitem()[1] == "skipped"]
    assert {diagnostic.code for diagnostic in skipped if diagnostic.event_name != "odd"} == {"A007"}


def test_a_failed_deactivation_ends_those_after_it():
    account, _, ended = mixed(*[confirmed()] * 6, rejected())
    assert account.sent == ORDER[:7]
    assert (statuses(ended)["gone"], statuses(ended)["x"]) == ("failed", "skipped")


def test_a_reactivated_meter_whose_update_failed_is_not_done():
    """The meter stays active, which is the safer state."""
    account, _, ended = mixed(confirmed(), confirmed(), rejected())
    (line,) = (line for line in ended if line.change.event_name == "paused")
    assert line.result.status == "failed"
    assert [sent.result for sent in line.result.requests] == ["confirmed", "rejected"]
    assert account.meters["mtr_w"].active


def test_a_change_with_one_request_of_ours_is_done():
    """`already` means that there was nothing left to do."""
    meters = [inactive("mtr_w", "paused")]
    account = Account(meters)
    run = run_of(account, *decide_all([declare("paused", display="Other")], meters))
    account.put(existing("mtr_w", "paused", updated=1_790_000_001))
    (line,) = apply(run)
    assert (line.result.status, account.sent) == ("done", [("update", "mtr_w")])


def test_refused_changes_are_skipped_and_the_others_applied():
    """The others keep their numbers."""
    account = Account(METERS)
    run = run_of(account, *decide_all(MIXED, METERS), workers=1)
    marked = tuple(
        replace(line, refused_by=("G001", "G002")) if line.event_name in ("new", "old") else line
        for line in run.plan.changes
    )
    ended = apply(replace(run, plan=replace(run.plan, changes=marked)))
    assert account.sent == [step for step in ORDER if step[1] not in ("new", "mtr_o", "old")]
    assert account.keys == [f"{n}-1" for n in (2, 3, 4, 8, 9)]
    (line,) = (line for line in ended if line.change.event_name == "old")
    assert (line.result.status, line.result.error.code) == ("skipped", "A009")
    assert "refused by G001, G002" in line.result.error.message


def test_changes_already_in_effect_are_not_sent():
    there = {"new": "mtr_theirs", "gone": "mtr_g", "old": None}
    account, _, ended = mixed(already=there)
    assert account.sent == [ORDER[n] for n in (1, 2, 3, 7)]
    assert {statuses(ended)[name] for name in ("new", "gone", "old")} == {"already"}
    ids = {line.change.event_name: line.result and line.result.meter_id for line in ended}
    assert {name: ids[name] for name in there} == there


@pytest.mark.parametrize("after", range(9))
def test_a_stop_signal_ends_the_run_between_any_two_changes(after):
    """A change that has begun is finished: its name may have no active meter."""
    account = Account(METERS)
    run = run_of(account, *decide_all(MIXED, METERS), workers=1)
    ended = apply(replace(run, stopped=lambda: len(account.requests) >= after))
    ends = {"new": 1, "paused": 3, "named": 4, "old": 6, "gone": 7, "x": 8}
    starts = {"new": 0, "paused": 1, "named": 3, "old": 4, "gone": 6, "x": 7}
    begun = [name for name in ends if starts[name] < after]
    assert account.sent == ORDER[: ends[begun[-1]] if begun else 0]
    became = {name: "done" if name in begun else "skipped" for name in ends}
    assert statuses(ended) == {**became, "odd": "skipped", "same": None}


def crowd(count):
    return [declare(f"m{n:02}") for n in range(count)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_a_worker_that_dies_does_not_affect_other_results(error):
    _, _, ended = mixed(confirmed(), raising(error))
    became = statuses(ended)
    assert became["paused"] == "unknown"
    assert {became[name] for name in ("new", "named")} == {"done"}
    assert {became[name] for name in ("old", "gone", "x")} == {"skipped"}


def test_an_error_of_the_callback_does_not_interrupt_the_apply():

    def broken(_):
        raise BrokenPipeError

    account, _, ended = mixed(on_result=broken)
    assert account.sent == ORDER
    assert "unknown" not in statuses(ended).values()


@pytest.mark.parametrize("known", [None, False])
def test_the_first_response_determines_the_mode(known):
    """If it is the wrong one, nothing more is sent."""
    account = Account([])
    run = run_of(account, *decide_all(crowd(9), []), livemode=True)
    ended = apply(replace(run, plan=replace(run.plan, account=AccountRef("test", "acct_1", known))))
    became = list(statuses(ended).values())
    if known is None:
        assert account.sent == [("create", "m00")]
        assert became == ["failed"] + ["skipped"] * 8
    assert ended[0].result.error.code == "G006"


def test_no_request_is_outside_the_plan():
    for script in (
        [lost_request()] * 40,
        [rejected()] * 9,
        [lost_answer(), lost_request(), confirmed()] * 9,
        [confirmed()] * 9,
    ):
        account, run, _ = mixed(*script, workers=8)
        assert set(account.sent) <= {*ORDER, ("reactivate", "mtr_o")}
        assert all(
            key.startswith(f"reconciler-none-{run.plan.plan_id}-") for *_, key in account.requests
        )


def test_unreadable_meters_are_not_deactivated():
    account, _, ended = mixed(
        *[confirmed()] * 3,
        followed_by(confirmed(), lambda a: a.blind.update(read=read_error(ServiceError))),
    )
    assert account.sent == ORDER[:4]
    assert (statuses(ended)["old"], statuses(ended)["gone"]) == ("failed", "skipped")
