"""What a report says of a change that is not done: which one, its location, and why."""

from __future__ import annotations

import logging

import pytest
from builders.fake_account import (
    API_ERROR,
    Account,
    confirmed,
    followed_by,
    lost_answer,
    lost_request,
    raising,
    record,
    rejected,
    replayed,
    run_of,
)
from builders.meters import decide_all, declare, existing, inactive, plan_of, retire
from msgspec.structs import replace

from reconciler.diagnostics.codes.applying import REJECTED_BY_API
from reconciler.diagnostics.errors import ServiceError, StoppedError
from reconciler.execution.execute_step import execute_step
from reconciler.execution.executor import apply
from reconciler.execution.steps import list_steps
from reconciler.model.project import AccountRef
from reconciler.model.request import Outcome, RequestRecord

A, B = declare("a", line=7), declare("b", line=9)
GONE = existing("mtr_g", "gone")


def errors_of(*script, wants=(A, B), meters=(), **more):
    """The error of each change that is not done, by event_name."""
    account = Account(meters, *script)
    run = run_of(account, *decide_all(list(wants), list(meters)), workers=1, **more)
    livemode_unknown = replace(run.plan, account=AccountRef("test", "acct_1", None))
    if more.get("livemode"):
        run = replace(run, plan=livemode_unknown)
    return {
        line.change.event_name: line.result.error
        for line in apply(run)
        if line.result and line.result.error
    }


FAILURES = {
    "refused": ([rejected()], {}, {"a": "create of 'a' failed: said the API (req_1)"}),
    "an internal error": (
        *([raising(ValueError())], {}),
        {"a": "create of 'a': internal error (ValueError)"},
    ),
    "a worker that dies": (
        [raising(KeyboardInterrupt())],
        {},
        {"a": "'a': internal error (KeyboardInterrupt)"},
    ),
    "another mode": (
        *([confirmed()], {"livemode": True}),
        {
            "a": "the response for 'a' is not from the configured mode",
            "b": "'b' was not applied: an earlier change failed",
        },
    ),
    "stopped before": (
        *([], {"stopped": lambda: True}),
        {name: f"{name!r} was not applied: the run was interrupted" for name in "ab"},
    ),
    "after a failure": (
        *([rejected(), confirmed()], {"wants": (A, B, retire("gone", line=11)), "meters": (GONE,)}),
        {
            "a": "create of 'a' failed: said the API (req_1)",
            "gone": "'gone' was not applied: an earlier change failed",
        },
    ),
    "interrupted on the way": (
        *([raising(StoppedError()), confirmed()], {}),
        {"a": "create of 'a': interrupted before its effect was known"},
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_the_error_of_every_change_that_is_not_done(case):
    """It has the event_name, and the location of its declaration."""
    script, more, messages = FAILURES[case]
    errors = errors_of(*script, **more)
    assert {name: error.message for name, error in errors.items()} == messages
    for name, error in errors.items():
        assert error.event_name == name
        assert error.location.line == {"a": 7, "b": 9, "gone": 11}[name]


def test_a_change_interrupted_before_its_only_request_is_skipped():
    asked = []
    account = Account([GONE])
    run = run_of(account, *decide_all([retire("gone")], [GONE]), workers=1)
    (line,) = apply(replace(run, stopped=lambda: len(asked) > 0 or asked.append(1)))
    assert (str(line.result.status), account.sent) == ("skipped", [])


def test_a_worker_that_dies_may_leave_a_replacement_incomplete():
    """The report gives the command that reactivates the old meter."""
    old = existing("mtr_o", formula="count")
    run = run_of(
        Account([old], confirmed(), raising(KeyboardInterrupt())),
        *decide_all([declare(retires=("mtr_o",))], [old]),
        recovery_command="reactivate {id}",
    )
    (line,) = apply(run)
    error = line.result.error
    assert (str(line.result.status), error.code, error.event_name) == ("unknown", "A005", "calls")
    assert "internal error (KeyboardInterrupt)" in error.message
    assert "reactivate mtr_o" in error.message + error.hint


def test_a_half_replaced_meter_is_reported_with_its_name():
    old = existing("mtr_o", formula="count")
    errors = errors_of(
        *(confirmed(), rejected(), rejected()), wants=[declare(retires=("mtr_o",))], meters=[old]
    )
    assert (errors["calls"].code, errors["calls"].event_name) == ("A005", "calls")


def one(desired, meters, *script, blind=None):
    """The result of the first request of a change, its account, and the run."""
    account = Account(meters, *script)
    run = run_of(account, *decide_all([desired], meters))
    account.blind = blind or {}
    step = list_steps(run.plan)["calls"][0]
    base = next((meter for meter in meters if meter.id == step.meter_id), None)
    return execute_step(step, base, run), account, run


def test_every_reason_of_an_unreadable_account_is_reported():
    error = ServiceError(replace(API_ERROR, message="one"), replace(API_ERROR, message="two"))
    part, *_ = one(declare(), [], lost_request(), blind={"find": error})
    assert part.error.message == "create of 'calls' could not be confirmed: one; two"


def test_an_internal_error_is_logged_with_its_traceback(caplog):
    with caplog.at_level(logging.DEBUG, "reconciler.execution.execute_step"):
        one(declare(), [], raising(ValueError("secret")))
    (logged,) = caplog.records
    assert logged.getMessage() == "create of 'calls' failed"
    assert logged.exc_info
    assert logged.exc_info[0] is ValueError


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda a: a.change("mtr_a", display_name="Theirs"),
            "'calls' (mtr_a) was changed by another client: now active, display_name 'Theirs'",
        ),
        (lambda a: a.meters.clear(), "'calls' (mtr_a) was changed by another client: not found"),
    ],
    ids=["renamed", "gone"],
)
def test_a_stale_change_describes_the_present_meter(edit, message):
    part, *_ = one(declare(display="New"), [existing()], followed_by(lost_request(), edit))
    assert (str(part.status), part.error.message) == ("stale", message)
    assert part.error.event_name == "calls"


