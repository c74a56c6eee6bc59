"""Replace a meter: deactivate it, activate its successor, or reactivate it again."""

from __future__ import annotations

import pytest
from builders.fake_account import (
    Account,
    MemoryJournal,
    confirmed,
    followed_by,
    lost_answer,
    lost_request,
    raising,
    read_error,
    rejected,
    run_of,
)
from builders.meters import decide_all, declare, existing, inactive
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.diagnostics.codes.applying import OTHER_NAME
from reconciler.diagnostics.diagnostic import Diagnostic, Level
from reconciler.diagnostics.errors import ReconcilerError, ServiceError
from reconciler.execution.execute_step import KEYS
from reconciler.execution.executor import apply

OLD = existing("mtr_o", formula="count")
DUPLICATE = inactive("mtr_t", display="Was")
THEIRS = existing("mtr_theirs", formula="last", created=1_790_000_001)
WANT = declare(retires=("mtr_o",))
STOP, CREATE, BACK = ("deactivate", "mtr_o"), ("create", "calls"), ("reactivate", "mtr_o")
REACTIVATE, NAME = ("reactivate", "mtr_t"), ("update", "mtr_t")
MADE = existing("mtr_new_calls", created=1_790_000_001)
UNREADABLE = {"read": read_error(ServiceError), "find": read_error(ServiceError)}


def of_the_other_mode(account, step):
    """The effect, in an account of the other mode."""
    return confirmed(shows=account.put(replace(account.obey(step), livemode=True)))(account, step)


def deactivate_by_hand(account):
    account.change("mtr_o", status="inactive")


def blind(account):
    account.blind.update(UNREADABLE)


def replaced(*script, other=False, edit=None):
    """The result, the account after it, and the ids of its active meters."""
    meters = [OLD, DUPLICATE] if other else [OLD]
    account = Account(meters, *script)
    run = run_of(account, *decide_all([WANT], meters), recovery_command="reactivate {id}")
    if edit:
        edit(account)
    (line,) = apply(run)
    active = sorted(meter.id for meter in account.meters.values() if meter.active)
    return line.result, account, active


