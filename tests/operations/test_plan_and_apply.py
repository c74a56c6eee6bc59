"""The whole story over HTTP: plan, carry out, look again; and what a narrowed run leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.stage import allowed, asked, context
from builders.worlds import declare, existing, retire, stopped

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
    declare("woken", display="Other"),
    declare("named", display="Other"),
    declare("old", retires=("mtr_o",)),
    retire("gone"),
    declare("same"),
]
METERS = [
    stopped("mtr_w", "woken"),
    existing("mtr_n", "named"),
    existing("mtr_o", "old", formula="count"),
    existing("mtr_g", "gone"),
    existing("mtr_e", "same"),
    existing("mtr_x", "x"),
    stopped("mtr_z", "z"),
]


def statuses(report):
    return {
        line.change.event_name: str(line.result.status) for line in report.changes if line.result
    }


def codes(report, level=Level.ERROR):
    return [diagnostic.code for diagnostic in report.diagnostics if diagnostic.level is level]


def test_a_plan_writes_nothing():
    """Only GET requests, and the account is as before."""
    with context(METERS, declared=EVERY) as it:
        before = it.raw()
        planned = it.plan()
        assert it.raw() == before
        assert it.posts() == []
        assert {entry.method for entry in it.server.log} == {"GET"}
    assert planned.report.exit_code is Exit.DONE
    assert planned.report.plan_hash == planned.plan.plan_hash
    assert planned.report.account.livemode is False
    assert planned.report.account.id.startswith("acct_")


def test_applying_gives_what_is_declared_and_then_nothing_is_left():
    """Every kind of line at once; meters that no line writes stay byte for byte."""
    with context(METERS, declared=EVERY) as it:
        before, planned = it.raw(), it.plan()
        report = it.apply(planned)
        assert report.exit_code is Exit.DONE
        assert set(statuses(report).values()) == {"done"}
        assert codes(report, Level.INFO) == ["A101"]
        assert {asked(entry) for entry in it.posts()} <= allowed(planned)
        after = it.raw()
        assert {id_ for id_ in before if after[id_] == before[id_]} == {"mtr_e", "mtr_z"}
        it.server.log.clear()
        again = it.apply()
        assert it.posts() == []
        assert not any(line.change.action.writes for line in again.changes)
        assert again.exit_code is Exit.DONE


@pytest.mark.parametrize("on_refused", OnRefused)
def test_a_refused_plan_writes_nothing_unless_told_to_skip(on_refused):
    """Either way it exits 3, and the lines that were not sent say why."""
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
        line.result.error.code for line in report.changes if line.result and line.result.error
    }
    assert errors == {"A009"}


NARROW = [
    (Scope(narrowed=True), ["gone", "named", "new", "old", "same", "woken"]),
    (Scope(only=("n*", "x")), ["named", "new"]),
]


@pytest.mark.parametrize(("scope", "names"), NARROW)
def test_a_narrowed_run_never_judges_absence(scope, names):
    """It looks at declared names only, and says that it is partial."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan(scope=scope)
        assert sorted(line.event_name for line in planned.plan.changes) == names
        assert not planned.report.complete
        assert codes(planned.report, Level.INFO) == ["P104"]
        said = it.apply(planned).diagnostics[-1].message
        assert said == "verified: the part that was read matches the plan"
        assert it.list_all()["mtr_x"].active


def test_a_project_read_in_part_narrows_the_run():
    """One file of several: what the others declare is unknown, not absent."""
    with context(METERS, declared=EVERY[:1]) as it, it.session() as session:
        planned = make_plan(replace(it.project, narrowed=True), session)
    assert [line.event_name for line in planned.plan.changes] == ["new"]


@pytest.mark.parametrize("permissions", [None, {"billing_meter_write"}])
def test_prices_that_the_key_may_not_read_refuse_what_depends_on_them(permissions):
    """By name of the permission; a create and a rename go on with --skip-refused."""
    wants = [retire("gone"), declare("new"), declare("named", display="Other")]
    meters = [existing("mtr_g", "gone"), existing("mtr_n", "named")]
    key = Key("rk_test_few", permissions and frozenset(permissions))
    with context(meters, declared=wants, settings=Settings(keys=(key,))) as it:
        it.environ = {"KEY": "rk_test_few"}
        report = it.apply()
    refused = {line.change.event_name: line.change.refused_by for line in report.changes}
    assert refused == {"gone": ("G005",) if permissions else (), "new": (), "named": ()}
    assert report.exit_code is (Exit.REFUSED if permissions else Exit.DONE)
    said = [diagnostic.message for diagnostic in report.diagnostics if diagnostic.code == "G005"]
    assert all("plan_read" in message for message in said)


def test_prices_are_read_for_the_meters_that_a_line_would_stop():
    """And not for any other: at most one request for each."""
    with context(METERS, [Price("price_1", "mtr_g")], EVERY) as it:
        planned = it.plan()
        read = it.server.log.matching("GET", "/v1/prices")
    assert sorted(entry.params["recurring"]["meter"] for entry in read) == [
        "mtr_g",
        "mtr_o",
        "mtr_x",
    ]
    (gone,) = (line for line in planned.plan.changes if line.event_name == "gone")
    assert gone.refused_by == ("G004",)


def test_an_unchanged_account_of_a_thousand_meters_takes_few_requests():
    """At most 14, apply and its verification included."""
    names = [f"m{n}" for n in range(1000)]
    meters = [existing(f"mtr_{name}", name) for name in names]
    with context(meters, declared=map(declare, names)) as it:
        report = it.apply()
        assert len(it.server.log) <= 14
    assert report.exit_code is Exit.DONE


