"""Plan, apply and verify over HTTP, for whole and for narrowed runs."""

from __future__ import annotations

import pytest
from builders.emulated import allowed_requests, context, request_of
from builders.meters import declare, existing, inactive, retire
from msgspec.structs import replace

from reconciler.diagnostics.diagnostic import Level
from reconciler.diagnostics.errors import Exit
from reconciler.emulator import Key, Settings
from reconciler.model.price import Price
from reconciler.model.project import Policy
from reconciler.operations.apply_plan import OnRefused, apply_plan
from reconciler.operations.make_plan import make_plan
from reconciler.planning.scope import Scope
from reconciler.render.summary import summarize

EVERY = [
    declare("new"),
    declare("back", display="Other"),
    declare("named", display="Other"),
    declare("old", retires=("mtr_o",)),
    retire("gone"),
    declare("same"),
]
METERS = [
    inactive("mtr_w", "back"),
    inactive("mtr_v", "back", formula="count", at=1),
    existing("mtr_n", "named"),
    existing("mtr_o", "old", formula="count"),
    existing("mtr_g", "gone"),
    existing("mtr_e", "same"),
    existing("mtr_x", "x"),
    inactive("mtr_z", "z"),
]


def statuses(report):
    return {
        change.change.event_name: str(change.result.status)
        for change in report.changes
        if change.result
    }


def codes(report, level=Level.ERROR):
    return [diagnostic.code for diagnostic in report.diagnostics if diagnostic.level is level]


def test_a_plan_writes_nothing():
    with context(METERS, declared=EVERY) as it:
        before = it.stored()
        planned = it.plan()
        assert it.stored() == before
        assert {entry.method for entry in it.server.log} == {"GET"}
    assert planned.report.exit_code is Exit.DONE
    assert planned.report.plan_hash == planned.plan.plan_hash
    assert planned.report.account.livemode is False
    assert planned.report.account.id.startswith("acct_")


def test_apply_makes_the_account_match_and_then_finds_nothing_to_do():
    """With every action at once; other meters stay byte for byte."""
    with context(METERS, declared=EVERY) as it:
        before, planned = it.stored(), it.plan()
        report = it.apply(planned)
        assert report.exit_code is Exit.DONE
        assert set(statuses(report).values()) == {"done"}
        assert set(codes(report, Level.INFO)) == {"P108", "A101"}
        assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
        after = it.stored()
        assert {id_ for id_ in before if after[id_] == before[id_]} == {"mtr_e", "mtr_v", "mtr_z"}
        it.server.log.clear()
        again = it.apply()
        assert it.posts() == []
        assert not any(change.change.action.writes for change in again.changes)
        assert again.exit_code is Exit.DONE


@pytest.mark.parametrize("on_refused", OnRefused)
def test_a_refused_plan_writes_nothing_unless_refused_changes_are_skipped(on_refused):
    """Either way it exits 3, and each change that was not applied has an error."""
    wants = [declare("new"), retire("gone"), declare("odd", window="day")]
    meters = [existing("mtr_g", "gone"), existing("mtr_d", "odd")]
    with context(meters, declared=wants, policy=Policy(max_deactivations=0)) as it:
        report = it.apply(on_refused=on_refused)
        made = [m.event_name for m in it.list_all().values() if m.id not in ("mtr_g", "mtr_d")]
    skips = on_refused is OnRefused.SKIP
    assert made == (["new"] if skips else [])
    assert statuses(report) == {
        "new": "done" if skips else "skipped",
        **dict.fromkeys(["gone", "odd"], "skipped"),
    }
    assert report.exit_code is Exit.REFUSED
    errors = {
        change.result.error.code
        for change in report.changes
        if change.result and change.result.error
    }
    assert errors == {"A009"}


NARROW = [
    (Scope(narrowed=True), ["back", "gone", "named", "new", "old", "same"]),
    (Scope(only=("n*", "x")), ["named", "new"]),
]


