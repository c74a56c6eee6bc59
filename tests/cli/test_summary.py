"""What a run says of itself is true: of its report, and of what happened to the account."""

from __future__ import annotations

import json
import signal

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from published import held
from render.sentences import check

from reconciler.cli.console import Console
from reconciler.emulator import Key, Phase, Settings

CHAIRS = existing("seats", "Chairs", id="mtr_s")
READING = Key("rk_test_r", frozenset({"billing_meter_read", "plan_read"}))
BLIND = Key("rk_test_b", frozenset({"billing_meter_write"}))
KEYS = Settings(keys=(Key("sk_test_emulator"), READING, BLIND))
OWNING = "{undeclared: deactivate, owns: ['*'], max_deactivations: 9}"


class Stage:
    """What a scenario sets up: the project and its account, and what happens during the run."""

    def __init__(self, world, run, monkeypatch):
        self.world, self.run, self.patch = world, run, monkeypatch
        self.happened, self.happens_in = [], ()
        self.interrupted = False

    def build(self, meters=SEATS, *seeded, prices=(), **more):
        self.made = self.world(meters, {"meters": list(seeded), "prices": list(prices)}, **more)
        return self.made

    def use(self, key):
        self.patch.setenv("SANDBOX_KEY", key.secret)

    def save(self, *options):
        file = self.made.folder / "saved.json"
        assert self.run("plan", self.made.folder, "--save", file, *options).code == 0
        return ["apply", "--plan", str(file)]

    def edit(self, **fields):
        self.made.server.edit("/v1/billing/meters/mtr_s", fields)

    def at_post(self, act):
        self.happens_in = ("apply",)
        self.happened = self.made.at(act, phase=Phase.AFTER)

    def at_get(self, act):
        self.happens_in = ("plan", "apply", "drift")
        self.happened = self.made.at(act, "GET")

    def interrupt(self, signal_):
        self.interrupted = True
        self.made.interrupt(signal_)

    def type(self, answer):
        self.patch.setattr(Console, "interactive", property(lambda _: True))
        self.patch.setattr(Console, "ask", lambda *_: answer)


def in_sync(on):
    on.build(SEATS, existing("seats", "Seats"))


def unmanaged(on):
    on.build(SEATS, existing("seats", "Seats"), existing("old", "Old"))


def shared(on):
    """Other projects have meters in this account, too."""
    others = (existing(f"theirs_{n}", "Theirs") for n in range(3))
    on.build(SEATS, CHAIRS, existing("ours", "Ours"), *others, policy="{owns: ['ours*']}")


def nothing_declared(on):
    on.build("")


def several_changes(on):
    old = existing("old", "Old", id="mtr_o")
    on.build(f"{SEATS}\n{CALLS}", CHAIRS, old, policy=OWNING)


def retired_one(on):
    on.build(f"{RETIRED}\n{CALLS}", existing("seats", "Seats"), existing("calls", "Calls", "sum"))


def blocked(on):
    on.build(f"{SEATS}\n{CALLS}", existing("seats", "Seats", "sum"))


def refused(on):
    on.build(f"{RETIRED}\n{CALLS}", existing("seats", "Seats"), policy="{protect: [seats]}")


def blocked_and_refused(on):
    desks = RETIRED.replace("seats", "desks")
    seeded = existing("seats", "Seats", "sum"), existing("desks", "Seats")
    on.build(f"{SEATS}\n{CALLS}\n{desks}", *seeded, policy="{protect: [desks]}")


def wrong_account(on):
    on.build(SEATS, CHAIRS, account_id="acct_1Another")


def wrong_mode(on):
    on.build(SEATS, CHAIRS, livemode=True)


def no_key(on):
    on.build(SEATS, CHAIRS)
    on.patch.delenv("SANDBOX_KEY")


def malformed_key(on):
    on.build(SEATS, CHAIRS)
    on.patch.setenv("SANDBOX_KEY", "hello")


def rejected_key(on):
    on.build(SEATS, CHAIRS, settings=KEYS)
    on.patch.setenv("SANDBOX_KEY", "sk_test_unknown")


