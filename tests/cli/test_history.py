"""`history --meter` through the command line: a journal, an account over HTTP, a git checkout."""

from __future__ import annotations

import json
import re

import pytest
import stripe
from cli.world import CALLS, SEATS, existing
from history.checkout import begun
from published import held

from reconciler.emulator import Key, Settings
from reconciler.history import journal

DAY = 86_400


@pytest.fixture(autouse=True)
def _user(monkeypatch):
    """The user who runs the tests."""
    monkeypatch.setenv("LOGNAME", "grace")
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")


def checked_out(made, monkeypatch):
    """The folder as a git checkout, without what a port or a clock of this test has left in it."""
    checkout = begun(made.folder, monkeypatch)
    checkout.file(".gitignore", ".*\nreconciler.yaml\n")
    return checkout


def client(made):
    """Another API client, with idempotency keys of its own."""
    return stripe.StripeClient(
        "sk_test_other", base_addresses={"api": made.server.url}, max_network_retries=0
    ).v1


def story(world, run, clock, monkeypatch):
    """Applied, deactivated and renamed by another client, corrected by an apply."""
    made = world(SEATS)
    checkout = checked_out(made, monkeypatch)
    checkout.commit("Declare seats", "Ada Lovelace", int(clock.now()) - DAY)
    assert run("apply", made.folder, "--yes").code == 0
    (meter_id,) = made.server.state.ledger.meters
    clock.sleep(3 * DAY)
    client(made).billing.meters.deactivate(meter_id)
    clock.sleep(600)
    made.server.edit(f"/v1/billing/meters/{meter_id}", {"display_name": "Old seats"})
    clock.sleep(600)
    made.write(f"{SEATS.replace('Seats', 'Chairs')}\n{CALLS}")
    checkout.commit("Call them chairs\n\nLonger.", "Grace Hopper", int(clock.now()))
    clock.sleep(600)
    assert run("apply", made.folder, "--yes").code == 0
    return made


def read_timeline(ran):
    """What the time line tells, and the whole document."""
    document = held(ran.out)
    return [(each["source"], each["what"]) for each in document["timeline"]], document


def succeeded(text):
    """The text without what chance has made: ids of plans and runs."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "0" * 32, text)
    return re.sub(r'"run": "[0-9a-f]{8}"', '"run": "00000000"', text)


def test_the_timeline_joins_journal_events_and_commits(world, run, clock, monkeypatch, golden):
    """A request and its event are one entry; only events are read from the account."""
    made = story(world, run, clock, monkeypatch)
    before = len(tuple(made.server.log))
    for format_, ending in (("text", "txt"), ("json", "json")):
        ran = run("history", made.folder, "--meter", "seats", "--format", format_)
        assert (ran.code, ran.err) == (0, "")
        golden(f"history/meter/expected.{ending}", succeeded(ran.out))
    asked = tuple(made.server.log)[before:]
    assert {entry.path.partition("?")[0] for entry in asked} == {
        "/v1/account",
        "/v1/billing/meters",
        "/v1/events",
        "/v2/core/events",
    }
    moments, document = read_timeline(ran)
    assert document["complete"] is True
    assert [source for source, _ in moments] == [
        *("commit", "journal", "event", "event", "commit", "journal", "journal")
    ]
    assert [each["origin"] for each in document["timeline"]] == [
        *(None, "ours", "another_client", "outside", None, "ours", "ours")
    ]


def test_the_request_of_a_killed_run_is_shown_with_its_event(world, run):
    """The journal ends with the intention; the account knows what became of it."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    path = made.folder / ".reconciler" / journal.NAME
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["kind"] in ("run", "request")]
    path.write_text("".join(kept), "utf-8")
    moments, _ = read_timeline(run("history", made.folder, "--meter", "seats", "--format", "json"))
    assert moments == [
        ("journal", "create: no response recorded; billing.meter.created"),
    ]


def test_a_request_that_the_key_may_not_send_is_rejected(world, run):
    """The answer alone proves nothing: the result says that the meter was read, and unchanged."""
    may = frozenset({"billing_meter_read", "plan_read", "event_read", "accounts_kyc_basic_read"})
    settings = Settings(keys=(Key("sk_test_emulator", may),))
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]}, settings=settings)
    applied = run("apply", made.folder, "--yes")
    assert applied.code == 6
    assert "1 attempt, rejected" in applied.out
    (past,) = held(run("history", made.folder, "--format", "json").out)["runs"]
    (request,) = past["changes"][0]["requests"]
    assert (request["result"], request["status"]) == ("rejected", 403)
    for more in ((), ("--meter", "seats")):
        said = run("history", made.folder, *more).out
        assert "rejected for a missing permission (403)" in said
        assert "effect unknown" not in said
    path = made.folder / ".reconciler" / journal.NAME
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["kind"] != "result"]
    path.write_text("".join(kept), "utf-8")
    assert "effect unknown (403)" in run("history", made.folder).out