@pytest.mark.parametrize("livemode", [True, False])
def test_the_wrong_mode_writes_nothing(livemode):
    """Whether meters tell it, or only the key can."""
    for meters in ([], [existing("mtr_x", "x")]):
        with context(meters, declared=[declare()], livemode=livemode) as it:
            report = it.apply()
            wrote = [entry.path for entry in it.posts()]
        assert (wrote == []) is livemode
        assert report.exit_code is (Exit.REFUSED if livemode else Exit.DONE)


@pytest.mark.parametrize("meters", [[], [existing("mtr_x", "x", livemode=True)]])
def test_what_is_listed_tells_the_mode_and_not_the_key(meters):
    """A prefix is no proof; of an empty account the first answer tells, and ends the run."""
    wants = [declare("a"), declare("b")]
    settings = Settings(keys=(Key("sk_org_any"),))
    whose = {"stripe_context": "acct_1EmulatedAccount"}
    with context(meters, declared=wants, settings=settings, is_live=True, **whose) as it:
        it.environ = {"KEY": "sk_org_any"}
        report = it.apply()
        assert report.account.livemode is (True if meters else None)
        assert len(it.posts()) == (0 if meters else 1)
    assert report.exit_code is (Exit.REFUSED if meters else Exit.PARTIAL)


@pytest.mark.parametrize(
    ("account_id", "readable", "code"),
    [(None, True, None), ("acct_other", True, "G007"), ("acct_other", False, "G008")],
)
def test_a_configured_account_must_be_the_one_reached(account_id, readable, code):
    """Nothing is written on a guess."""
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
def test_a_listing_that_lags_is_waited_for(lag):
    """A few seconds; what it does not show by then is read by id."""
    old = existing("mtr_old", "seats", formula="count")
    wanted = [declare(), declare("seats", retires=("mtr_old",))]
    with context([old], declared=wanted, settings=Settings(list_lag=lag)) as it:
        report = it.apply()
    assert statuses(report) == {"calls": "done", "seats": "done"}
    assert report.exit_code is Exit.DONE
    assert [p.message for p in report.diagnostics][-1] == "verified: the account matches the plan"


def test_what_somebody_undoes_before_the_closing_look_is_told():
    """Every line was done, and the account does not match all the same."""
    with context(declared=[declare()]) as it:
        report = it.apply(on_result=lambda line: it.tell(line.result.meter_id, "deactivate"))
    assert statuses(report) == {"calls": "done"}
    assert report.exit_code is Exit.PARTIAL
    assert codes(report) == ["A102"]
    assert summarize(report, "apply").verdict.endswith("the account does not show all changes.")


@pytest.mark.parametrize("fault", ["503:method=GET", "garbage:method=GET:status=403"])
def test_an_account_that_cannot_be_looked_at_again_is_not_called_done(fault):
    """Everything was sent and answered; a run that could not look must not end with 0."""
    with context(declared=[declare()]) as it:
        planned = it.plan()
        it.server.arm(fault)
        report = it.apply(planned)
        assert (report.exit_code, statuses(report)) == (Exit.PARTIAL, {"calls": "done"})
        assert codes(report, Level.ERROR) == ["A103"]
        assert summarize(report, "apply").verdict.startswith(
            "Not confirmed: every request succeeded"
        )
        it.server.disarm()
        assert it.apply().exit_code is Exit.DONE


@pytest.mark.parametrize("after", range(8))
def test_an_interrupted_apply_is_finished_by_the_next(after):
    """Exit 130, every line with an outcome, and then all is as declared."""
    with context(METERS, declared=EVERY) as it:
        planned = it.plan()
        with it.session(stopped=lambda: len(it.posts()) >= after) as session:
            report = apply_plan(planned, session)
        assert report.exit_code is Exit.INTERRUPTED
        assert set(statuses(report)) == {"new", "woken", "named", "old", "gone", "x"}
        assert it.apply().exit_code is Exit.DONE
        names = sorted(meter.event_name for meter in it.list_all().values() if meter.active)
        assert names == ["named", "new", "old", "same", "woken"]
        assert len(it.raw()) == len(METERS) + 2


def test_the_way_out_of_an_emulated_loss_is_said_once():
    """Nothing but this tool reaches an emulator in here: no command wakes a meter by hand."""
    old = existing("mtr_old", "calls", formula="count")
    with context([old], declared=[declare(retires=("mtr_old",))]) as it:
        planned = it.plan()
        it.server.arm("reset:before:method=POST:path=/v1/billing/meters")
        it.server.arm("reset:before:method=POST:path=/v1/billing/meters/*/reactivate")
        with it.session() as session:
            session.account = replace(session.account, emulator="state.json")
            (line,) = apply_plan(planned, session).changes
    assert (line.result.error.code, line.result.error.hint) == (
        "A005",
        "run `reconciler apply` again at once",
    )


def test_an_interrupted_apply_does_not_verify_the_account():
    """It ends after the change in progress, and says nothing of the account."""
    interrupted = []
    with (
        context(declared=[declare("a"), declare("b")]) as it,
        it.session(stopped=lambda: bool(interrupted)) as session,
    ):
        planned = make_plan(it.project, session)
        report = apply_plan(planned, session, on_result=interrupted.append)
    assert report.exit_code in (Exit.INTERRUPTED, Exit.PARTIAL)
    assert not {"A101", "A102", "A103"} & {said.code for said in report.diagnostics}