def key_that_reads(on):
    on.build(f"{SEATS}\n{CALLS}", CHAIRS, settings=KEYS)
    on.use(READING)


def key_without_prices(on):
    on.build(RETIRED, existing("seats", "Seats"), settings=KEYS)
    on.use(BLIND)


def no_service(on):
    on.build(SEATS, CHAIRS).server.arm("500:method=GET")


def no_answer(on):
    on.build(SEATS, CHAIRS).server.arm("reset:method=GET")


def too_fast(on):
    on.build(SEATS, CHAIRS).server.arm("429:method=POST:reason=global-rate")


def no_write(on):
    on.build(f"{SEATS}\n{CALLS}", CHAIRS).server.arm("500:before:method=POST")


def half_written(on):
    on.build(f"{SEATS}\n{CALLS}", CHAIRS).server.arm("500:before:method=POST:path=*/mtr_s")


def answer_lost(on):
    on.build(SEATS, CHAIRS).server.arm("reset:after:method=POST")


def changed_again(on):
    on.build(SEATS, CHAIRS)
    on.at_post(lambda: on.edit(display_name="Stools"))


def unreadable_again(on):
    on.build(SEATS, CHAIRS)
    on.at_post(lambda: on.made.server.arm("500:method=GET"))


def stopped(on):
    on.build(f"{SEATS}\n{CALLS}", CHAIRS)
    on.at_post(lambda: on.interrupt(signal.SIGTERM))


def stopped_early(on):
    on.build(SEATS, CHAIRS)
    on.at_get(lambda: on.interrupt(signal.SIGINT))


def misspelt(on):
    on.build().file("meters.yaml", "version: 1\nmeters:\n  - {event_nmae: seats}\n")


def drifted(on):
    seeded = existing("seats", "Seats", status="inactive"), existing("old", "Old")
    on.build(SEATS, *seeded)


def ignored(on, until="2027-01-31"):
    made = on.build(SEATS, existing("seats", "Seats"), existing("old", "Old"))
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    rule = f"{{event_name: old, kind: unmanaged, until: '{until}', reason: sold, owner: me}}"
    made.file("reconciler.yaml", f"{project}ignore: [{rule}]\n")


def ignored_too_long(on):
    ignored(on, "2020-01-31")
    on.made.server.edit(f"/v1/billing/meters/{next(iter(_ids(on, 'old')))}/deactivate")


def _ids(on, name):
    meters = on.made.server.store.ledger.meters
    return [id_ for id_, meter in meters.items() if meter["event_name"] == name]


def two_accounts(on):
    on.build(SEATS, CHAIRS)
    on.made.add_account("keyless")


STATES = (
    in_sync, unmanaged, shared, nothing_declared, several_changes, retired_one, blocked, refused,
    blocked_and_refused, wrong_account, wrong_mode, no_key, malformed_key, rejected_key,
    key_that_reads, key_without_prices, no_service, no_answer, too_fast, no_write, half_written,
    answer_lost, changed_again, unreadable_again, stopped, stopped_early, misspelt, drifted,
    ignored, ignored_too_long, two_accounts,
)  # fmt: skip
WORDS = (
    ["validate"],
    ["plan"],
    ["plan", "--detailed-exitcode"],
    ["apply", "--yes"],
    ["apply", "--yes", "--skip-refused"],
    ["drift"],
    ["drift", "--fail-on", "revenue"],
)


def summarized(on, *words):
    """Run, and check what is said of the run against its report and its account."""
    made, file = on.made, on.made.folder.parent / "report.json"
    before = _meters(made)
    ran = on.run(words[0], made.folder, *words[1:], "--format", "markdown", "--out", f"json={file}")
    document = held(file.read_text("utf-8"))
    assert document["exit_code"] == ran.code
    assert bool(on.happened) is (words[0] in on.happens_in)
    assert (ran.code == 130) is on.interrupted
    verdict, *rest = check(document, ran.out)
    changed = {id_ for id_, meter in _meters(made).items() if before.get(id_) != meter}
    if "Nothing was changed" in verdict or "No " in verdict or words[0] != "apply":
        assert not changed, (verdict, document)
    changes = [change for each in document["accounts"] for change in each["changes"]]
    ends = [each["result"]["status"] for each in changes if "result" in each]
    if verdict.startswith("Apply complete"):
        assert len(changed) == ends.count("done"), document
    return verdict, *rest


