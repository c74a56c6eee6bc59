"""One request until its effect is known: every answer to every operation."""

from __future__ import annotations

import pytest
from builders.fake_account import (
    NOW,
    Account,
    confirmed,
    followed_by,
    lost_answer,
    lost_request,
    raising,
    read_error,
    rejected,
    replayed,
    run_of,
)
from builders.meters import decide_all, declare, existing, inactive, retire
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.diagnostics.errors import AuthError, ServiceError
from reconciler.execution.execute_step import KEYS, execute_step
from reconciler.execution.steps import list_steps

ON, OFF = existing(), inactive("mtr_a")
NEW = replace(existing("mtr_new_calls"), created=NOW, updated=NOW)
OPERATIONS = {
    "create": (declare(), []),
    "update": (declare(display="New"), [ON]),
    "deactivate": (retire(), [ON]),
    "reactivate": (declare(), [OFF]),
}
WANTED = {
    "create": NEW,
    "update": existing(display="New", updated=NOW),
    "deactivate": inactive("mtr_a"),
    "reactivate": existing(updated=NOW),
}
CHANGING = ("update", "deactivate", "reactivate")
BEFORE = {"create": None, "update": ON, "deactivate": ON, "reactivate": OFF}
# What a response without an effect shows: the meter before it.
STILL = {**BEFORE, "create": replace(NEW, status="inactive")}
ELSE = {
    "create": replace(NEW, display_name="Theirs"),
    "update": existing(display="Theirs"),
    "deactivate": existing(display="Theirs"),
    "reactivate": inactive("mtr_a", display="Theirs"),
}


def put(meter):
    return lambda account: account.put(meter)


def gone(account):
    account.meters.clear()


def executed(operation, *script, blind=None, **more):
    """The result of one request, and the account after it."""
    desired, account = OPERATIONS[operation]
    account = Account(account, *script)
    account.blind = blind or {}
    run = run_of(account, *decide_all([desired], tuple(account.meters.values())), **more)
    step = list_steps(run.plan)["calls"][0]
    assert str(step.operation) == operation
    return execute_step(step, BEFORE[operation], run), account, run


