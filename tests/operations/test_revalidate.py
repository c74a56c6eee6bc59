"""A saved plan against the account, the policy, the prices and the guards of now."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.emulated import context
from builders.meters import declare, existing, inactive, retire
from operations.test_plan_and_apply import EVERY, METERS, codes, statuses

from reconciler.diagnostics.errors import Exit, RefusedError, StaleError
from reconciler.emulator import Key, Settings
from reconciler.model.price import Price
from reconciler.model.project import Policy, Undeclared
from reconciler.operations.apply_plan import OnRefused
from reconciler.operations.revalidate import StalePlanError
from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dumps, loads
from reconciler.planning.scope import Scope
from reconciler.stripe.meter_writer import AccountMeters

TWINS = [inactive("mtr_1", at=1), inactive("mtr_2", at=2)]


def saved(planned):
    """What comes back from the file."""
    return replace(planned, plan=loads(dumps(planned.plan), "plan.json"))


def test_a_saved_plan_does_what_was_approved():
    """Every kind of line; the files may say something else by now, or nothing at all."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.declare(declare("something", display="Else"))
        report = it.revalidate(planned)
        assert report.exit_code is Exit.DONE
        assert set(statuses(report).values()) == {"done"}
        assert report.plan_id == planned.plan.plan_id
        active = {m.event_name for m in it.list_all().values() if m.active}
    assert active == {"named", "new", "old", "same", "woken"}


def test_a_plan_applied_twice_writes_once():
    """The second finds everything already as wanted, by meaning and not by who did it."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.revalidate(planned)
        it.server.log.clear()
        report = it.revalidate(planned)
        assert it.posts() == []
    assert report.exit_code is Exit.DONE
    assert set(statuses(report).values()) == {"already"}


MOVED = {
    "renamed": lambda it: it.edit("mtr_n", display_name="Theirs"),
    "renamed and back": lambda it: (
        it.edit("mtr_n", display_name="Theirs"),
        it.edit("mtr_n", display_name="Named"),
    ),
    "stopped": lambda it: it.edit("mtr_n", "deactivate"),
    "a twin came": lambda it: (
        it.edit("mtr_n", "deactivate"),
        it.server.edit(
            "/v1/billing/meters",
            {
                "event_name": "named",
                "display_name": "Twin",
                "default_aggregation": {"formula": "sum"},
            },
        ),
    ),
    "the old one was stopped": lambda it: it.edit("mtr_o", "deactivate"),
    "woken, not renamed": lambda it: it.edit("mtr_w", "reactivate"),
}


@pytest.mark.parametrize("how", MOVED)
def test_a_line_that_moved_makes_the_plan_stale(how):
    """Nothing at all is written, and every such line is named with its place."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.clock.sleep(60)
        MOVED[how](it)
        before = it.stored()
        with pytest.raises(StaleError) as caught:
            it.revalidate(planned)
        assert it.stored() == before
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "A001"
    assert diagnostic.location
    assert caught.value.exit_code is Exit.STALE


STALE_BECAUSE = {
    "renamed": "mtr_n changed (display_name 'Named' -> 'Theirs')",
    "renamed and back": "mtr_n changed (updated ",
    "a twin came": " is new",
}


@pytest.mark.parametrize("how", STALE_BECAUSE)
def test_a_stale_change_says_what_changed_in_stripe(how):
    """A field, only a timestamp, or a new meter of the event_name."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.clock.sleep(60)
        MOVED[how](it)
        with pytest.raises(StaleError) as caught:
            it.revalidate(planned)
    (diagnostic,) = caught.value.diagnostics
    assert "'named' changed in Stripe after the plan was made: " in diagnostic.message
    assert STALE_BECAUSE[how] in diagnostic.message


def test_a_stale_narrowed_plan_is_reported_as_incomplete():
    """Its report has every change, and still is not that of the whole account."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan(scope=Scope(only=("named", "new"))))
        it.edit("mtr_n", display_name="Theirs")
        with pytest.raises(StalePlanError) as caught:
            it.revalidate(planned)
    report = caught.value.report
    assert (report.complete, statuses(report)) == (False, {"named": "stale", "new": "skipped"})


def test_a_twin_that_moved_makes_the_plan_stale():
    """All live meters of a name that is written are part of what was approved."""
    meters = [existing("mtr_n", "named"), inactive("mtr_t", "named", formula="count")]
    with context(meters, declared=[declare("named", display="Other")]) as it:
        planned = saved(it.plan())
        it.edit("mtr_t", display_name="Theirs")
        with pytest.raises(StaleError):
            it.revalidate(planned)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/billing/meters/mtr_e", {"display_name": "Theirs"}),
        ("/v1/billing/meters/mtr_e/deactivate", {}),
        ("/v1/billing/meters/mtr_z/reactivate", {}),
        (
            "/v1/billing/meters",
            {"event_name": "e", "display_name": "E", "default_aggregation": {"formula": "sum"}},
        ),
    ],
)
def test_changes_elsewhere_do_not_make_it_stale(path, params):
    """Only the lines that write are held to what was read."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.server.edit(path, params)
        assert it.revalidate(planned).exit_code is Exit.DONE


def test_what_somebody_else_did_already_is_left_out():
    """The other lines are done."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.edit("mtr_g", "deactivate")
        it.edit("mtr_n", display_name="Other")
        report = it.revalidate(planned)
    became = statuses(report)
    assert {name for name, status in became.items() if status == "already"} == {"gone", "named"}
    assert (report.exit_code, became["new"]) == (Exit.DONE, "done")


