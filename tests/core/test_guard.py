"""Every guard: what it refuses, what it lets pass, and what it says."""

from __future__ import annotations

import pytest
from core.worlds import OWNING, declare, lines, live, priced, retire, stopped

from reconciler.diagnostics.codes import guards
from reconciler.diagnostics.diagnostic import Level
from reconciler.model.meter import Unreadable
from reconciler.model.project import AccountRef, Policy, Undeclared
from reconciler.planning.guards import Situation, check

HERE = AccountRef("test", "acct_1", livemode=False)


def situation(policy=OWNING, **more):
    """An account that is what it is configured to be."""
    facts = {
        "policy": policy,
        "declared": 1,
        "account": HERE,
        "own_id": "acct_1",
        "expected_id": None,
        "expected_livemode": False,
    }
    return Situation(**{**facts, **more})


def judged(changes, at):
    """The codes that refuse each name, and the messages."""
    marked, problems = check(changes, at)
    assert [line.action for line in marked] == [line.action for line in changes]
    assert all(problem.level is Level.ERROR for problem in problems)
    return {line.event_name: line.refused_by for line in marked}, problems


def stops(count, policy=OWNING):
    """As many lines that stop a meter, one of them a replacement, and an update beside them."""
    wants = [declare("new", display="Renamed"), declare("m0", retires=("mtr_0",))]
    wants += [retire(f"m{n}") for n in range(1, count)]
    account = [live("mtr_n", "new"), live("mtr_0", "m0", formula="count")]
    account += [live(f"mtr_{n}", f"m{n}") for n in range(1, count)]
    return lines(wants, account, policy=policy)


@pytest.mark.parametrize(
    ("count", "allowed", "message"),
    [
        (1, 1, None),
        (1, 0, "1 meter would stop counting usage; the policy allows 0"),
        (3, 3, None),
        (3, 2, "3 meters would stop counting usage; the policy allows 2"),
    ],
)
def test_more_stops_than_the_policy_allows_are_refused(count, allowed, message):
    """A replacement counts as one; all that stop are refused, and the rest is not."""
    refused, problems = judged(stops(count), situation(Policy(max_deactivations=allowed)))
    assert [problem.message for problem in problems] == ([message] if message else [])
    assert refused.pop("new") == ()
    assert set(refused.values()) == {("G001",) if message else ()}


@pytest.mark.parametrize(
    ("want", "policy", "by"),
    [
        (retire(protect=True), OWNING, "`protect: true` protects 'calls'"),
        (declare(retires=("mtr_a",), protect=True), OWNING, "`protect: true` protects 'calls'"),
        (None, OWNING, None),
        (retire(), Policy(protect=("ca*",)), "policy.protect protects 'calls'"),
        (retire(), Policy(protect=("CA*", "call")), None),
        (
            None,
            Policy(undeclared=Undeclared.DEACTIVATE, owns=("*",), protect=("*lls",)),
            "policy.protect protects 'calls'",
        ),
        (declare(formula="count", display="New", protect=True), OWNING, None),
    ],
    ids=["file", "replaced", "unprotected", "pattern", "no pattern", "undeclared", "renamed"],
)
def test_a_protected_meter_is_not_stopped(want, policy, by):
    """By the file or by a pattern of the policy, which holds for undeclared names too."""
    changes = lines([want] if want else [], [live(formula="count")], policy=policy)
    if want and want.status == "inactive":
        changes = lines([want], [live()], policy=policy)
    refused, problems = judged(changes, situation(policy))
    assert [problem.message for problem in problems] == ([by] if by else [])
    assert refused == {"calls": ("G002",) if by else ()}
    assert all(problem.where == (want.where if want else None) for problem in problems)
    assert all(problem.hint == guards.PROTECTED.remedy for problem in problems)


@pytest.mark.parametrize("declared", [0, 1])
def test_an_empty_configuration_stops_nothing(declared):
    """It is far more often a wrong path than a wish; the message counts what would go."""
    changes = lines([], [live("mtr_a", "a"), live("mtr_b", "b"), stopped("mtr_c", "c")])
    refused, problems = judged(changes, situation(declared=declared))
    codes = ("G003",) if not declared else ()
    assert refused == {"a": codes, "b": codes, "c": ()}
    if not declared:
        (problem,) = problems
        assert problem.message == "no meter is declared, and 2 undeclared would be deactivated"