# duplicate, script -> status, code, requests, active in the end
PAIR = {
    "a new meter": (False, [], "done", None, [STOP, CREATE], ["mtr_new_calls"]),
    "an inactive duplicate, renamed": (True, [], "done", None, [STOP, REACTIVATE, NAME], ["mtr_t"]),
    "lost responses": (
        *(False, [lost_answer(), lost_answer(500)], "done", None),
        *([STOP, CREATE], ["mtr_new_calls"]),
    ),
    "the deactivation is rejected": (False, [rejected()], "failed", "A003", [STOP], ["mtr_o"]),
    "the deactivation is always lost": (
        False,
        [lost_request()] * 9,
        "failed",
        "A003",
        [STOP] * 4,
        ["mtr_o"],
    ),
    "the deactivation cannot be read": (
        *(False, [followed_by(lost_request(), blind)], "unknown", "A005"),
        *([STOP], ["mtr_o"]),
    ),
    "the deactivation had an effect and cannot be read": (
        *(False, [followed_by(lost_answer(), blind)], "unknown", "A005"),
        *([STOP], []),
    ),
    "the deactivation is in the other mode": (
        *(False, [of_the_other_mode], "failed", "A006"),
        *([STOP, BACK], ["mtr_o"]),
    ),
    "the create is in the other mode": (
        *(False, [confirmed(), confirmed(shows=replace(MADE, livemode=True))], "failed", "A006"),
        *([STOP, CREATE, BACK], ["mtr_o"]),
    ),
    "the create makes a meter of another name": (
        *(False, [confirmed(), confirmed(shows=replace(MADE, event_name="n2"))], "failed", "A006"),
        *([STOP, CREATE, BACK], ["mtr_o"]),
    ),
    "the deactivation returns another meter": (
        *(False, [confirmed(shows=replace(OLD, id="mtr_2", status="inactive"))], "done", None),
        *([STOP, STOP, CREATE], ["mtr_new_calls"]),
    ),
    "the create is rejected": (
        *(False, [confirmed(), rejected()], "failed", "A006"),
        *([STOP, CREATE, BACK], ["mtr_o"]),
    ),
    "the create is always rejected": (
        *(False, [confirmed(), *[rejected(replayed=True)] * KEYS], "failed", "A006"),
        *([STOP, *[CREATE] * KEYS, BACK], ["mtr_o"]),
    ),
    "the create is always lost": (
        *(False, [confirmed(), *[lost_request()] * 4], "failed", "A006"),
        *([STOP, *[CREATE] * 4, BACK], ["mtr_o"]),
    ),
    "the reactivation is rejected": (
        *(True, [confirmed(), rejected()], "failed", "A006"),
        *([STOP, REACTIVATE, BACK], ["mtr_o"]),
    ),
    "the name of the reactivation is rejected": (
        *(True, [confirmed(), confirmed(), rejected()], "failed", "A003"),
        *([STOP, REACTIVATE, NAME], ["mtr_t"]),
    ),
    "the compensation is lost at first": (
        *(False, [confirmed(), rejected(), lost_request(), lost_answer()], "failed", "A006"),
        *([STOP, CREATE, BACK, BACK], ["mtr_o"]),
    ),
    "the compensation is rejected": (
        *(False, [confirmed(), rejected(), rejected()], "failed", "A005"),
        *([STOP, CREATE, BACK], []),
    ),
    "the create cannot be read": (
        *(False, [confirmed(), followed_by(lost_request(), blind)], "unknown", "A005"),
        *([STOP, CREATE], []),
    ),
    "an internal error": (
        *(False, [confirmed(), raising(ValueError())], "unknown", "A005"),
        *([STOP, CREATE], []),
    ),
    "another client created another meter of this name": (
        *(False, [confirmed(), followed_by(rejected(), lambda a: a.put(THEIRS))], "stale", "A002"),
        *([STOP, CREATE], ["mtr_theirs"]),
    ),
    "another client created the same meter": (
        *(False, [confirmed(), followed_by(rejected(), lambda a: a.put(replace(THEIRS, **SAME)))]),
        *("done", None, [STOP, CREATE], ["mtr_theirs"]),
    ),
    "another client renamed the duplicate": (
        *(True, [followed_by(confirmed(), lambda a: a.change("mtr_t", display_name="Theirs"))]),
        *("stale", "A006", [STOP, BACK], ["mtr_o"]),
    ),
    "another client reactivated the duplicate": (
        *(True, [followed_by(confirmed(), lambda a: a.change("mtr_t", status="active"))]),
        *("done", None, [STOP, NAME], ["mtr_t"]),
    ),
    "the duplicate cannot be read": (
        *(True, [followed_by(confirmed(), blind)], "failed", "A006"),
        *([STOP, BACK], ["mtr_o"]),
    ),
}
SAME = {"default_aggregation": WANT.meter.default_aggregation}


@pytest.mark.parametrize("case", PAIR)
def test_one_of_the_two_meters_is_active_or_the_loss_is_reported(case):
    other, script, status, code, requests, active = PAIR[case]
    result, account, now = replaced(*script, other=other)
    assert (str(result.status), result.error and result.error.code) == (status, code)
    assert account.sent == requests
    assert now == active
    assert len(result.requests) >= len(requests) - ("internal" in case)


def test_a_rollback_says_that_there_is_a_new_meter_of_another_name():
    """Another apply would make one more."""
    script = [confirmed(), confirmed(shows=replace(MADE, event_name="n2"))]
    result, *_ = replaced(*script, other=False)
    assert "Stripe created mtr_new_calls with event_name 'n2'" in result.error.message
    assert result.error.hint == OTHER_NAME.remedy


@pytest.mark.parametrize("case", [case for case in PAIR if PAIR[case][3] == "A005"])
def test_a_name_without_an_active_meter_comes_with_the_recovery_command(case):
    other, script, *_ = PAIR[case]
    result, *_ = replaced(*script, other=other)
    assert "NO active meter; usage is being lost" in result.error.message
    hint = "run `reconciler apply` again at once, or reactivate the old meter: `reactivate mtr_o`"
    assert (result.error.hint, result.error.event_name) == (hint, "calls")
    assert result.error.location == WANT.location


def test_what_another_client_deactivated_is_not_reactivated():
    """It may be intended, but is reported."""
    result, account, active = replaced(rejected(), edit=deactivate_by_hand)
    assert (str(result.status), result.error.code) == ("failed", "A005")
    assert "deactivated by another client and left inactive" in result.error.message
    assert (account.sent, active) == ([CREATE], [])