@pytest.mark.parametrize(("age", "stale"), [(3600, False), (3601, True)])
def test_a_plan_that_is_too_old_is_stale(age, stale):
    """By the policy of now; the message carries both ages."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        it.declare(*EVERY, max_plan_age=3600)
        it.clock.sleep(age - (it.clock.now() - planned.plan.created_at))
        if not stale:
            assert it.revalidate(planned).exit_code is Exit.DONE
            return
        with pytest.raises(StaleError, match=r"is 1 hour old; policy\.max_plan_age allows 1 hour"):
            it.revalidate(planned)


@pytest.mark.parametrize(("ahead", "stale"), [(300, False), (301, True), (10**15, True)])
def test_a_plan_from_the_future_is_stale(ahead, stale):
    """It would never be too old; the clocks of two machines may differ by five minutes."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan()
        made = seal(replace(planned.plan, created_at=int(it.clock.now()) + ahead))
        planned = saved(replace(planned, plan=made))
        if not stale:
            assert it.revalidate(planned).exit_code is Exit.DONE
            return
        with pytest.raises(StaleError, match=r"is dated .*Z, .* from now"):
            it.revalidate(planned)
        assert it.posts() == []


def test_the_guards_are_those_of_now():
    """A refusal of then may have been settled, and one of now holds."""
    wants = [retire("gone"), declare("new")]
    with context(
        [existing("mtr_g", "gone")], declared=wants, policy=Policy(max_deactivations=0)
    ) as it:
        planned = saved(it.plan())
        assert planned.report.exit_code is Exit.REFUSED
        assert it.revalidate(planned).exit_code is Exit.REFUSED
        it.declare(*wants, max_deactivations=1)
        assert it.revalidate(planned).exit_code is Exit.DONE
    with context([existing("mtr_g", "gone")], declared=wants) as it:
        planned = saved(it.plan())
        it.declare(*wants, protect=("g*",))
        before = it.stored()
        report = it.revalidate(planned, on_refused=OnRefused.ABORT)
        assert it.stored() == before
    assert (codes(report), report.exit_code) == (["G002"], Exit.REFUSED)


def test_the_prices_are_those_of_now():
    """A new price on a meter to stop refuses the line, though the plan saw none."""
    with context([existing("mtr_g", "gone")], declared=[retire("gone")]) as it:
        planned = saved(it.plan())
        it.server.edit("/v1/prices", price_on("mtr_g"))
        report = it.revalidate(planned)
    assert (codes(report), report.exit_code) == (["G004"], Exit.REFUSED)


def test_the_risk_follows_from_the_current_prices():
    """It is that of a new plan, and not the saved one."""
    with context([existing("mtr_g", "gone")], [Price("p", "mtr_g")], [retire("gone")]) as it:
        planned = saved(it.plan())
        with it.server.lock:
            it.server.state.ledger.prices["p"]["active"] = False
        (before,) = planned.plan.changes
        (now,) = it.plan().plan.changes
        (reported,) = it.revalidate(planned).changes
    assert before.risk != now.risk == reported.change.risk


def test_a_price_that_is_gone_refuses_nothing_any_more():
    """The plan saw it, and was refused for it."""
    with context([existing("mtr_g", "gone")], [Price("p", "mtr_g")], [retire("gone")]) as it:
        planned = saved(it.plan())
        assert codes(planned.report) == ["G004"]
        with it.server.lock:
            it.server.state.ledger.prices["p"]["active"] = False
        assert it.revalidate(planned).exit_code is Exit.DONE


def test_a_price_that_moved_chooses_another_twin_and_makes_it_stale():
    """The plan was approved for the twin that the prices pointed to."""
    with context(TWINS, [Price("p", "mtr_1")], [declare()]) as it:
        planned = saved(it.plan())
        with it.server.lock:
            it.server.state.ledger.prices["p"]["recurring"]["meter"] = "mtr_2"
        with pytest.raises(StaleError):
            it.revalidate(planned)


def price_on(meter):
    return {
        "currency": "usd",
        "unit_amount": "1",
        "product_data": {"name": "P"},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
    }


