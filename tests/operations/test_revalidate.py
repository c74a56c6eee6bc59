"""A saved plan against the current account, policy, prices and guards."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import pytest
from builders.emulated import context
from builders.meters import declare, existing, inactive, retire
from msgspec.structs import replace
from operations.test_plan_and_apply import EVERY, METERS, codes, statuses

from reconciler.diagnostics.errors import Exit, RefusedError, StaleError
from reconciler.emulator import Key, Settings
from reconciler.model.price import Price
from reconciler.model.project import Policy, Undeclared
from reconciler.operations.apply_plan import OnRefused
from reconciler.operations.revalidate import StalePlanError
from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dump_plan, load_plan
from reconciler.planning.scope import Scope
from reconciler.stripe.meter_writer import AccountMeters

SAME = [inactive("mtr_1", at=1), inactive("mtr_2", at=2)]
GONE, RETIRED = [existing("mtr_g", "gone")], [retire("gone")]
NEW_METER = {"display_name": "New", "default_aggregation": {"formula": "sum"}}


def save(planned):
    """Return a plan as it is read from its file."""
    return replace(planned, plan=load_plan(dump_plan(planned.plan), "plan.json"))


@contextmanager
def saved_plan(meters=METERS, prices=(), declared=EVERY, **more):
    """Yield an account, and the saved plan of what is declared."""
    with context(meters, prices, declared, **more) as it:
        yield it, save(it.plan())


def refused_or_done(error, match):
    return pytest.raises(error, match=match) if match else nullcontext()


def test_a_saved_plan_applies_what_was_approved():
    """The files may have changed since, but for the consent in them."""
    with saved_plan() as (it, planned):
        it.declare(declare("something", display="Else"), declare("old", retires=("mtr_o",)))
        report = it.revalidate(planned)
        active = {m.event_name for m in it.list_all().values() if m.active}
    assert (report.exit_code, report.plan_id) == (Exit.DONE, planned.plan.plan_id)
    assert set(statuses(report).values()) == {"done"}
    assert active == {"named", "new", "old", "same", "back"}


def test_a_plan_applied_twice_writes_once():
    with saved_plan() as (it, planned):
        it.revalidate(planned)
        it.server.log.clear()
        report = it.revalidate(planned)
        assert it.posts() == []
    assert (report.exit_code, set(statuses(report).values())) == (Exit.DONE, {"already"})


STALE = {
    "renamed": (
        lambda it: it.edit("mtr_n", display_name="Theirs"),
        "'named' changed in Stripe after the plan was made: "
        "mtr_n changed (display_name 'Named' -> 'Theirs')",
    ),
    "renamed and back": (
        lambda it: (
            it.edit("mtr_n", display_name="Theirs"),
            it.edit("mtr_n", display_name="Named"),
        ),
        "mtr_n changed (updated ",
    ),
    "deactivated": (lambda it: it.edit("mtr_n", "deactivate"), "(status 'active' -> 'inactive')"),
    "a second meter": (
        lambda it: (
            it.edit("mtr_n", "deactivate"),
            it.server.edit("/v1/billing/meters", {"event_name": "named", **NEW_METER}),
        ),
        " is new",
    ),
    "the replaced one deactivated": (lambda it: it.edit("mtr_o", "deactivate"), "mtr_o changed"),
    "reactivated, not renamed": (lambda it: it.edit("mtr_w", "reactivate"), "mtr_w changed"),
    "an inactive meter renamed": (lambda it: it.edit("mtr_v", display_name="X"), "mtr_v changed"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_meter_that_changed_makes_the_plan_stale(case):
    """Nothing is written; the error has the location of the declaration and what changed."""
    edit, message = STALE[case]
    with saved_plan() as (it, planned):
        it.clock.sleep(60)
        edit(it)
        before = it.stored()
        with pytest.raises(StaleError) as caught:
            it.revalidate(planned)
        assert it.stored() == before
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, caught.value.exit_code) == ("A001", Exit.STALE)
    assert diagnostic.location
    assert message in diagnostic.message


def test_a_stale_narrowed_plan_is_reported_as_incomplete():
    with context(METERS, declared=EVERY) as it:
        planned = save(it.plan(scope=Scope(only=("named", "new"))))
        it.edit("mtr_n", display_name="Theirs")
        with pytest.raises(StalePlanError) as caught:
            it.revalidate(planned)
    report = caught.value.report
    assert (report.complete, statuses(report)) == (False, {"named": "stale", "new": "skipped"})


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/billing/meters/mtr_e", {"display_name": "Theirs"}),
        ("/v1/billing/meters/mtr_e/deactivate", {}),
        ("/v1/billing/meters/mtr_z/reactivate", {}),
        ("/v1/billing/meters", {"event_name": "e", **NEW_METER}),
    ],
)
def test_changes_of_other_meters_do_not_make_a_plan_stale(path, params):
    with saved_plan() as (it, planned):
        it.server.edit(path, params)
        assert it.revalidate(planned).exit_code is Exit.DONE


def test_changes_that_are_applied_already_are_left_out():
    with saved_plan() as (it, planned):
        it.edit("mtr_g", "deactivate")
        it.edit("mtr_n", display_name="Other")
        report = it.revalidate(planned)
    results = statuses(report)
    assert {name for name, status in results.items() if status == "already"} == {"gone", "named"}
    assert (report.exit_code, results["new"]) == (Exit.DONE, "done")


@pytest.mark.parametrize(
    ("age", "error"),
    [
        (3600, None),
        (3601, r"is 1 hour old; policy\.max_plan_age allows 1 hour"),
        (-300, None),
        (-301, r"is dated .*Z, .* from now"),
        (-(10**15), r"is dated .*Z, .* from now"),
    ],
)
def test_a_plan_that_is_too_old_or_from_the_future_is_stale(age, error):
    """The clocks of two machines may differ by five minutes."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan()
        it.declare(*EVERY, max_plan_age=3600)
        made = seal(replace(planned.plan, created_at=int(it.clock.now()) - age))
        with refused_or_done(StaleError, error):
            assert it.revalidate(save(replace(planned, plan=made))).exit_code is Exit.DONE
        assert bool(it.posts()) is (error is None)