@pytest.mark.parametrize(("scope", "names"), NARROW)
def test_a_narrowed_run_does_not_evaluate_undeclared_meters(scope, names):
    """Its report is partial."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan(scope=scope)
        assert sorted(change.event_name for change in planned.plan.changes) == names
        assert not planned.report.complete
        assert set(codes(planned.report, Level.INFO)) - {"P108"} == {"P104"}
        last = it.apply(planned).diagnostics[-1].message
        assert last == "verified: the evaluated part matches the plan"
        assert it.list_all()["mtr_x"].active


def test_a_selected_part_of_a_project_narrows_the_run():
    """To what its files declare."""
    with context(METERS, declared=EVERY[:1]) as it, it.session() as session:
        here = EVERY[0].location.file
        planned = make_plan(replace(it.project, selected=frozenset([here])), session)
        other = make_plan(replace(it.project, selected=frozenset(["other"])), session)
    assert [change.event_name for change in planned.plan.changes] == ["new"]
    assert (other.plan.changes, other.plan.complete) == ((), False)


@pytest.mark.parametrize("permissions", [None, {"billing_meter_write"}])
def test_unreadable_prices_refuse_the_changes_that_depend_on_them(permissions):
    """The guard names the permission; a create and an update need no prices."""
    wants = [retire("gone"), declare("new"), declare("named", display="Other")]
    meters = [existing("mtr_g", "gone"), existing("mtr_n", "named")]
    key = Key("rk_test_few", permissions and frozenset(permissions))
    with context(meters, declared=wants, settings=Settings(keys=(key,))) as it:
        it.environ = {"KEY": "rk_test_few"}
        report = it.apply()
    refused = {change.change.event_name: change.change.refused_by for change in report.changes}
    assert refused == {"gone": ("G005",) if permissions else (), "new": (), "named": ()}
    assert report.exit_code is (Exit.REFUSED if permissions else Exit.DONE)
    refusals = [each.message for each in report.diagnostics if each.code == "G005"]
    assert ["plan_read" in message for message in refusals] == [True] * bool(permissions)


def test_prices_are_read_only_for_the_meters_that_a_change_depends_on():
    """Those to deactivate, and those to choose from: one request for active and for archived."""
    with context(METERS, [Price("price_1", "mtr_g")], EVERY) as it:
        planned = it.plan()
        read = it.server.log.matching("GET", "/v1/prices")
    asked = {(e.params["recurring"]["meter"], e.params["active"]) for e in read}
    meters = ("mtr_g", "mtr_o", "mtr_v", "mtr_w", "mtr_x")
    assert asked == {(meter, active) for meter in meters for active in ("true", "false")}
    assert len(read) == len(asked)
    (gone,) = (change for change in planned.plan.changes if change.event_name == "gone")
    assert gone.refused_by == ("G004",)


def test_an_unchanged_account_of_a_thousand_meters_takes_few_requests():
    names = [f"m{n}" for n in range(1000)]
    meters = [existing(f"mtr_{name}", name) for name in names]
    with context(meters, declared=map(declare, names)) as it:
        report = it.apply()
        assert len(it.server.log) <= 14
    assert report.exit_code is Exit.DONE


@pytest.mark.parametrize("livemode", [True, False])
def test_the_wrong_mode_writes_nothing(livemode):
    """The mode is that of a listed meter, else of the key."""
    for meters in ([], [existing("mtr_x", "x")]):
        with context(meters, declared=[declare()], livemode=livemode) as it:
            report = it.apply()
            wrote = [entry.path for entry in it.posts()]
        assert (wrote == []) is livemode
        assert report.exit_code is (Exit.REFUSED if livemode else Exit.DONE)


@pytest.mark.parametrize("meters", [[], [existing("mtr_x", "x", livemode=True)]])
def test_a_key_without_a_mode_is_checked_by_what_is_listed_or_answered(meters):
    """In an empty account the first response has the mode, and ends the run."""
    wants = [declare("a"), declare("b")]
    settings = Settings(keys=(Key("sk_org_any"),))
    acting = {"stripe_context": "acct_1EmulatedAccount"}
    with context(meters, declared=wants, settings=settings, is_live=True, **acting) as it:
        it.environ = {"KEY": "sk_org_any"}
        report = it.apply()
        assert report.account.livemode is (True if meters else None)
        assert len(it.posts()) == (0 if meters else 1)
    assert report.exit_code is (Exit.REFUSED if meters else Exit.PARTIAL)


@pytest.mark.parametrize(
    ("account_id", "readable", "code"),
    [
        (None, True, None),
        ("acct_other", True, "G007"),
        ("acct_other", False, "G007"),
        ("acct_1EmulatedAccount", False, None),
    ],
)
def test_nothing_is_written_to_another_account_than_configured(account_id, readable, code):
    permissions = {"billing_meter_write", "plan_read"} | (
        {"accounts_kyc_basic_read"} if readable else set()
    )
    key = Key("rk_test_few", frozenset(permissions))
    with context(declared=[declare()], account_id=account_id, settings=Settings(keys=(key,))) as it:
        it.environ = {"KEY": "rk_test_few"}
        report = it.apply()
        assert bool(it.posts()) is (code is None)
    assert codes(report) == ([code] if code else [])


@pytest.mark.parametrize("lag", [3.0, 600.0])
def test_verification_waits_for_a_lagging_list(lag):
    """For a few seconds; then meters are read by id."""
    old = existing("mtr_old", "seats", formula="count")
    wanted = [declare(), declare("seats", retires=("mtr_old",))]
    with context([old], declared=wanted, settings=Settings(list_lag=lag)) as it:
        report = it.apply()
    assert statuses(report) == {"calls": "done", "seats": "done"}
    assert report.exit_code is Exit.DONE
    assert [p.message for p in report.diagnostics][-1] == "verified: the account matches the plan"


def test_a_change_that_is_undone_before_verification_is_reported():
    with context(declared=[declare()]) as it:
        report = it.apply(on_result=lambda change: it.edit(change.result.meter_id, "deactivate"))
    assert statuses(report) == {"calls": "done"}
    assert report.exit_code is Exit.PARTIAL
    assert codes(report) == ["A102"]
    assert summarize(report, "apply").verdict.endswith("the account does not show all of them.")


@pytest.mark.parametrize("fault", ["503:method=GET", "garbage:method=GET:status=403"])
def test_an_account_that_cannot_be_verified_is_not_reported_as_done(fault):
    with context(declared=[declare()]) as it:
        planned = it.plan()
        it.server.arm(fault)
        report = it.apply(planned)
        assert (report.exit_code, statuses(report)) == (Exit.PARTIAL, {"calls": "done"})
        assert codes(report, Level.ERROR) == ["A103"]
        assert summarize(report, "apply").verdict.startswith("Not confirmed: every change was made")
        it.server.disarm()
        assert it.apply().exit_code is Exit.DONE


@pytest.mark.parametrize("after", range(8))
def test_an_interrupted_apply_is_finished_by_the_next(after):
    """Exit 130, and every change has a result."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan()
        with it.session(stopped=lambda: len(it.posts()) >= after) as session:
            report = apply_plan(planned, session)
        assert report.exit_code is Exit.INTERRUPTED
        assert set(statuses(report)) == {"new", "back", "named", "old", "gone", "x"}
        assert it.apply().exit_code is Exit.DONE
        names = sorted(meter.event_name for meter in it.list_all().values() if meter.active)
        assert names == ["back", "named", "new", "old", "same"]
        assert len(it.stored()) == len(METERS) + 2


def test_a_loss_in_an_emulated_account_has_no_command_to_reactivate_manually():
    """Only this process reaches its emulator."""
    old = existing("mtr_old", "calls", formula="count")
    with context([old], declared=[declare(retires=("mtr_old",))]) as it:
        planned = it.plan()
        it.server.arm("reset:before:method=POST:path=/v1/billing/meters")
        it.server.arm("reset:before:method=POST:path=/v1/billing/meters/*/reactivate")
        with it.session() as session:
            session.account = replace(session.account, emulator="state.json")
            (change,) = apply_plan(planned, session).changes
    assert (change.result.error.code, change.result.error.hint) == (
        "A005",
        "run `reconciler apply` again at once",
    )


def test_an_interrupted_apply_does_not_verify_the_account():
    interrupted = []
    with (
        context(declared=[declare("a"), declare("b")]) as it,
        it.session(stopped=lambda: bool(interrupted)) as session,
    ):
        planned = make_plan(it.project, session)
        report = apply_plan(planned, session, on_result=interrupted.append)
    assert report.exit_code in (Exit.INTERRUPTED, Exit.PARTIAL)
    assert not {"A101", "A102", "A103"} & {each.code for each in report.diagnostics}