def test_prices_that_cannot_be_read_now_refuse_and_are_not_called_stale():
    """Which twin they point to cannot be judged: the guard says which permission is missing."""
    keys = (Key("sk_test_all"), Key("rk_test_few", frozenset({"billing_meter_write"})))
    prices = [Price("price_1", "mtr_1")]
    with context(TWINS, prices, [declare()], settings=Settings(keys=keys)) as it:
        it.environ = {"KEY": "sk_test_all"}
        planned = saved(it.plan())
        it.environ = {"KEY": "rk_test_few"}
        report = it.revalidate(planned)
        assert it.posts() == []
    assert (codes(report), report.exit_code) == (["G005"], Exit.REFUSED)


def test_unreadable_prices_do_not_hide_a_change_that_the_policy_no_longer_makes():
    """Only the changes that depend on prices are left to the guard."""
    keys = (Key("sk_test_all"), Key("rk_test_few", frozenset({"billing_meter_write"})))
    meters = [*TWINS, existing("mtr_x", "x")]
    with context(meters, [Price("p", "mtr_1")], [declare()], settings=Settings(keys=keys)) as it:
        it.environ = {"KEY": "sk_test_all"}
        planned = saved(it.plan())
        it.environ = {"KEY": "rk_test_few"}
        it.declare(declare(), undeclared=Undeclared.REPORT)
        with pytest.raises(StaleError, match="'x' would be planned differently now: unmanaged"):
            it.revalidate(planned)


def test_a_policy_that_no_longer_stops_undeclared_meters_makes_it_stale():
    """Consent is looked for now, in the reviewed files."""
    with context([existing("mtr_x", "x")], declared=[declare("x"), declare("y")]) as it:
        it.declare(declare("y"))
        planned = saved(it.plan())
        it.declare(declare("y"), undeclared=Undeclared.REPORT)
        with pytest.raises(StaleError):
            it.revalidate(planned)


@pytest.mark.parametrize("narrow", ["reads", "applies"])
def test_plan_and_apply_may_have_different_keys(narrow):
    """One may not read its account: that is no sign of another account."""
    keys = (
        Key("sk_test_all"),
        Key("rk_test_few", frozenset({"billing_meter_write", "plan_read"})),
    )
    with context(METERS, declared=EVERY, settings=Settings(keys=keys)) as it:
        it.environ = {"KEY": "rk_test_few" if narrow == "reads" else "sk_test_all"}
        planned = saved(it.plan())
        assert (planned.plan.account.id is None) is (narrow == "reads")
        it.environ = {"KEY": "sk_test_all" if narrow == "reads" else "rk_test_few"}
        assert it.revalidate(planned).exit_code is Exit.DONE


def test_a_meter_that_a_late_list_does_not_show_is_read_by_its_id(monkeypatch):
    """Another server may answer than when it was planned: that is no sign of another account."""
    whole = AccountMeters.list_all
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
        monkeypatch.setattr(AccountMeters, "list_all", lambda meters: whole(meters)[2:])
        report = it.revalidate(planned)
        assert (report.exit_code, set(statuses(report).values())) == (Exit.DONE, {"done"})


def test_a_plan_of_another_account_is_refused():
    """By a listed id that is not there, or by the account itself; nothing is written."""
    with context(METERS, declared=EVERY) as it:
        planned = saved(it.plan())
    with context(METERS[1:], declared=EVERY) as it:
        with pytest.raises(RefusedError, match="no meter mtr_w") as caught:
            it.revalidate(planned)
        assert it.posts() == []
    assert caught.value.exit_code is Exit.REFUSED
    elsewhere = seal(replace(planned.plan, target=replace(planned.plan.target, name="b")))
    with context(METERS, declared=EVERY) as it:
        with pytest.raises(RefusedError, match="it was made for name 'b', this is name 'test'"):
            it.revalidate(replace(planned, plan=elsewhere))
        assert it.posts() == []
    other = replace(planned.plan.account, id="acct_other")
    with context(METERS, declared=EVERY) as it:
        foreign = replace(planned, plan=replace(planned.plan, account=other))
        with pytest.raises(RefusedError, match="it was made for acct_other"):
            it.revalidate(foreign)
        wrong = replace(planned.plan.account, livemode=True)
        with pytest.raises(RefusedError, match="live mode"):
            it.revalidate(replace(planned, plan=replace(planned.plan, account=wrong)))
        assert it.posts() == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("livemode", True),
        ("account_id", "acct_other"),
        ("stripe_account", "acct_other"),
        ("stripe_context", "acct_other"),
    ],
)
def test_a_plan_for_other_account_settings_is_refused(setting, value):
    """The name of the account alone does not identify it; the message names the setting."""
    with context(METERS, declared=EVERY) as it:
        plan = it.plan().plan
        foreign = seal(replace(plan, target=replace(plan.target, **{setting: value})))
        with pytest.raises(RefusedError, match=f"it was made for {setting} {value!r}, this is"):
            it.revalidate(replace(it.plan(), plan=foreign))
        assert it.posts() == []