def test_the_guards_are_the_current_ones():
    wants = [*RETIRED, declare("new")]
    with saved_plan(GONE, (), wants, policy=Policy(max_deactivations=0)) as (it, planned):
        assert planned.report.exit_code is Exit.REFUSED
        assert it.revalidate(planned).exit_code is Exit.REFUSED
        it.declare(*wants, max_deactivations=1)
        assert it.revalidate(planned).exit_code is Exit.DONE
    with saved_plan(GONE, (), wants) as (it, planned):
        it.declare(*wants, protect=("g*",))
        before = it.stored()
        report = it.revalidate(planned, on_refused=OnRefused.ABORT)
        assert it.stored() == before
    assert (codes(report), report.exit_code) == (["G002"], Exit.REFUSED)


def test_a_new_price_refuses_a_deactivation():
    price = {
        "currency": "usd",
        "unit_amount": "1",
        "product_data": {"name": "P"},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": "mtr_g"},
    }
    with saved_plan(GONE, (), RETIRED) as (it, planned):
        it.server.edit("/v1/prices", price)
        report = it.revalidate(planned)
    assert (codes(report), report.exit_code) == (["G004"], Exit.REFUSED)


def test_a_price_that_is_archived_refuses_nothing_and_lowers_the_risk():
    with saved_plan(GONE, [Price("p", "mtr_g")], RETIRED) as (it, planned):
        assert codes(planned.report) == ["G004"]
        with it.server.lock:
            it.server.state.ledger.prices["p"]["active"] = False
        (before,), (now,) = planned.plan.changes, it.plan().plan.changes
        report = it.revalidate(planned)
    assert report.exit_code is Exit.DONE
    assert before.risk != now.risk == report.changes[0].change.risk


