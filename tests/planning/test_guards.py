"""Every guard: which changes it refuses, and why."""

from __future__ import annotations

import pytest
from builders.meters import OWNING, active_prices, decide_all, declare, existing, inactive, retire
from msgspec.structs import replace

from reconciler.diagnostics.codes import guards
from reconciler.diagnostics.diagnostic import Level
from reconciler.model.meter import Unreadable
from reconciler.model.project import Account, AccountRef, Policy, Undeclared
from reconciler.model.snapshot import Snapshot
from reconciler.planning.guards import check, report_wrong_mode

HERE = AccountRef("test", "acct_1", livemode=False)
ACCOUNT = Account("test", policy=OWNING, declared=(declare(),))
UNCONFIRMED = (
    "account 'test' is configured as acct_1, but the key may not read its account "
    "(permission: account_read)"
)
PROTECTING = Policy(undeclared=Undeclared.DEACTIVATE, owns=("*",), protect=("*lls",))


def run_guards(changes, policy=OWNING, *, account=HERE, own_id="acct_1", read=None, **configured):
    """Return the codes that refuse each event_name, and the diagnostics."""
    snapshot = Snapshot(account=account, own_id=own_id, taken_at=0, prices={}, **(read or {}))
    marked, diagnostics = check(changes, replace(ACCOUNT, policy=policy, **configured), snapshot)
    assert [replace(change, refused_by=()) for change in marked] == list(changes)
    return {change.event_name: change.refused_by for change in marked}, diagnostics


def deactivations(count):
    """Changes that deactivate `count` meters, one by a replacement, and an update beside them."""
    wants = [declare("new", display="Renamed"), declare("m0", retires=("mtr_0",))]
    wants += [retire(f"m{n}") for n in range(1, count)]
    account = [existing("mtr_n", "new"), existing("mtr_0", "m0", formula="count")]
    return decide_all(wants, account + [existing(f"mtr_{n}", f"m{n}") for n in range(1, count)])


@pytest.mark.parametrize(
    ("count", "allowed", "message"),
    [
        (1, 1, None),
        (1, 0, "1 meter would be deactivated; policy.max_deactivations allows 0"),
        (3, 3, None),
        (3, 2, "3 meters would be deactivated; policy.max_deactivations allows 2"),
    ],
)
def test_more_deactivations_than_the_policy_allows_are_refused(count, allowed, message):
    """A replacement counts as one; an update is not refused."""
    refused, diagnostics = run_guards(deactivations(count), Policy(max_deactivations=allowed))
    assert [diagnostic.message for diagnostic in diagnostics] == ([message] if message else [])
    assert refused.pop("new") == ()
    assert set(refused.values()) == {("G001",) if message else ()}


@pytest.mark.parametrize(
    ("desired", "meter", "policy", "by"),
    [
        (retire(protect=True), existing(), OWNING, "`protect: true`"),
        (
            declare(retires=("mtr_a",), protect=True),
            existing(window="day"),
            OWNING,
            "`protect: true`",
        ),
        (None, existing(), OWNING, None),
        (retire(), existing(), Policy(protect=("ca*",)), "policy.protect"),
        (retire(), existing(), Policy(protect=("CA*", "call")), None),
        (None, existing(), PROTECTING, "policy.protect"),
        (declare(display="New", protect=True), existing(), OWNING, None),
    ],
    ids=["file", "replaced", "unprotected", "pattern", "no match", "undeclared", "renamed"],
)
def test_a_protected_meter_is_not_deactivated(desired, meter, policy, by):
    changes = decide_all([desired] if desired else [], [meter], policy=policy)
    refused, diagnostics = run_guards(changes, policy, declared=(desired or declare(),))
    assert refused == {"calls": ("G002",) if by else ()}
    assert [(each.message, each.location, each.hint) for each in diagnostics] == (
        [(f"'calls' is protected: {by}", changes[0].location, guards.PROTECTED.remedy)]
        if by
        else []
    )


@pytest.mark.parametrize(
    ("names", "declared", "meters"),
    [
        ("a", (), "1 undeclared meter"),
        ("ab", (), "2 undeclared meters"),
        ("ab", (declare(),), None),
    ],
)
def test_an_empty_configuration_deactivates_nothing(names, declared, meters):
    """It is more often a wrong path than intended."""
    account = [existing(f"mtr_{name}", name) for name in names]
    changes = decide_all([], [*account, inactive("mtr_c", "c")])
    refused, diagnostics = run_guards(changes, declared=declared)
    assert refused == {**dict.fromkeys(names, ("G003",) if meters else ()), "c": ()}
    message = f"no meter is declared, and {meters} would be deactivated"
    assert [each.message for each in diagnostics] == ([message] if meters else [])


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
def test_active_prices_refuse_a_deactivation_until_each_is_accepted(desired, left):
    """A price on another meter does not count; the hint has the consent to copy."""
    prices = active_prices("p@mtr_a", "q@mtr_a", "x@mtr_other")
    changes = decide_all([desired] if desired else [], [existing()], prices)
    refused, diagnostics = run_guards(changes)
    assert refused == {"calls": ("G004",) if left else ()}
    messages = [f"'calls' has prices in use: {left}"] if left else []
    assert [each.message for each in diagnostics] == messages
    given = ", ".join(["p", left] if left == "q" else [left or ""])
    assert all(f"`accepts: {{prices: [{given}]}}`" in each.hint for each in diagnostics)
    assert all(("status: inactive" in each.hint) is (desired is None) for each in diagnostics)