def test_what_another_checkout_applied_names_its_plan(world, run):
    """Without its journal the idempotency key tells the plan."""
    made = world(SEATS)
    applied = run("apply", made.folder, "--yes", "--no-journal", "--format", "json")
    (moment,) = held(run("history", made.folder, "--meter", "seats", "--format", "json").out)[
        "timeline"
    ]
    assert (moment["source"], moment["origin"]) == ("event", "ours")
    assert moment["plan_id"] == held(applied.out)["accounts"][0]["plan_id"]


def test_only_this_meter_and_the_last_thirty_days(world, run, clock):
    """Stripe keeps no older events; those of other names are left out."""
    made = world()
    other = client(made).billing.meters
    aggregation = {"formula": "sum"}
    for name in ("seats", "seats_2"):
        other.create({"event_name": name, "display_name": name, "default_aggregation": aggregation})
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    assert read_timeline(ran)[0] == [("event", "billing.meter.created")]
    clock.sleep(31 * DAY)
    ran = run("history", made.folder, "--meter", "seats")
    assert (ran.code, ran.out) == (
        0,
        "No history for 'seats'.\n",
    )


@pytest.mark.parametrize(
    ("asked", "meant"), [("seat", " Did you mean 'seats'?"), ("nosuch", ""), ("seats", "")]
)
def test_an_unknown_meter_suggests_a_known_one(asked, meant, world, run):
    """Out of the declarations and the journal."""
    made = world(SEATS)
    ran = run("history", made.folder, "--meter", asked)
    assert (ran.code, ran.out) == (0, f"No history for '{asked}'.{meant}\n")


READER = Key("sk_test_emulator", frozenset({"billing_meter_read"}))


@pytest.mark.parametrize(
    ("account", "settings", "code", "said"),
    [
        ({"api_key_env": "NOT_SET"}, {}, 0, ["J101", "NOT_SET is not set"]),
        ({}, {"keys": (READER,)}, 0, ["D102", "account 'sandbox': API key may not read events"]),
        ({}, {"keys": (Key("sk_test_known"),)}, 6, ["S003", "account 'sandbox': "]),
        ({"api_base": "http://127.0.0.1:9"}, {}, 1, ["S010", "account 'sandbox': "]),
    ],
)
def test_without_events_the_rest_is_shown(account, settings, code, said, world, run, monkeypatch):
    """A missing key or permission is a remark; a key that is refused, or no answer, an error."""
    made = world(SEATS, settings=Settings(**settings) if settings else None)
    checked_out(made, monkeypatch).commit("Declare seats")
    made.write(SEATS, **account)
    text = run("history", made.folder, "--meter", "seats")
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    moments, document = read_timeline(ran)
    assert (text.code, ran.code, document["exit_code"]) == (code, code, code)
    assert moments == [("commit", "added to meters.yaml")]
    assert document["complete"] is False
    (diagnostic,) = document["diagnostics"]
    assert diagnostic["code"] == said[0]
    assert said[1] in diagnostic["message"]
    assert said[0] in text.out
    assert "added to meters.yaml" in text.out
    assert "sk_test_emulator" not in text.out + text.err + ran.out + ran.err


def test_a_key_that_cannot_be_one_is_an_error(world, run, monkeypatch):
    """It is there and wrong, which a run without one is not."""
    made = world(SEATS)
    monkeypatch.setenv("SANDBOX_KEY", "pk_test_wrong_kind")
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    assert ran.code == 6
    assert [each["code"] for each in held(ran.out)["diagnostics"]] == ["S002"]
    assert "pk_test_wrong_kind" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("account", "code"), [({"livemode": True}, "G006"), ({"account_id": "acct_other"}, "G007")]
)
def test_events_of_another_account_are_left_out(account, code, world, run):
    """They hold nothing about the meter in question: a warning takes their place."""
    made = world("", {"meters": [existing("seats", "Seats")]}, **account)
    (meter_id,) = made.server.state.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter_id}", {"display_name": "Chairs"})
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    moments, document = read_timeline(ran)
    assert (ran.code, moments, document["complete"]) == (0, [], False)
    assert [(p["code"], p["level"]) for p in document["diagnostics"]] == [(code, "warning")]


