"""Every guard: what it refuses, what it lets pass, and what it says."""

from __future__ import annotations

import pytest
from builders.worlds import OWNING, declare, existing, lines, priced, retire, stopped

from reconciler.diagnostics.codes import guards
from reconciler.diagnostics.diagnostic import Level
from reconciler.model.meter import Unreadable
from reconciler.model.project import AccountRef, Policy, Undeclared
from reconciler.planning.guards import GuardInput, check

HERE = AccountRef("test", "acct_1", livemode=False)


def guard_input(policy=OWNING, **more):
    """An account that is what it is configured to be."""
    facts = {
        "policy": policy,
        "declared": 1,
        "account": HERE,
        "own_id": "acct_1",
        "expected_id": None,
        "expected_livemode": False,
    }
    return GuardInput(**{**facts, **more})


def judged(changes, at):
    """The codes that refuse each name, and the messages."""
    marked, diagnostics = check(changes, at)
    assert [line.action for line in marked] == [line.action for line in changes]
    assert all(diagnostic.level is Level.ERROR for diagnostic in diagnostics)
    return {line.event_name: line.refused_by for line in marked}, diagnostics


def stops(count, policy=OWNING):
    """As many lines that stop a meter, one of them a replacement, and an update beside them."""
    wants = [declare("new", display="Renamed"), declare("m0", retires=("mtr_0",))]
    wants += [retire(f"m{n}") for n in range(1, count)]
    account = [existing("mtr_n", "new"), existing("mtr_0", "m0", formula="count")]
    account += [existing(f"mtr_{n}", f"m{n}") for n in range(1, count)]
    return lines(wants, account, policy=policy)


@pytest.mark.parametrize(
    ("count", "allowed", "message"),
    [
        (1, 1, None),
        (1, 0, "1 meter would be deactivated; policy.max_deactivations allows 0"),
        (3, 3, None),
        (3, 2, "3 meters would be deactivated; policy.max_deactivations allows 2"),
    ],
)
def test_more_stops_than_the_policy_allows_are_refused(count, allowed, message):
    """A replacement counts as one; all that stop are refused, and the rest is not."""
    refused, diagnostics = judged(stops(count), guard_input(Policy(max_deactivations=allowed)))
    assert [diagnostic.message for diagnostic in diagnostics] == ([message] if message else [])
    assert refused.pop("new") == ()
    assert set(refused.values()) == {("G001",) if message else ()}


@pytest.mark.parametrize(
    ("desired", "policy", "by"),
    [
        (retire(protect=True), OWNING, "'calls' is protected: `protect: true`"),
        (
            declare(retires=("mtr_a",), protect=True),
            OWNING,
            "'calls' is protected: `protect: true`",
        ),
        (None, OWNING, None),
        (retire(), Policy(protect=("ca*",)), "'calls' is protected: policy.protect"),
        (retire(), Policy(protect=("CA*", "call")), None),
        (
            None,
            Policy(undeclared=Undeclared.DEACTIVATE, owns=("*",), protect=("*lls",)),
            "'calls' is protected: policy.protect",
        ),
        (declare(formula="count", display="New", protect=True), OWNING, None),
    ],
    ids=["file", "replaced", "unprotected", "pattern", "no pattern", "undeclared", "renamed"],
)
def test_a_protected_meter_is_not_stopped(desired, policy, by):
    """By the file or by a pattern of the policy, which holds for undeclared names too."""
    changes = lines([desired] if desired else [], [existing(formula="count")], policy=policy)
    if desired and desired.status == "inactive":
        changes = lines([desired], [existing()], policy=policy)
    refused, diagnostics = judged(changes, guard_input(policy))
    assert [diagnostic.message for diagnostic in diagnostics] == ([by] if by else [])
    assert refused == {"calls": ("G002",) if by else ()}
    assert all(
        diagnostic.location == (desired.location if desired else None) for diagnostic in diagnostics
    )
    assert all(diagnostic.hint == guards.PROTECTED.remedy for diagnostic in diagnostics)


@pytest.mark.parametrize("declared", [0, 1])
def test_an_empty_configuration_stops_nothing(declared):
    """It is far more often a wrong path than a wish; the message counts what would go."""
    changes = lines([], [existing("mtr_a", "a"), existing("mtr_b", "b"), stopped("mtr_c", "c")])
    refused, diagnostics = judged(changes, guard_input(declared=declared))
    codes = ("G003",) if not declared else ()
    assert refused == {"a": codes, "b": codes, "c": ()}
    if not declared:
        (diagnostic,) = diagnostics
        assert (
            diagnostic.message
            == "no meter is declared, and 2 undeclared meters would be deactivated"
        )