@pytest.mark.parametrize(
    ("want", "left"),
    [
        (retire(), "p, q"),
        (retire(accepts=("p",)), "q"),
        (retire(accepts=("q", "r", "p")), None),
        (declare(retires=("mtr_a",), formula="last"), "p, q"),
        (declare(retires=("mtr_a",), formula="last", accepts=("p", "q")), None),
        (None, "p, q"),
    ],
)
def test_prices_that_bill_hold_a_meter_until_each_is_accepted(want, left):
    """Consent names exactly the prices; ids that this account does not know are ignored."""
    prices = priced("p@mtr_a", "q@mtr_a", "x@mtr_other")
    changes = lines([want] if want else [], [live()], prices)
    refused, problems = judged(changes, situation())
    assert refused == {"calls": ("G004",) if left else ()}
    assert [p.message for p in problems] == (
        [f"active prices bill on 'calls': {left}"] if left else []
    )
    assert all(f"accepts: {{active_prices: [{left}]}}" in p.hint for p in problems)
    assert all(("status: inactive" in p.hint) is (want is None) for p in problems)


def test_prices_on_a_meter_that_is_woken_hold_nothing():
    """They are the reason to wake it."""
    changes = lines([declare()], [stopped("mtr_1"), stopped("mtr_2")], priced("p@mtr_1"))
    assert judged(changes, situation()) == ({"calls": ()}, ())


def test_unreadable_prices_refuse_the_lines_that_depend_on_them():
    """With the name of the permission; lines that need none, or write nothing, go on."""
    wants = [retire("a"), declare("b", display="New"), declare("c")]
    changes = lines(wants, [live("mtr_a", "a"), live("mtr_b", "b"), live("mtr_c", "c")])
    at = situation(
        unreadable_prices=Unreadable("plan_read"), needs_prices=frozenset({"a", "c", "gone"})
    )
    refused, (problem,) = judged(changes, at)
    assert refused == {"a": ("G005",), "b": (), "c": ()}
    assert problem.message == (
        "deactivate of 'a' depends on prices that the key may not read (permission: plan_read)"
    )
    assert (problem.event_name, problem.where) == ("a", wants[0].where)


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        (False, False, None),
        (True, True, None),
        (None, True, None),
        (True, False, "configured as test mode, but the key reaches live mode"),
        (False, True, "configured as live mode, but the key reaches test mode"),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_the_wrong_mode_refuses_everything(found, expected, said, writes):
    """Also a plan without changes: it was computed against the wrong meters."""
    changes = lines([declare(display="New" if writes else None)], [live()])
    at = situation(account=AccountRef("test", "acct_1", found), expected_livemode=expected)
    refused, problems = judged(changes, at)
    assert refused == {"calls": ("G006",) if said and writes else ()}
    assert [problem.code for problem in problems] == (["G006"] if said else [])
    assert all(said in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("own", "code", "said"),
    [
        ("acct_1", None, ""),
        ("acct_2", "G007", "account 'test' is configured as acct_1; the key is acct_2's"),
        (Unreadable("account_read"), "G008", "(permission: account_read)"),
    ],
)
def test_the_wrong_account_refuses_everything(own, code, said):
    """So does one that cannot be read while `account_id` is configured."""
    changes = lines([declare(), declare("new")], [live()])
    refused, problems = judged(changes, situation(expected_id="acct_1", own_id=own))
    assert refused == {"calls": (), "new": (code,) if code else ()}
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(said in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("own", "said"),
    [("acct_2", ("G007", Level.ERROR)), (Unreadable("x"), ("G008", Level.WARNING))],
)
def test_without_changes_only_a_proven_mismatch_is_an_error(own, said):
    """An account that cannot be read refuses writes; where there are none, it is told."""
    at = situation(expected_id="a", own_id=own)
    marked, problems = check(lines([declare()], [live()]), at)
    assert [(problem.code, problem.level) for problem in problems] == [said]
    assert not any(line.refused_by for line in marked)


def test_without_a_configured_account_any_account_will_do():
    """The key alone decides then."""
    changes = lines([declare()], [])
    assert judged(changes, situation(own_id=Unreadable("x"))) == ({"calls": ()}, ())


def test_a_line_that_several_guards_refuse_names_each_once():
    """Every refusal is shown, the widest first; blocked lines are never marked."""
    wants = [retire(protect=True), declare("b")]
    account = [live(), live("mtr_b", "b", formula="last")]
    changes = lines(wants, account, priced("p@mtr_a"))
    at = situation(Policy(max_deactivations=0, protect=("*",)), own_id="x", expected_id="y")
    refused, problems = judged(changes, at)
    assert refused == {"calls": ("G007", "G001", "G002", "G004"), "b": ()}
    assert len(problems) == 4