@pytest.mark.parametrize(
    "script", [[], [confirmed(), rejected()]], ids=["successor", "compensation"]
)
def test_the_second_half_ignores_the_stop_signal(script):
    """The first does not."""
    account = Account([OLD], *script)
    account.before = lambda it, step: finishing.append((str(step.operation), it.finishing))
    finishing = []
    apply(run_of(account, *decide_all([WANT], [OLD])))
    assert [it for _, it in finishing] == [False] + [True] * (len(finishing) - 1)


@pytest.mark.parametrize(
    ("script", "sent", "seconds"),
    [
        ([confirmed(), lost_request(), lost_request()], [STOP, CREATE, CREATE, CREATE], 2 + 4),
        ([lost_request(), lost_answer()], [STOP, STOP, CREATE], 2),
        ([confirmed(), rejected(), lost_request()], [STOP, CREATE, BACK, BACK], 3.5 + 2),
    ],
    ids=["successor", "first half", "compensation"],
)
def test_after_a_stop_signal_it_keeps_its_waits(script, sent, seconds):
    """To outlast an outage of some seconds."""
    account = Account([OLD], *script)

    def signalled():
        return bool(account.requests)

    clock = VirtualClock(stopped=signalled)
    apply(run_of(account, *decide_all([WANT], [OLD]), stopped=signalled, clock=clock))
    assert account.sent == sent
    assert [meter.active for meter in account.meters.values()].count(True) == 1
    assert clock.monotonic() == seconds


def test_a_compensated_replacement_is_reported():
    result, *_ = replaced(confirmed(), rejected())
    assert result.error.message.endswith("mtr_o is active again")
    assert "create of 'calls' failed: said the API" in result.error.message


@pytest.mark.parametrize(
    ("edit", "status", "requests"),
    [
        (lambda a: a.change("mtr_o", display_name="Theirs"), "stale", []),
        (lambda a: a.change("mtr_o", updated=1_790_000_001), "stale", []),
        (deactivate_by_hand, "done", [CREATE]),
    ],
    ids=["renamed", "touched", "stopped"],
)
def test_the_old_meter_is_read_before_it_is_deactivated(edit, status, requests):
    """A change by another client prevails; a deactivation is half of the work."""
    result, account, _ = replaced(edit=edit)
    assert (str(result.status), account.sent) == (status, requests)


def test_the_compensation_has_a_number_of_its_own():
    script = [confirmed(), confirmed(), rejected(), lost_request(500, replayed=True)]
    _, account, _ = replaced(*script[:1], rejected(), *script[3:])
    assert account.keys == ["1-1", "2-1", "3-1", "3-2"]
    _, account, _ = replaced(confirmed(), rejected(), confirmed(), other=True)
    assert account.keys == ["1-1", "2-1", "4-1"]


class Full(MemoryJournal):
    """A journal on a disk with room for one entry."""

    def before_request(self, step, key, *, begun=False):
        if self.changes and not begun:
            raise ReconcilerError(Diagnostic("J001", Level.ERROR, "the disk is full"))
        super().before_request(step, key)


@pytest.mark.parametrize(
    ("script", "requests", "active"),
    [
        ([], [STOP, CREATE], ["mtr_new_calls"]),
        ([confirmed(), rejected()], [STOP, CREATE, BACK], ["mtr_o"]),
    ],
)
def test_a_full_disk_does_not_interrupt_a_replacement(script, requests, active):
    """Neither the successor nor the compensation."""
    account = Account([OLD], *script)
    apply(run_of(account, *decide_all([WANT], [OLD]), journal=Full()))
    assert account.sent == requests
    assert [meter.id for meter in account.meters.values() if meter.active] == active


def test_after_a_compensation_no_other_replacement_begins():
    meters = [existing("mtr_a", "a", formula="count"), existing("mtr_b", "b", formula="count")]
    wants = [declare(n, retires=(f"mtr_{n}",)) for n in "ab"]
    account = Account(meters, confirmed(), rejected())
    ended = apply(run_of(account, *decide_all(wants, meters)))
    assert [str(line.result.status) for line in ended] == ["failed", "skipped"]
    assert account.meters == {meter.id: meter for meter in meters} | {
        "mtr_a": account.meters["mtr_a"]
    }
    assert account.meters["mtr_a"].active