@pytest.mark.parametrize(
    ("desired", "left"),
    [
        (retire(), "p, q"),
        (retire(accepts=("p",)), "q"),
        (retire(accepts=("q", "r", "p")), None),
        (declare(retires=("mtr_a",), formula="last"), "p, q"),
        (declare(retires=("mtr_a",), formula="last", accepts=("p", "q")), None),
        (None, "p, q"),
    ],
)
def test_prices_that_bill_hold_a_meter_until_each_is_accepted(desired, left):
    """Consent names exactly the prices; ids that this account does not know are ignored."""
    prices = priced("p@mtr_a", "q@mtr_a", "x@mtr_other")
    changes = lines([desired] if desired else [], [existing()], prices)
    refused, diagnostics = judged(changes, guard_input())
    assert refused == {"calls": ("G004",) if left else ()}
    assert [p.message for p in diagnostics] == (
        [f"'calls' is used by active prices: {left}"] if left else []
    )
    assert all(f"accepts: {{prices: [{left}]}}" in p.hint for p in diagnostics)
    assert all(("status: inactive" in p.hint) is (desired is None) for p in diagnostics)


def test_prices_on_a_meter_that_is_woken_hold_nothing():
    """They are the reason to wake it."""
    changes = lines([declare()], [stopped("mtr_1"), stopped("mtr_2")], priced("p@mtr_1"))
    assert judged(changes, guard_input()) == ({"calls": ()}, ())


def test_unreadable_prices_refuse_the_lines_that_depend_on_them():
    """With the name of the permission; lines that need none, or write nothing, go on."""
    wants = [retire("a"), declare("b", display="New"), declare("c")]
    changes = lines(wants, [existing("mtr_a", "a"), existing("mtr_b", "b"), existing("mtr_c", "c")])
    at = guard_input(
        unreadable_prices=Unreadable("plan_read"), needs_prices=frozenset({"a", "c", "gone"})
    )
    refused, (diagnostic,) = judged(changes, at)
    assert refused == {"a": ("G005",), "b": (), "c": ()}
    assert diagnostic.message == (
        "deactivate of 'a' depends on prices that the key may not read (permission: plan_read)"
    )
    assert (diagnostic.event_name, diagnostic.location) == ("a", wants[0].location)


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        (False, False, None),
        (True, True, None),
        (None, True, None),
        (True, False, "configured for test mode, but the key is for live mode"),
        (False, True, "configured for live mode, but the key is for test mode"),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_the_wrong_mode_refuses_everything(found, expected, said, writes):
    """Also a plan without changes: it was computed against the wrong meters."""
    changes = lines([declare(display="New" if writes else None)], [existing()])
    at = guard_input(account=AccountRef("test", "acct_1", found), expected_livemode=expected)
    refused, diagnostics = judged(changes, at)
    assert refused == {"calls": ("G006",) if said and writes else ()}
    assert [diagnostic.code for diagnostic in diagnostics] == (["G006"] if said else [])
    assert all(said in diagnostic.message for diagnostic in diagnostics)


@pytest.mark.parametrize(
    ("own", "code", "said"),
    [
        ("acct_1", None, ""),
        ("acct_2", "G007", "account 'test' is configured as acct_1, but the key belongs to acct_2"),
        (Unreadable("account_read"), "G008", "(permission: account_read)"),
    ],
)
def test_the_wrong_account_refuses_everything(own, code, said):
    """So does one that cannot be read while `account_id` is configured."""
    changes = lines([declare(), declare("new")], [existing()])
    refused, diagnostics = judged(changes, guard_input(expected_id="acct_1", own_id=own))
    assert refused == {"calls": (), "new": (code,) if code else ()}
    assert [diagnostic.code for diagnostic in diagnostics] == ([code] if code else [])
    assert all(said in diagnostic.message for diagnostic in diagnostics)


@pytest.mark.parametrize(
    ("own", "said"),
    [("acct_2", ("G007", Level.ERROR)), (Unreadable("x"), ("G008", Level.WARNING))],
)
def test_without_changes_only_a_proven_mismatch_is_an_error(own, said):
    """An account that cannot be read refuses writes; where there are none, it is told."""
    at = guard_input(expected_id="a", own_id=own)
    marked, diagnostics = check(lines([declare()], [existing()]), at)
    assert [(diagnostic.code, diagnostic.level) for diagnostic in diagnostics] == [said]
    assert not any(line.refused_by for line in marked)


def test_without_a_configured_account_any_account_will_do():
    """The key alone decides then."""
    changes = lines([declare()], [])
    assert judged(changes, guard_input(own_id=Unreadable("x"))) == ({"calls": ()}, ())


def test_a_line_that_several_guards_refuse_names_each_once():
    """Every refusal is shown, the widest first; blocked lines are never marked."""
    wants = [retire(protect=True), declare("b")]
    account = [existing(), existing("mtr_b", "b", formula="last")]
    changes = lines(wants, account, priced("p@mtr_a"))
    at = guard_input(Policy(max_deactivations=0, protect=("*",)), own_id="x", expected_id="y")
    refused, diagnostics = judged(changes, at)
    assert refused == {"calls": ("G007", "G001", "G002", "G004"), "b": ()}
    assert len(diagnostics) == 4
