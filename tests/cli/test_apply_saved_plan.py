"""`apply --plan` through the command line: the report of a plan that is stale."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS, existing
from msgspec.structs import replace
from published import held

from reconciler.emulator import Key, Settings
from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dump_plan, load_plan


def test_a_stale_plan_is_shown_with_the_result_of_every_change(world, run):
    """Stale, applied already by someone else, or skipped."""
    meters = [
        existing("seats", "Chairs", id="mtr_s"),
        existing("calls", "Rings", "sum", id="mtr_c"),
    ]
    fresh = SEATS.replace("seats", "desks")
    made = world(f"{SEATS}\n{CALLS}\n{fresh}", {"meters": meters})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.server.edit("/v1/billing/meters/mtr_s", {"display_name": "Stools"})
    made.server.edit("/v1/billing/meters/mtr_c", {"display_name": "Calls"})

    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    became = {line["event_name"]: line["result"] for line in account["changes"]}
    assert {name: result["status"] for name, result in became.items()} == {
        "seats": "stale",
        "calls": "already",
        "desks": "skipped",
    }
    moved = became["seats"]["error"]["message"]
    assert "mtr_s changed (display_name 'Chairs' -> 'Stools')" in moved
    assert [diagnostic["code"] for diagnostic in account["diagnostics"]] == ["A001"]
    assert (account["account"]["livemode"], account["exit_code"], ran.code) == (False, 4, 4)
    assert made.posts() == []

    shown = run("apply", made.folder, "--plan", saved).out
    assert shown.count("changed in Stripe after the plan was made") == 1
    assert "1 already as planned, 1 skipped, 1 stale." in shown


def test_the_journal_names_the_commit_of_the_plan(world, run):
    """Not the one that is checked out when the plan is applied."""
    made = world(SEATS)
    saved = made.folder / "saved.json"
    run("plan", made.folder, "--save", saved)
    plan = load_plan(saved.read_text("utf-8"), "saved.json")
    saved.write_text(dump_plan(seal(replace(plan, commit="c" * 40))), "utf-8")
    assert run("apply", made.folder, "--plan", saved, "--yes").code == 0
    assert "c" * 40 in (made.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")


def results(ran):
    """The changes of a JSON report by event_name."""
    (account,) = held(ran.out)["accounts"]
    return {line["event_name"]: line for line in account["changes"]}


def test_a_meter_that_exists_already_is_named_by_its_id(world, run):
    """A create that is already done has the id from the listing."""
    made = world(f"{SEATS}\n{CALLS}")
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    assert run("apply", made.folder, "--yes", "--only", "seats").code == 0
    lines = results(run("apply", made.folder, "--plan", saved, "--format", "json"))
    became = {name: line["result"]["status"] for name, line in lines.items()}
    assert became == {"seats": "already", "calls": "done"}
    assert {line["meter_id"] for line in lines.values()} == set(made.server.state.ledger.meters)


def test_a_refused_change_that_was_made_by_hand_no_longer_counts(world, run):
    """Of two deactivations where one is allowed, the one that is left is made."""
    seed = [existing("seats", "Seats", id="mtr_s"), existing("calls", "Calls", "sum", id="mtr_c")]
    retired = [each.replace("{", "{status: inactive, ", 1) for each in (SEATS, CALLS)]
    made = world("\n".join(retired), {"meters": seed})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 3
    made.server.edit("/v1/billing/meters/mtr_s/deactivate")

    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    became = {name: line["result"]["status"] for name, line in results(ran).items()}
    assert (became, ran.code) == ({"seats": "already", "calls": "done"}, 0)
    assert {each["status"] for each in made.server.state.ledger.meters.values()} == {"inactive"}


@pytest.mark.parametrize("skip", [[], ["--skip-refused"]])
def test_a_blocked_change_is_reported_as_not_applied(skip, world, run):
    """Every change that is not as declared has a result, unchanged ones have none."""
    seed = [existing("seats", "Seats", "sum"), existing("desks", "Desks")]
    desks = SEATS.replace("seats", "desks").replace("Seats", "Desks")
    made = world(f"{SEATS}\n{CALLS}\n{desks}", {"meters": seed})
    ran = run("apply", made.folder, "--yes", *skip, "--format", "json")
    lines = results(ran)
    assert ran.code == 3
    assert lines["seats"]["result"]["status"] == "skipped"
    assert lines["seats"]["result"]["error"]["code"] == "A009"
    assert lines["calls"]["result"]["status"] == ("done" if skip else "skipped")
    assert "result" not in lines["desks"]


def test_verified_is_only_reported_after_listing_again(world, run):
    """A run without changes does not claim it."""
    made = world(SEATS)
    assert "A101" in run("apply", made.folder, "--yes", "--format", "json").out
    made.server.log.clear()
    again = run("apply", made.folder, "--yes", "--format", "json")
    assert (again.code, "A101" in again.out) == (0, False)
    assert len(made.server.log.matching("GET", "/v1/billing/meters")) <= 4


def test_beside_a_blocked_change_only_the_changes_are_verified(world, run):
    """The account does not match the plan; without a change there is nothing to verify."""
    made = world(f"{SEATS}\n{CALLS}", {"meters": [existing("seats", "Seats", "sum")]})
    said = []
    for _ in range(2):
        ran = run("apply", made.folder, "--yes", "--skip-refused", "--format", "json")
        (account,) = held(ran.out)["accounts"]
        found = account["diagnostics"]
        said.append([each["message"] for each in found if each["code"] == "A101"])
    assert said == [["verified: 1 of 1 changes"], []]


RETIRED = SEATS.replace("seats,", "seats, status: inactive, accepts: {prices: [price_1]},")
ACCOUNT = "acct_1EmulatedAccount"


@pytest.fixture
def saved(world, run, tmp_path_factory):
    """`saved(meters, existing, *options, ...)`: a project, and a plan that was saved for it."""

    def build(meters, seed, *options, **more):
        made, file = world(meters, seed, **more), tmp_path_factory.mktemp("plans") / "plan.json"
        assert run("plan", made.folder, "--save", file, *options).code in (0, 3)
        return made, file

    return build


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("stripe_account", ACCOUNT),
        ("stripe_context", ACCOUNT),
        ("account_id", ACCOUNT),
        ("livemode", True),
    ],
)
@pytest.mark.parametrize("gained", [True, False])
def test_a_plan_for_other_settings_of_the_account_is_refused(setting, value, gained, saved, run):
    """Which account, by whatever way it is named, and which mode was a part of what was approved;
    both values are in the message, and nothing is sent.
    """
    before, after = ({}, {setting: value})[:: 1 if gained else -1]
    made, file = saved(SEATS, {"meters": [existing("seats", "Chairs")]}, **before)
    made.write(SEATS, **after)
    ran = run("apply", made.folder, "--plan", file)
    said = " ".join(ran.out.split())
    default = False if setting == "livemode" else None
    then, here = (default, value)[:: 1 if gained else -1]
    assert f"it was made for {setting} {then!r}, this is {setting} {here!r}" in said
    assert (ran.code, made.posts()) == (3, [])


def test_a_plan_for_an_account_of_another_name_is_refused(saved, run):
    """A key may be the same, the approval was for the other entry."""
    made, file = saved(SEATS, {"meters": [existing("seats", "Chairs")]})
    project = made.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("sandbox:", "other:"), "utf-8")
    ran = run("apply", made.folder, "--plan", file, "--account", "other")
    assert (ran.code, made.posts()) == (3, [])


def test_the_risk_of_a_saved_plan_is_that_of_now(saved, run):
    """The price that made it one that costs revenue was archived after the plan."""
    seed = {
        "meters": [existing("seats", "Seats", id="mtr_s")],
        "prices": [{"id": "price_1", "meter": "mtr_s"}],
    }
    made, file = saved(RETIRED, seed)
    shown = run("plan", made.folder, "--format", "json")
    assert results(shown)["seats"]["risk"] == "revenue"
    made.server.edit("/v1/prices/price_1", {"active": "false"})
    ran = run("apply", made.folder, "--plan", file, "--format", "json")
    line = results(ran)["seats"]
    assert (ran.code, line["risk"], line["prices"]) == (0, "high", [])


def stale(ran):
    """The message of each stale change of a JSON report; nothing else is wrong."""
    assert ran.code == 4, ran.out
    lines = results(ran)
    ends = {name: line["result"] for name, line in lines.items() if "result" in line}
    return {n: r["error"]["message"] for n, r in ends.items() if r["status"] == "stale"}


def rename_and_back(made, clock):
    clock.sleep(60)
    for name in ("Stools", "Chairs"):
        made.server.edit("/v1/billing/meters/mtr_s", {"display_name": name})


def add_another(made, clock):
    made.server.edit("/v1/billing/meters/mtr_s/deactivate")
    made.server.edit("/v1/billing/meters", existing("seats", "New"))


def deactivate(made, clock):
    made.server.edit("/v1/billing/meters/mtr_s/deactivate")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (rename_and_back, "mtr_s changed (updated "),
        (add_another, " is new"),
        (deactivate, "mtr_s changed (status 'active' -> 'inactive')"),
    ],
)
def test_whatever_changed_after_the_plan_makes_it_stale(change, said, saved, run, clock):
    """Also what is back to what it was, and a meter that did not exist; nothing is sent."""
    made, file = saved(SEATS, {"meters": [existing("seats", "Chairs", id="mtr_s")]})
    change(made, clock)
    ran = run("apply", made.folder, "--plan", file, "--format", "json")
    assert said in stale(ran)["seats"]
    assert made.posts() == []


@pytest.mark.parametrize("options", [[], ["--only", "seats"]])
def test_a_stale_plan_is_as_complete_as_the_run_that_saved_it(options, saved, run):
    """A narrowed one says so in every format, before it is applied and when it no longer holds."""
    seed = {"meters": [existing("seats", "Chairs", id="mtr_s")]}
    made, file = saved(f"{SEATS}\n{CALLS}", seed, *options)
    made.server.edit("/v1/billing/meters/mtr_s", {"display_name": "Stools"})
    ran = run("apply", made.folder, "--plan", file, "--format", "json")
    document = held(ran.out)
    (account,) = document["accounts"]
    assert (ran.code, account["complete"], document["complete"]) == (4, not options, not options)
    marked = (
        'name="complete" value="false"'
        in run("apply", made.folder, "--plan", file, "--format", "junit").out
    )
    assert marked is bool(options)


READER = Key("rk_test_narrow", frozenset({"billing_meter_write"}))


def test_unreadable_prices_hide_no_other_change_that_is_stale(saved, run, monkeypatch):
    """The policy of now would leave `calls` alone; that `seats` needs prices changes nothing."""
    seed = {
        "meters": [
            existing("seats", "Seats", id="mtr_s"),
            existing("calls", "Calls", "sum", id="mtr_c"),
        ]
    }
    policy = "{undeclared: deactivate, owns: ['*'], max_deactivations: 9}"
    settings = Settings(keys=(Key("sk_test_emulator"), READER))
    made, file = saved(RETIRED, seed, policy=policy, settings=settings)
    made.write(RETIRED)
    monkeypatch.setenv("SANDBOX_KEY", READER.secret)
    said = stale(run("apply", made.folder, "--plan", file, "--format", "json"))
    assert said == {"calls": "'calls' would be planned differently now: unmanaged of mtr_c"}
    assert made.posts() == []


@pytest.mark.parametrize("of", [lambda plan: plan, lambda plan: plan["changes"][0]])
def test_a_plan_with_a_key_that_this_version_does_not_know_is_not_applied(of, saved, run):
    """What it means cannot be known, even where the hashes would fit."""
    made, file = saved(SEATS, {"meters": [existing("seats", "Chairs")]})
    plan = json.loads(file.read_text("utf-8"))
    of(plan)["force"] = True
    file.write_text(json.dumps(plan), "utf-8")
    ran = run("apply", made.folder, "--plan", file)
    assert (ran.code, made.posts()) == (1, [])
    assert "force" in ran.out