# case: script by operation -> status, attempt numbers of the keys used
KNOWN = {
    "confirmed": (lambda v: [confirmed()], "done", "1"),
    "confirmed, but the response shows the old state": (
        *(lambda v: [followed_by(confirmed(shows=STILL[v]), put(WANTED[v]))],),
        *("done", "1"),
    ),
    "confirmed, but without effect": (lambda v: [confirmed(shows=STILL[v])], "done", "12"),
    "stored, in effect": (
        *(lambda v: [followed_by(replayed(WANTED[v]), put(WANTED[v]))],),
        *("done", "1"),
    ),
    "denied, in effect": (lambda v: [lost_answer(403)], "done", "1"),
    "stored, of our own first attempt": (
        *(lambda v: [followed_by(replayed(WANTED[v], 2, 1), put(WANTED[v]))],),
        *("done", "1"),
    ),
    "stored, without effect": (lambda v: [replayed(WANTED[v])], "done", "12"),
    "stored, changed by another client": (
        *(lambda v: [followed_by(replayed(ELSE[v]), put(ELSE[v]))],),
        *("stale", "1"),
    ),
    "rejected, already in effect": (
        lambda v: [followed_by(rejected(), put(WANTED[v]))],
        "already",
        "1",
    ),
    "rejected": (lambda v: [rejected()], "failed", "1"),
    "rejected, changed by another client": (
        *(lambda v: [followed_by(rejected(), put(ELSE[v]))],),
        *("stale", "1"),
    ),
    "stored rejection": (lambda v: [rejected(replayed=True)], "done", "12"),
    "stored denial": (lambda v: [rejected(401, replayed=True)], "done", "12"),
    "stored rejection, then a new one": (
        *(lambda v: [rejected(replayed=True), rejected()],),
        *("failed", "12"),
    ),
    "stored rejection, already in effect": (
        *(lambda v: [followed_by(rejected(replayed=True), put(WANTED[v]))],),
        *("already", "1"),
    ),
    "rejected with 402": (lambda v: [rejected(402)], "failed", "1"),
    "no response, in effect": (lambda v: [lost_answer()], "done", "1"),
    "500 after the effect": (lambda v: [lost_answer(500)], "done", "1"),
    "409, in effect": (lambda v: [lost_answer(409)], "done", "1"),
    "429, in effect": (lambda v: [followed_by(lost_request(429), put(WANTED[v]))], "already", "1"),
    "no response, no effect": (lambda v: [lost_request()], "done", "11"),
    "409, no effect": (lambda v: [lost_request(409)], "done", "11"),
    "429, no effect": (lambda v: [lost_request(429)], "done", "11"),
    "500, no effect, and stored": (
        *(lambda v: [lost_request(500), lost_request(500, replayed=True)],),
        *("done", "112"),
    ),
    "stored 500": (lambda v: [lost_request(500, replayed=True)], "done", "12"),
    "stored 500 after the effect": (lambda v: [lost_answer(500, replayed=True)], "done", "1"),
    "no response, changed by another client": (
        *(lambda v: [followed_by(lost_request(), put(ELSE[v]))],),
        *("stale", "1"),
    ),
    "no response ever": (lambda v: [lost_request()] * 9, "failed", "1111"),
    "always 429": (lambda v: [lost_request(429)] * 9, "failed", "1111"),
    "stored 500s of two earlier runs": (
        lambda v: [lost_request(500, replayed=True)] * 8,
        "done",
        "123456789",
    ),
    "500s that the second attempt returns": (
        *(lambda v: [lost_request(500, replayed=True, attempts=2)] * 9, "failed", "1234"),
    ),
    "stored 500s, then new ones": (
        *(
            lambda v: [lost_request(500, replayed=True)] * 2 + [lost_request(500)] * 9,
            "failed",
            "123333",
        ),
    ),
    "always stored 500s": (
        lambda v: [lost_request(500, replayed=True)] * 99,
        "failed",
        range(1, KEYS + 1),
    ),
    "always stored responses": (lambda v: [replayed(STILL[v])] * 99, "failed", range(1, KEYS + 1)),
    "the last request succeeds": (lambda v: [lost_request()] * 3, "done", "1111"),
    "the last request had an effect": (
        lambda v: [lost_request()] * 3 + [lost_answer()],
        "done",
        "1111",
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("case", KNOWN)
def test_the_result_of_an_answer(case, operation):
    """`done` needs proof; a stored response takes the next attempt number, a lost one does not."""
    script, status, attempts = KNOWN[case]
    part, account, run = executed(operation, *script(operation))
    assert (str(part.status), account.keys) == (status, [f"1-{n}" for n in attempts])
    assert len(part.sent) == len(attempts)
    assert (part.error is None) is part.status.succeeded
    if part.status.succeeded:
        assert part.existing in account.meters.values()
    noted = [(kind, key.rsplit("-", 1)[1]) for kind, _, key in run.journal.changes]
    numbers = [str(n) for n in attempts]
    assert [n for kind, n in noted if kind == "request"] == numbers
    assert [n for kind, n in noted if kind != "request"] == numbers


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fresh_answer_is_enough(operation):
    """One request, and a read before it where it changes an existing meter; none after it."""
    _, account, _ = executed(operation)
    assert account.looks == (["read"] if operation in CHANGING else [])


@pytest.mark.parametrize("operation", ["update", "deactivate", "reactivate"])
def test_a_missing_meter_is_stale(operation):
    part, account, _ = executed(operation, followed_by(rejected(404), gone))
    assert (str(part.status), account.keys) == ("stale", ["1-1"])
    assert part.error.code == "A002"
    assert "not found" in part.error.message


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_denied_key_ends_the_step_if_the_account_shows_no_effect(operation, status):
    """The answer may be that of a gateway; a list may lag."""
    part, account, _ = executed(operation, rejected(status))
    assert (str(part.status), part.error.code, account.keys) == ("failed", "A011", ["1-1"])
    assert not part.sent[0].wrote
    assert account.looks == (["find"] * 4 if operation == "create" else ["read", "read"])
    assert part.error.hint == "use a valid key with the permission billing_meter_write"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denial_after_an_open_attempt_leaves_it_open(operation):
    part, *_ = executed(operation, rejected(401, attempts=2, doubts=2))
    assert (str(part.status), part.error.code, part.sent[0].wrote) == ("failed", "A011", True)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("answer", "blind"),
    [
        (lost_request(), ServiceError),
        (lost_answer(500), ServiceError),
        (lost_request(), AuthError),
        (rejected(400, doubts=1), ServiceError),
        (lost_request(429, doubts=1), ServiceError),
        (rejected(401), AuthError),
        (rejected(403), ServiceError),
    ],
)
def test_what_cannot_be_read_is_unknown(operation, answer, blind):
    """`failed` needs proof that nothing was done."""
    both = {"read": read_error(blind), "find": read_error(blind)}
    part, account, _ = executed(
        operation, followed_by(answer, lambda account: account.blind.update(both))
    )
    assert (str(part.status), account.keys) == ("unknown", ["1-1"])
    assert part.error.code == ("A011" if blind is AuthError else "A004")
    assert "no answer" in part.error.message


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("answer", [rejected(), lost_request(429)])
def test_what_had_no_effect_has_failed_even_if_the_account_cannot_be_read(operation, answer):
    """The exit code must not claim a possible effect."""
    both = {"read": read_error(ServiceError), "find": read_error(ServiceError)}
    part, *_ = executed(operation, followed_by(answer, lambda account: account.blind.update(both)))
    assert (str(part.status), part.error.code, part.sent[0].wrote) == ("failed", "A004", False)


@pytest.mark.parametrize("operation", CHANGING)
@pytest.mark.parametrize(("kind", "code"), [(ServiceError, "A004"), (AuthError, "A011")])
def test_without_a_read_nothing_is_changed(operation, kind, code):
    """Nothing was sent, so it is not unknown."""
    part, account, _ = executed(operation, blind={"read": read_error(kind)})
    assert (str(part.status), part.error.code) == ("failed", code)
    assert account.requests == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_internal_error_is_unknown(operation):
    part, _, _ = executed(operation, raising(ZeroDivisionError("secret")))
    assert (str(part.status), part.error.code) == ("unknown", "A010")
    assert "ZeroDivisionError" in part.error.message
    assert "secret" not in part.error.message


@pytest.mark.parametrize("operation", CHANGING)
@pytest.mark.parametrize(
    ("meter", "status"), [(WANTED, "already"), (ELSE, "stale")], ids=["in effect", "changed"]
)
def test_a_meter_is_read_before_it_is_changed(operation, meter, status):
    """A change by another client prevails; nothing is sent."""
    desired, found = OPERATIONS[operation]
    account = Account(found)
    run = run_of(account, *decide_all([desired], found))
    account.put(meter[operation])
    part = execute_step(list_steps(run.plan)["calls"][0], BEFORE[operation], run)
    assert (str(part.status), part.existing) == (status, meter[operation])
    assert account.requests == []


@pytest.mark.parametrize("operation", CHANGING)
@pytest.mark.parametrize("answer", [lost_request(), lost_request(429), replayed(ON)])
def test_a_meter_is_read_again_before_each_further_request(operation, answer):
    """Another client may change it while the run waits."""
    desired, found = OPERATIONS[operation]
    account = Account(found, *[answer] * 9)
    run = run_of(account, *decide_all([desired], found))
    read = account.read

    def reading(meter_id):
        if len(account.looks) == 2:  # after one before the first request, and one after it
            account.put(ELSE[operation])
        return read(meter_id)

    account.read = reading
    part = execute_step(list_steps(run.plan)["calls"][0], BEFORE[operation], run)
    assert (str(part.status), len(part.sent), len(account.requests)) == ("stale", 1, 1)


@pytest.mark.parametrize("operation", CHANGING)
@pytest.mark.parametrize("older", [1, 3, 4, 9])
def test_a_reading_older_than_what_is_known_proves_nothing(operation, older):
    """It is repeated for a few seconds; after that, what is known still holds."""
    desired, found = OPERATIONS[operation]
    account = Account(found)
    run = run_of(account, *decide_all([desired], found))
    read = account.read

    def reading(meter_id):
        now = read(meter_id)
        past = replace(WANTED[operation], updated=found[0].updated - 1)
        return past if len(account.looks) <= older else now

    account.read = reading
    part = execute_step(list_steps(run.plan)["calls"][0], BEFORE[operation], run)
    assert (str(part.status), len(account.requests)) == ("done", 1)
    assert len(account.looks) == min(older + 1, 4)
    assert run.clock.slept == [0.0, 0.5, 1.0, 2.0][: len(account.looks)]


def test_a_change_of_the_same_second_is_not_older():
    """`updated` is in whole seconds."""
    account = Account([existing(display="Theirs")])
    run = run_of(account, *decide_all([declare(display="New")], [ON]))
    part = execute_step(list_steps(run.plan)["calls"][0], ON, run)
    assert (str(part.status), account.sent, account.looks) == ("stale", [], ["read"])


@pytest.mark.parametrize(("old", "waits"), [(False, [2.0, 4.0, 8.0]), (True, [])])
def test_waits_grow_between_failed_requests(old, waits):
    """There is none after a stored response, which is no sign of trouble."""
    _, _, run = executed("update", *[lost_request(500, replayed=old)] * 9)
    assert list(filter(None, run.clock.slept)) == waits


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("answer", [None, lost_request(429)], ids=["nothing sent", "rate limit"])
def test_a_stop_signal_ends_what_has_not_begun(operation, answer):
    """A request that only a rate limit rejected is not sent again either."""
    account, after = (
        Account(OPERATIONS[operation][1], *filter(None, [answer])),
        int(answer is not None),
    )
    run = run_of(account, *decide_all([OPERATIONS[operation][0]], OPERATIONS[operation][1]))
    run = replace(run, stopped=lambda: len(account.requests) >= after)
    part = execute_step(list_steps(run.plan)["calls"][0], BEFORE[operation], run)
    assert (str(part.status), part.error.code) == ("skipped", "A008")
    assert len(account.requests) == after


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "answer", [lost_request(), lost_request(429, doubts=1), lost_answer(), rejected()]
)
def test_a_stop_signal_does_not_end_a_possible_effect(operation, answer):
    """The same requests, reads and waits as without a signal, and the same result."""
    expected, there, undisturbed = executed(operation, answer)
    signals = []
    stop = {"stopped": lambda: bool(signals), "clock": VirtualClock(NOW, stopped=signals.__len__)}
    part, account, run = executed(
        operation, followed_by(answer, lambda _: signals.append(1)), **stop
    )
    assert part == expected
    assert (account.keys, account.looks) == (there.keys, there.looks)
    assert run.clock.slept == undisturbed.clock.slept


def test_the_request_ids_are_in_the_error():
    part, _, _ = executed("update", lost_request(), rejected())
    assert "(req_1, req_1)" in part.error.message
    assert "said the API" in part.error.message
    assert part.error.location == OPERATIONS["update"][0].location