def _meters(made):
    meters = made.server.store.ledger.meters
    return {id_: json.dumps(meter, sort_keys=True) for id_, meter in meters.items()}


@pytest.fixture
def on(world, run, monkeypatch):
    return Stage(world, run, monkeypatch)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
@pytest.mark.parametrize("state", STATES)
def test_the_summary_of_a_run_is_true(state, words, on):
    """Whatever the files, the account and the service are like; and of the run after it."""
    state(on)
    accounts = ["--account", "keyless", "--account", "sandbox"] * (state is two_accounts)
    for _ in range(2 if state in (several_changes, retired_one, half_written) else 1):
        summarized(on, *words, *accounts)


@pytest.mark.parametrize("words", [["plan"], ["apply", "--yes"], ["drift"]], ids=lambda w: w[0])
@pytest.mark.parametrize("only", ["seats", "calls"])
@pytest.mark.parametrize("state", [several_changes, retired_one, unmanaged, drifted])
def test_the_summary_of_a_narrowed_run_is_true(state, only, words, on):
    """It says nothing of meters that it did not evaluate."""
    state(on)
    if state in (unmanaged, drifted):
        only = "seats"
    verdict, *rest = summarized(on, *words, "--only", only)
    assert "Partial run: undeclared meters were not evaluated." in rest
    assert "The account matches" not in verdict
    assert not [each for each in rest if "unmanaged" in each]


SINCE = {
    "as planned": lambda on: None,
    "stale": lambda on: on.edit(display_name="Stools"),
    "already": lambda on: on.edit(display_name="Seats"),
    "failing": lambda on: on.made.server.arm("500:before:method=POST"),
    "deactivated": lambda on: on.made.server.edit("/v1/billing/meters/mtr_s/deactivate"),
}


@pytest.mark.parametrize("words", [[], ["--only", "seats"]], ids=["whole", "narrowed"])
@pytest.mark.parametrize("then", SINCE)
def test_the_summary_of_a_saved_plan_is_true(then, words, on):
    """Applied twice, as well: then nothing is sent, and nothing is said to have been changed."""
    several_changes(on)
    saved = on.save(*words)
    SINCE[then](on)
    summarized(on, *saved)
    on.made.server.disarm()
    sent = len(on.made.posts())
    verdict, *_ = summarized(on, *saved)
    assert (len(on.made.posts()) > sent) is (then == "failing")
    assert ("changed" in verdict.replace("Nothing was changed", "")) is (then == "failing")


def test_a_saved_plan_without_changes_says_nothing_of_an_account_that_changed_since(on):
    """It was made of another state, and has nothing to do with this one."""
    on.build(SEATS, existing("seats", "Seats", id="mtr_s"))
    saved = on.save()
    on.edit(display_name="Stools")
    assert summarized(on, *saved)[0] == "No changes to apply."


@pytest.mark.parametrize("answer", ["no", "yes"])
@pytest.mark.parametrize("state", [several_changes, refused, blocked, in_sync])
def test_the_summary_of_an_answer_is_true(state, answer, on):
    """Cancelled, where a question was asked at all."""
    state(on)
    on.type(answer)
    verdict, *_ = summarized(on, "apply")
    assert verdict.startswith("Cancelled") is (state is several_changes and answer == "no")


@pytest.mark.parametrize("words", [["plan", "--bogus"], ["apply"], ["drift", "--account", "x"]])
def test_the_summary_of_a_wrong_command_line_is_true(words, on):
    in_sync(on)
    ran = on.run(words[0], on.made.folder, *words[1:], "--format", "markdown")
    json_ = on.run(words[0], on.made.folder, *words[1:], "--format", "json")
    assert check(held(json_.out), ran.out)[0] == "Invalid command line."