def test_active_prices_do_not_refuse_a_reactivation():
    account = [inactive("mtr_1"), inactive("mtr_2")]
    changes = decide_all([declare()], account, active_prices("p@mtr_1"))
    assert run_guards(changes) == ({"calls": ()}, ())


def test_unreadable_prices_refuse_the_changes_that_depend_on_them():
    """Changes that need none, or write nothing, are not refused."""
    wants = [retire("a"), declare("b", display="New"), declare("c")]
    changes = decide_all(wants, [existing(f"mtr_{name}", name) for name in "abc"])
    read = {
        "unreadable": Unreadable("plan_read"),
        "needs_prices": frozenset({"a", "c", "gone"}),
    }
    refused, (diagnostic,) = run_guards(changes, read=read)
    assert refused == {"a": ("G005",), "b": (), "c": ()}
    assert diagnostic.message == (
        "deactivate of 'a' depends on prices that the key may not read (permission: plan_read)"
    )
    assert (diagnostic.event_name, diagnostic.location) == ("a", wants[0].location)


@pytest.mark.parametrize(
    ("found", "livemode", "message"),
    [
        (False, False, None),
        (True, True, None),
        (None, True, None),
        (True, False, "configured for test mode, but the key is for live mode"),
        (False, True, "configured for live mode, but the key is for test mode"),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_the_wrong_mode_refuses_everything(found, livemode, message, writes):
    """A plan without changes as well: it was computed from the wrong meters."""
    changes = decide_all([declare(display="New" if writes else None)], [existing()])
    here = replace(HERE, livemode=found)
    refused, diagnostics = run_guards(changes, account=here, livemode=livemode)
    assert refused == {"calls": ("G006",) if message and writes else ()}
    assert [(each.code, each.level) for each in diagnostics] == (
        [("G006", Level.ERROR)] if message else []
    )
    assert all(each.message == f"account 'test' is {message}" for each in diagnostics)


@pytest.mark.parametrize(
    ("foreign", "named"),
    [
        ("a", "a is in live mode"),
        ("ab", "a, b are in live mode"),
        ("abcde", "a, b, c, d, e are in live mode"),
        ("abcdefg", "a, b, c, d, e and 2 more are in live mode"),
    ],
)
def test_objects_of_the_wrong_mode_are_named(foreign, named):
    message = report_wrong_mode(HERE, tuple(foreign)).message
    assert message == f"account 'test' is configured for test mode, but {named}"


@pytest.mark.parametrize(
    ("own", "code", "message"),
    [
        ("acct_1", None, ""),
        ("acct_2", "G007", "account 'test' is configured as acct_1, but the key belongs to acct_2"),
        (Unreadable("account_read"), "G008", UNCONFIRMED),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_the_wrong_account_refuses_everything(own, code, message, writes):
    """An unreadable account refuses writes, and is a warning where there are none."""
    changes = decide_all([declare(), *([declare("new")] if writes else [])], [existing()])
    refused, diagnostics = run_guards(changes, own_id=own, account_id="acct_1")
    assert refused == {"calls": ()} | ({"new": (code,) if code else ()} if writes else {})
    level = Level.WARNING if code == "G008" and not writes else Level.ERROR
    assert [(each.code, each.level) for each in diagnostics] == ([(code, level)] if code else [])
    assert all(message == each.message for each in diagnostics)


@pytest.mark.parametrize(
    ("title", "named"), [("", "account_read"), ("Accounts Read", '"Accounts Read" (account_read)')]
)
def test_the_permission_to_read_the_account_is_named_as_in_the_dashboard(title, named):
    """Where Stripe's refusal says what it is called there."""
    own = Unreadable("account_read", title=title)
    _, (diagnostic,) = run_guards(decide_all([declare()], []), own_id=own, account_id="acct_1")
    assert diagnostic.hint == f"add the permission {named} to the restricted key"


def test_without_a_configured_account_id_any_account_is_accepted():
    assert run_guards(decide_all([declare()], []), own_id=Unreadable("x")) == ({"calls": ()}, ())


def test_a_change_that_several_guards_refuse_has_each_code_once():
    """Guards of the whole plan come first; blocked changes are never marked."""
    account = [existing(), existing("mtr_b", "b", formula="last")]
    changes = decide_all([retire(protect=True), declare("b")], account, active_prices("p@mtr_a"))
    policy = Policy(max_deactivations=0, protect=("*",))
    refused, diagnostics = run_guards(changes, policy, own_id="x", account_id="y")
    assert refused == {"calls": ("G007", "G001", "G002", "G004"), "b": ()}
    assert len(diagnostics) == 4