def test_a_price_that_moved_to_another_inactive_meter_makes_the_plan_stale():
    """The plan was approved for the meter that the prices used."""
    with saved_plan(SAME, [Price("p", "mtr_1")], [declare()]) as (it, planned):
        with it.server.lock:
            it.server.state.ledger.prices["p"]["recurring"]["meter"] = "mtr_2"
        with pytest.raises(StaleError, match="would be planned differently now: reactivate of"):
            it.revalidate(planned)


def keys(*permissions):
    return Settings(keys=(Key("sk_test_all"), Key("rk_test_few", frozenset(permissions))))


@pytest.mark.parametrize("undeclared", Undeclared)
def test_prices_that_became_unreadable_refuse_only_what_depends_on_them(undeclared):
    """The guard names the permission; a change of the policy still makes the plan stale."""
    meters, settings = [*SAME, existing("mtr_x", "x")], keys("billing_meter_write")
    with context(meters, [Price("p", "mtr_1")], [declare()], settings=settings) as it:
        it.environ = {"KEY": "sk_test_all"}
        planned = save(it.plan())
        it.environ = {"KEY": "rk_test_few"}
        it.declare(declare(), undeclared=undeclared)
        stale = "'x' would be planned differently now: unmanaged"
        with refused_or_done(StaleError, stale if undeclared is Undeclared.REPORT else None):
            report = it.revalidate(planned)
            assert (set(codes(report)), report.exit_code) == ({"G005"}, Exit.REFUSED)
        assert it.posts() == []


@pytest.mark.parametrize("narrow", ["reads", "applies"])
def test_plan_and_apply_may_have_different_keys(narrow):
    """That a key may not read its account is no sign of another account."""
    settings = keys("billing_meter_write", "plan_read")
    with context(METERS, declared=EVERY, settings=settings) as it:
        it.environ = {"KEY": "rk_test_few" if narrow == "reads" else "sk_test_all"}
        planned = save(it.plan())
        assert (planned.plan.account.id is None) is (narrow == "reads")
        it.environ = {"KEY": "sk_test_all" if narrow == "reads" else "rk_test_few"}
        assert it.revalidate(planned).exit_code is Exit.DONE


def test_a_meter_that_a_lagging_list_does_not_show_is_read_by_id(monkeypatch):
    whole = AccountMeters.list_all
    with saved_plan() as (it, planned):
        monkeypatch.setattr(AccountMeters, "list_all", lambda meters: whole(meters)[2:])
        report = it.revalidate(planned)
    assert (report.exit_code, set(statuses(report).values())) == (Exit.DONE, {"done"})


FOREIGN = {
    "a meter that is not there": ({"listed": ("mtr_q",)}, {}, "no meter mtr_q"),
    "account": ({}, {"id": "acct_other"}, "it was made for acct_other"),
    "mode": ({}, {"livemode": True}, r"\(live mode\)"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_plan_of_another_account_is_refused(case):
    changed, account, message = FOREIGN[case]
    with saved_plan() as (it, planned):
        account = replace(planned.plan.account, **account)
        plan = seal(replace(planned.plan, account=account, **changed))
        with pytest.raises(RefusedError, match=message) as caught:
            it.revalidate(replace(planned, plan=plan))
        assert it.posts() == []
    assert caught.value.exit_code is Exit.REFUSED


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("name", "other"),
        ("livemode", True),
        ("account_id", "acct_other"),
        ("stripe_account", "acct_other"),
        ("stripe_context", "acct_other"),
    ],
)
def test_a_plan_for_other_account_settings_is_refused(setting, value):
    """The message names the setting."""
    with saved_plan() as (it, planned):
        foreign = seal(
            replace(planned.plan, target=replace(planned.plan.target, **{setting: value}))
        )
        with pytest.raises(RefusedError, match=f"it was made for {setting} {value!r}, this is"):
            it.revalidate(replace(planned, plan=foreign))
        assert it.posts() == []
