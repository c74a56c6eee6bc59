"""The careful pair: stop the old meter, start its successor, or wake the old one again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.account import Account, Pages, fails, late, lost, raising, refused, run_of, seen, then
from core.worlds import declare, lines, live, stopped

from reconciler.diagnostics.diagnostic import Level, Problem
from reconciler.diagnostics.errors import ReconcilerError, ServiceError
from reconciler.execution.execute_step import KEYS
from reconciler.execution.executor import apply

OLD = live("mtr_o", formula="count")
TWIN = stopped("mtr_t", display="Was")
THEIRS = live("mtr_theirs", formula="last", created=1_790_000_001)
WANT = declare(retires=("mtr_o",))
STOP, CREATE, BACK = ("deactivate", "mtr_o"), ("create", "calls"), ("reactivate", "mtr_o")
WAKE, NAME = ("reactivate", "mtr_t"), ("update", "mtr_t")
MADE = live("mtr_new_calls", created=1_790_000_001)
NO_LOOKS = {"read": fails(ServiceError), "find": fails(ServiceError)}


def of_the_other_mode(account, step):
    """The effect, in an account where nothing was to be written."""
    return seen(shows=account.put(replace(account.obey(step), livemode=True)))(account, step)


def stopped_by_hand(account):
    account.change("mtr_o", status="inactive")


def blind(account):
    account.blind.update(NO_LOOKS)


def replaced(*script, twin=False, edit=None):
    """The one outcome, the account after it, and the ids that are active in it."""
    meters = [OLD, TWIN] if twin else [OLD]
    account = Account(meters, *script)
    run = run_of(account, *lines([WANT], meters), repair="wake {id}")
    if edit:
        edit(account)
    (line,) = apply(run)
    active = sorted(meter.id for meter in account.meters.values() if meter.active)
    return line.outcome, account, active


# twin, script -> status, code, requests, active in the end
PAIR = {
    "a new meter": (False, [], "done", None, [STOP, CREATE], ["mtr_new_calls"]),
    "a twin, renamed": (True, [], "done", None, [STOP, WAKE, NAME], ["mtr_t"]),
    "lost answers": (
        *(False, [late(), late(500)], "done", None),
        *([STOP, CREATE], ["mtr_new_calls"]),
    ),
    "the stop is refused": (False, [refused()], "failed", "A003", [STOP], ["mtr_o"]),
    "the stop is lost for ever": (False, [lost()] * 9, "failed", "A003", [STOP] * 4, ["mtr_o"]),
    "the stop cannot be checked": (
        *(False, [then(lost(), blind)], "unknown", "A005"),
        *([STOP], ["mtr_o"]),
    ),
    "the stop had its effect and cannot be checked": (
        *(False, [then(late(), blind)], "unknown", "A005"),
        *([STOP], []),
    ),
    "the answer to the stop is of the other mode": (
        *(False, [of_the_other_mode], "failed", "A006"),
        *([STOP, BACK], ["mtr_o"]),
    ),
    "the answer to the create is of the other mode": (
        *(False, [seen(), seen(shows=replace(MADE, livemode=True))], "failed", "A006"),
        *([STOP, CREATE, BACK], ["mtr_o"]),
    ),
    "the create is answered with another meter": (
        *(False, [seen(), seen(shows=replace(MADE, event_name="n2"))], "done", None),
        *([STOP, CREATE, CREATE], ["mtr_new_calls"]),
    ),
    "the stop is answered with another meter": (
        *(False, [seen(shows=replace(OLD, id="mtr_2", status="inactive"))], "done", None),
        *([STOP, STOP, CREATE], ["mtr_new_calls"]),
    ),
    "the new meter is refused": (
        *(False, [seen(), refused()], "failed", "A006"),
        *([STOP, CREATE, BACK], ["mtr_o"]),
    ),
    "the new meter is refused for ever": (
        *(False, [seen(), *[refused(replayed=True)] * KEYS], "failed", "A006"),
        *([STOP, *[CREATE] * KEYS, BACK], ["mtr_o"]),
    ),
    "the new meter is lost for ever": (
        *(False, [seen(), *[lost()] * 4], "failed", "A006"),
        *([STOP, *[CREATE] * 4, BACK], ["mtr_o"]),
    ),
    "the twin is refused": (
        *(True, [seen(), refused()], "failed", "A006"),
        *([STOP, WAKE, BACK], ["mtr_o"]),
    ),
    "the name of the twin is refused": (
        *(True, [seen(), seen(), refused()], "failed", "A003"),
        *([STOP, WAKE, NAME], ["mtr_t"]),
    ),
    "waking the old one is lost at first": (
        *(False, [seen(), refused(), lost(), late()], "failed", "A006"),
        *([STOP, CREATE, BACK, BACK], ["mtr_o"]),
    ),
    "waking the old one is refused": (
        *(False, [seen(), refused(), refused()], "failed", "A005"),
        *([STOP, CREATE, BACK], []),
    ),
    "the new meter cannot be checked": (
        *(False, [seen(), then(lost(), blind)], "unknown", "A005"),
        *([STOP, CREATE], []),
    ),
    "an error inside the tool": (
        *(False, [seen(), raising(ValueError())], "unknown", "A005"),
        *([STOP, CREATE], []),
    ),
    "somebody else made another meter of this name": (
        *(False, [seen(), then(refused(), lambda a: a.put(THEIRS))], "stale", "A002"),
        *([STOP, CREATE], ["mtr_theirs"]),
    ),
    "somebody else made just this one": (
        *(False, [seen(), then(refused(), lambda a: a.put(replace(THEIRS, **SAME)))]),
        *("done", None, [STOP, CREATE], ["mtr_theirs"]),
    ),
    "the twin moved meanwhile": (
        *(True, [then(seen(), lambda a: a.change("mtr_t", display_name="Theirs"))]),
        *("stale", "A006", [STOP, BACK], ["mtr_o"]),
    ),
    "the twin was woken meanwhile": (
        *(True, [then(seen(), lambda a: a.change("mtr_t", status="active"))]),
        *("done", None, [STOP, NAME], ["mtr_t"]),
    ),
    "no look before waking the twin": (
        *(True, [then(seen(), blind)], "failed", "A005"),
        *([STOP], []),
    ),
}
SAME = {"default_aggregation": WANT.meter.default_aggregation}


@pytest.mark.parametrize("case", PAIR)
def test_one_of_the_two_is_active_or_the_report_is_loud(case):
    """Status, code, requests in order, and what is active in the end."""
    twin, script, status, code, requests, active = PAIR[case]
    outcome, account, now = replaced(*script, twin=twin)
    assert (str(outcome.status), outcome.error and outcome.error.code) == (status, code)
    assert account.sent == requests
    assert now == active
    assert len(outcome.requests) >= len(requests) - ("tool" in case)


@pytest.mark.parametrize("case", [case for case in PAIR if PAIR[case][3] == "A005"])
def test_a_name_without_a_meter_comes_with_the_command_that_repairs_it(case):
    """The loudest message there is: what is lost, why, and the way back."""
    twin, script, *_ = PAIR[case]
    outcome, *_ = replaced(*script, twin=twin)
    assert "NO active meter, usage is being lost" in outcome.error.message
    hint = "run apply again at once, or wake the old meter: `wake mtr_o`"
    assert (outcome.error.hint, outcome.error.event_name) == (hint, "calls")
    assert outcome.error.where == WANT.where


def test_what_somebody_else_has_stopped_is_not_woken():
    """They may have meant it; but nobody may overlook that nothing counts usage now."""
    outcome, account, active = replaced(refused(), edit=stopped_by_hand)
    assert (str(outcome.status), outcome.error.code) == ("failed", "A005")
    assert "stopped by somebody else, and left so" in outcome.error.message
    assert (account.sent, active) == ([CREATE], [])


@pytest.mark.parametrize("script", [[], [seen(), refused()]], ids=["successor", "way back"])
def test_the_second_half_heeds_no_stop_signal(script):
    """And the first does; else a meter would stay stopped because somebody lost patience."""
    account = Account([OLD], *script)
    account.before = lambda it, step: heeded.append((str(step.verb), it.finishing))
    heeded = []
    apply(run_of(account, *lines([WANT], [OLD])))
    assert [finishing for _, finishing in heeded] == [False] + [True] * (len(heeded) - 1)


def test_a_replacement_undone_says_what_holds():
    """And why the successor was refused."""
    outcome, *_ = replaced(seen(), refused())
    assert outcome.error.message.endswith("mtr_o is active again")
    assert "create of 'calls' failed: said the API" in outcome.error.message


@pytest.mark.parametrize(
    ("edit", "status", "requests"),
    [
        (lambda a: a.change("mtr_o", display_name="Theirs"), "stale", []),
        (lambda a: a.change("mtr_o", updated=5), "stale", []),
        (stopped_by_hand, "done", [CREATE]),
    ],
    ids=["renamed", "touched", "stopped"],
)
def test_the_old_meter_is_read_right_before_it_is_stopped(edit, status, requests):
    """Who changed it since the plan has won; who stopped it has done half of it."""
    outcome, account, _ = replaced(edit=edit)
    assert (str(outcome.status), account.sent) == (status, requests)


def test_the_way_back_has_a_number_of_its_own():
    """Its key is never that of another request, and a second try takes the next attempt."""
    script = [seen(), seen(), refused(), lost(500, replayed=True)]
    _, account, _ = replaced(*script[:1], refused(), *script[3:])
    assert account.keys == ["1-1", "2-1", "3-1", "3-2"]
    _, account, _ = replaced(seen(), refused(), seen(), twin=True)
    assert account.keys == ["1-1", "2-1", "4-1"]


class Full(Pages):
    """A notebook on a disk that has room for one line."""

    def intend(self, step, key, *, begun=False):
        if self.lines and not begun:
            raise ReconcilerError(Problem("J001", Level.ERROR, "the disk is full"))
        super().intend(step, key)


@pytest.mark.parametrize(
    ("script", "requests", "active"),
    [
        ([], [STOP, CREATE], ["mtr_new_calls"]),
        ([seen(), refused()], [STOP, CREATE, BACK], ["mtr_o"]),
    ],
)
def test_a_disk_that_fills_up_between_the_halves_keeps_nothing_back(script, requests, active):
    """Neither the successor nor the way back; only what has not begun is not sent."""
    account = Account([OLD], *script)
    apply(run_of(account, *lines([WANT], [OLD]), notebook=Full()))
    assert account.sent == requests
    assert [meter.id for meter in account.meters.values() if meter.active] == active


def test_after_one_was_undone_no_other_is_begun():
    """What made it fail may make the next one fail too."""
    meters = [live("mtr_a", "a", formula="count"), live("mtr_b", "b", formula="count")]
    wants = [declare(n, retires=(f"mtr_{n}",)) for n in "ab"]
    account = Account(meters, seen(), refused())
    ended = apply(run_of(account, *lines(wants, meters)))
    assert [str(line.outcome.status) for line in ended] == ["failed", "skipped"]
    assert account.meters == {meter.id: meter for meter in meters} | {
        "mtr_a": account.meters["mtr_a"]
    }
    assert account.meters["mtr_a"].active