def test_a_stale_create_names_the_created_meter():
    theirs = existing("mtr_t", formula="last", created=1_790_000_001)
    part, *_ = one(declare(), [], followed_by(rejected(), lambda a: a.put(theirs)))
    assert (
        part.error.message
        == "'calls' (mtr_t) was changed by another client: now active, display_name 'Calls'"
    )


def test_stored_responses_are_reported_as_such():
    part, *_ = one(declare(display="New"), [existing()], *[replayed(existing())] * 20)
    why = "only stored responses were returned, and the meter did not change"
    assert part.error.message == f"update of 'calls' failed: {why} ({', '.join(['req_1'] * 20)})"


def test_an_accepted_request_without_an_effect_is_reported_as_such():
    part, *_ = one(declare(display="New"), [existing()], *[confirmed(shows=existing())] * 4)
    assert "failed: Stripe accepted the request, but the meter did not change" in part.error.message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [(lost_request(), "no effect is visible"), (rejected(), REJECTED_BY_API.remedy)],
    ids=["lost", "rejected"],
)
def test_a_failure_says_what_to_do(answer, hint):
    part, *_ = one(declare(display="New"), [existing()], *[answer] * 9)
    assert part.error.code == REJECTED_BY_API.code
    assert part.error.hint.startswith(hint)


def test_a_request_id_that_the_message_has_is_not_repeated():
    said = replace(API_ERROR, message="no such meter (req_1)")
    answer = replace(rejected(404)(), error=said)
    part, *_ = one(declare(display="New"), [existing()], lambda *_: answer)
    assert part.error.message == "update of 'calls' failed: no such meter (req_1)"


def test_without_a_request_id_none_is_mentioned():
    part, *_ = one(declare(display="New"), [existing()], refused_without_id)
    assert part.error.message == "update of 'calls' failed: said the API"


def refused_without_id(*_):
    return replace(rejected()(), record=record(Outcome.REJECTED, 400, request_id=None))


def test_the_report_and_the_journal_have_every_request():
    script = [lost_request(500, attempts=3, doubts=3), lost_answer(429, doubts=0)]
    part, _, run = one(declare(display="New"), [existing()], *script)
    assert part.sent == (
        RequestRecord("update", "req_1", 3, Outcome.INDETERMINATE, 500, doubts=3),
        RequestRecord("update", "req_1", 1, Outcome.INDETERMINATE, 429),
    )
    key = f"reconciler-none-{run.plan.plan_id}-1-1"
    assert run.journal.changes == [("request", 1, key), ("indeterminate", 1, key)] * 2


def test_an_unsent_request_is_recorded_under_its_key():
    """The journal must not leave it open."""
    part, _, run = one(declare(), [], raising(StoppedError()))
    assert (str(part.status), part.sent) == ("skipped", ())
    (_, _, key), (word, _, same_key) = run.journal.changes
    assert (word, same_key) == ("not_sent", key)


def test_a_create_with_a_stored_response_is_read_by_its_id():
    """The list may lag."""
    made = existing("mtr_new", created=1_790_000_001)
    part, account, _ = one(
        declare(), [], lambda a, _: a.put(made) and replayed(made, attempts=2, doubts=1)(a, _)
    )
    assert (str(part.status), account.looks) == ("done", ["read"])


RENAMED = declare(display="New")


@pytest.mark.parametrize(
    ("answer", "looks"), [(confirmed(), 1), (lost_answer(), 2)], ids=["confirmed", "lost"]
)
def test_a_meter_reactivated_under_its_old_name_is_reactivated(answer, looks):
    """The update is the next request."""
    part, account, _ = one(RENAMED, [inactive("mtr_a")], answer)
    assert (str(part.status), account.looks) == ("done", ["read"] * looks)


def test_a_meter_reactivated_by_another_client_under_another_name_is_stale():
    account = Account([inactive("mtr_a")])
    run = run_of(account, *decide_all([RENAMED], [inactive("mtr_a")]))
    account.put(existing("mtr_a", display="Theirs", updated=1_790_000_001))
    part = execute_step(list_steps(run.plan)["calls"][0], inactive("mtr_a"), run)
    assert (str(part.status), account.sent) == ("stale", [])


def test_after_a_lost_create_the_list_is_read_once():
    """Without a wait: the next request follows anyway."""
    _, account, run = one(declare(), [], lost_request(), confirmed())
    assert account.looks == ["find"]
    assert run.clock.slept == [0.0, 2.0]


def test_a_replacement_by_an_inactive_duplicate_takes_three_numbers():
    meters = [existing("mtr_o", formula="count"), inactive("mtr_t")]
    (some,) = list_steps(plan_of(*decide_all([declare(retires=("mtr_o",))], meters))).values()
    assert [(step.n, str(step.operation), step.undoes) for step in some] == [
        (1, "deactivate", None),
        (2, "reactivate", None),
        (3, "reactivate", 1),
    ]