def test_accounts_are_named_as_everywhere(world, run):
    """Left out where there is one; of several those that are named; one failing stops none."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    made.add_account("elsewhere")
    words = ("history", made.folder, "--meter", "seats", "--format", "json")
    unnamed = run(*words)
    assert unnamed.code == 64
    assert [each["code"] for each in held(unnamed.out)["diagnostics"]] == ["U005"]
    for names, sources, codes in (
        (["sandbox"], ["journal"], []),
        (["elsewhere"], [], ["J101"]),
        (["elsewhere", "sandbox"], ["journal"], ["J101"]),
    ):
        ran = run(*words, *(word for name in names for word in ("--account", name)))
        moments, document = read_timeline(ran)
        assert ran.code == 0
        assert [source for source, _ in moments] == sources
        assert [each["code"] for each in document["diagnostics"]] == codes


def test_a_damaged_journal_and_a_rejected_key_are_both_reported(world, run):
    """The worse of two endings is the ending."""
    made = world(SEATS, settings=Settings(keys=(Key("sk_test_known"),)))
    folder = made.folder / ".reconciler" / journal.NAME
    folder.mkdir(parents=True)
    ran = run("history", made.folder, "--meter", "seats", "--format", "json")
    assert ran.code == 1
    assert [each["code"] for each in held(ran.out)["diagnostics"]] == ["J004", "S003"]


def test_without_a_meter_history_stays_the_journals(world, run):
    """No request, no time line."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    before = len(tuple(made.server.log))
    ran = run("history", made.folder, "--format", "json")
    assert not held(ran.out).keys() & {"meter", "timeline"}
    assert len(tuple(made.server.log)) == before


HOSTILE = ['q"\\', "\x1b[31mred", "a\nb: c", "--all", "\u202eevil", "'; DROP", "席"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_end_nothing_and_move_nothing(name, world, run, monkeypatch):
    """In the account and on the command line; the text is one that a terminal shows as it is."""
    made = world(seed={"meters": [existing(name, name)]})
    (meter_id,) = made.server.state.ledger.meters
    checked_out(made, monkeypatch).commit(f"Nothing about {name}", author=f"x{name}")
    made.server.edit(f"/v1/billing/meters/{meter_id}", {"display_name": f"New {name}"})
    ran = run("history", made.folder, f"--meter={name}", "--format", "json")
    assert read_timeline(ran)[0] == [("event", "billing.meter.updated")]
    text = run("history", made.folder, f"--meter={name}").out
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("hashes", "length"), [("sha1", 40), ("sha256", 64)])
def test_the_commit_of_a_run_is_known_whatever_its_hash(
    hashes, length, world, run, clock, monkeypatch
):
    """In the saved plan, the journal, the keys of the requests, the drift and the timeline."""
    made = world(SEATS)
    checkout = begun(made.folder, monkeypatch, hashes)
    checkout.file(".gitignore", ".*\nreconciler.yaml\nplan.json\n")
    commit = checkout.commit("Declare seats", at=int(clock.now()))
    assert len(commit) == length
    saved = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    assert json.loads(saved.read_text("utf-8"))["commit"] == commit
    assert run("apply", made.folder, "--yes").code == 0
    (post,) = made.server.log.posts
    assert post.key.startswith(f"reconciler-{commit[:12]}-")
    document = held(run("history", made.folder, "--meter", "seats", "--format", "json").out)
    assert [past["commit"] for past in document["runs"]] == [commit]
    assert [one["commit"] for one in document["timeline"]] == [commit, commit]


@pytest.mark.parametrize("cut", [1, 20, -2])
@pytest.mark.parametrize("tail", [b"", b"\0" * 20, b"\r"], ids=["cut", "zeros", "return"])
def test_half_a_line_of_another_process_swallows_nothing(world, run, cut, tail):
    """It is reported by its place; every entry of the next run begins on a line of its own."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    path = made.folder / ".reconciler" / journal.NAME
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: whole.index(b"\n") + 1][:cut] + tail)
    made.write(f"{SEATS}\n{CALLS}")
    assert run("apply", made.folder, "--yes").code == 0
    document = held(run("history", made.folder, "--format", "json").out)
    (damaged,) = document["diagnostics"]
    assert (damaged["code"], damaged["location"]["line"]) == ("J002", whole.count(b"\n") + 1)
    runs = [[change["event_name"] for change in each["changes"]] for each in document["runs"]]
    assert runs == [["seats"], ["calls"]]
    assert [each["exit_code"] for each in document["runs"]] == [0, 0]


def test_runs_of_other_accounts_are_counted(world, run):
    """A journal that has runs is not empty."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    made.add_account("elsewhere")
    said = run("history", made.folder, "--account", "elsewhere").out
    assert said.endswith("No runs on the selected accounts; 1 on others.\n")
    assert len(held(run("history", made.folder, "--format", "json").out)["runs"]) == 1
