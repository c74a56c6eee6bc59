"""Every exit code, through the command line and real HTTP, in every format: the same code,
one document on standard output, nothing else there."""

from __future__ import annotations

import re
import signal
from functools import partial

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from published import held

from reconciler.cli.console import Console
from reconciler.emulator import Key, Settings

FORMATS = ("text", "json")


def in_sync(world):
    return world(SEATS, {"meters": [existing("seats", "Seats")]})


def renamed(world):
    return world(SEATS, {"meters": [existing("seats", "Chairs")]})


def blocked(world):
    return world(SEATS, {"meters": [existing("seats", "Seats", "sum")]})


def protected(world):
    """A change that writes, and that a guard refuses."""
    return world(RETIRED, {"meters": [existing("seats", "Seats")]}, policy="{protect: [seats]}")


def misspelt(world):
    made = world(SEATS)
    made.file("meters.yaml", "version: 1\nmeters:\n  - {event_nmae: seats}\n")
    return made


def half_taken(world):
    """Creating `seats` works, `calls` is refused by an account where inactive meters keep names."""
    other = existing("calls", "Calls", "last", status="inactive")
    settings = Settings(name_scope="all")
    return world(f"{SEATS}\n{CALLS}", {"meters": [other]}, settings=settings)


def crowded(world):
    """Every request that writes meets the rate limit, which acts before anything is executed."""
    made = renamed(world)
    made.server.arm("429:before:method=POST:reason=global-rate")
    return made


def locked(world):
    return world(SEATS, api_key_env="NOT_SET")


def live_mode(world):
    return world(SEATS, {"meters": [existing("seats", "Chairs")]}, livemode=True)


TABLE = [
    (0, in_sync, ["validate"]),
    (0, in_sync, ["plan", "--detailed-exitcode"]),
    (0, in_sync, ["list"]),
    (0, in_sync, ["drift"]),
    (0, renamed, ["plan"]),
    (0, renamed, ["apply", "--yes"]),
    (1, misspelt, ["validate"]),
    (1, misspelt, ["plan"]),
    (1, misspelt, ["apply", "--yes"]),
    (1, misspelt, ["list"]),
    (1, misspelt, ["drift"]),
    (1, crowded, ["apply", "--yes"]),
    (2, renamed, ["plan", "--detailed-exitcode"]),
    (2, renamed, ["drift"]),
    (2, blocked, ["drift"]),
    (3, live_mode, ["drift"]),
    (3, blocked, ["plan"]),
    (3, blocked, ["plan", "--detailed-exitcode"]),
    (3, protected, ["plan", "--detailed-exitcode"]),
    (3, live_mode, ["plan", "--detailed-exitcode"]),
    (3, protected, ["apply", "--yes", "--skip-refused"]),
    (3, blocked, ["apply", "--yes"]),
    (3, live_mode, ["apply", "--yes"]),
    (3, renamed, ["apply", "--yes", "--expect", "0" * 64]),
    (5, half_taken, ["apply", "--yes"]),
    (6, locked, ["plan"]),
    (6, locked, ["apply", "--yes"]),
    (6, locked, ["list"]),
    (6, locked, ["drift"]),
    (64, renamed, ["apply"]),
    (64, renamed, ["plan", "--account", "sandbix"]),
    (64, renamed, ["plan", "--only", "nothing_*"]),
    (64, renamed, ["plan", "--colour"]),
]


def names(value):
    return value.__name__ if callable(value) else str(value)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("code", "build", "words"), TABLE, ids=names)
def test_the_same_code_and_one_document(code, build, words, format_, world, run):
    """One document on standard output, the same exit code in every format."""
    made = build(world)
    command, *options = words
    ran = run(command, made.folder, *options, "--format", format_)
    _one_document(ran, code, format_)
    if code not in (0, 5) and build is not crowded:
        assert made.posts() == [], "nothing was to be written"


def _one_document(ran, code, format_):
    assert ran.code == code, ran.out + ran.err
    assert "Traceback" not in ran.err
    if format_ == "json":
        assert held(ran.out)["exit_code"] == code
    else:
        assert ran.out.endswith("\n")
        assert ran.out.strip()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_stale_plan_ends_with_4_and_writes_nothing(format_, world, run):
    """Another client renamed the meter between plan and apply."""
    made, saved = renamed(world), world
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    (meter,) = made.server.store.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter}", {"display_name": "Stools"})
    ran = run("apply", made.folder, "--plan", saved, "--format", format_)
    _one_document(ran, 4, format_)
    assert made.posts() == []


@pytest.fixture
def asked(monkeypatch, run):
    """Run as on a terminal, where questions can be answered."""
    monkeypatch.setattr(Console, "interactive", property(lambda _: True))
    return run


@pytest.mark.parametrize(
    "typed", ["", "\n", "y\n", "y\ny\n", "Y\nno\n", "YES\n", "Yes\n", "yes please\n", "no\nyes\n"]
)
def test_anything_but_yes_is_a_no(typed, world, asked):
    """Exit 1, and nothing is sent."""
    made = renamed(world)
    ran = asked("apply", made.folder, stdin=typed)
    assert (ran.code, made.posts()) == (1, [])
    assert "Cancelled. Nothing was changed in Stripe." in ran.out


@pytest.mark.parametrize("typed", ["yes\n", " yes \n", "yes", "y\nyes\n", "Y\nyes\n"])
def test_a_yes_applies(typed, world, asked):
    """A `y` is asked once more."""
    made = renamed(world)
    assert asked("apply", made.folder, stdin=typed).code == 0
    assert len(made.posts()) == 1


@pytest.mark.parametrize("options", [[], ["--skip-refused"]])
@pytest.mark.parametrize("build", [protected, blocked, live_mode, in_sync])
def test_nothing_is_asked_where_nothing_would_be_sent(build, options, world, asked):
    """A yes would promise a change that a guard refuses."""
    made = build(world)
    ran = asked("apply", made.folder, *options, stdin="yes\n")
    assert (ran.code, made.posts()) == (0 if build is in_sync else 3, [])
    assert "will be accepted" not in ran.err


def test_what_is_asked_names_the_account_and_its_mode(world, asked, monkeypatch):
    """An account whose mode no object and no key shows is not called a test account."""
    org = Key("sk_org_1")
    settings = Settings(keys=(org, Key("sk_test_1")))
    made = world(SEATS, settings=settings, stripe_context="acct_1EmulatedAccount")
    for key, mode in ((org.secret, "mode unknown"), ("sk_test_1", "test mode")):
        monkeypatch.setenv("SANDBOX_KEY", key)
        ran = asked("apply", made.folder, stdin="no\n")
        assert f"Apply this plan to sandbox ({mode})? " in ran.err
        assert f"Apply for sandbox (acct_1EmulatedAccount, {mode})\n" in ran.out


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("words", [["plan"], ["apply", "--yes"]], ids=lambda words: words[0])
def test_a_signal_while_reading_ends_with_130(words, signal_, format_, world, run):
    """Nothing is written after it, and the document says what happened."""
    made = renamed(world)
    made.at(partial(made.interrupt, signal_), "GET")
    ran = run(words[0], made.folder, *words[1:], "--format", format_)
    _one_document(ran, 130, format_)
    assert made.posts() == []


@pytest.mark.parametrize("format_", FORMATS)
def test_a_signal_while_writing_ends_with_130_and_every_outcome(format_, world, run):
    """The request in progress is completed; no further one is sent."""
    made = world(
        f"{CALLS}\n{SEATS.replace('}}', '}, status: inactive}')}",
        {"meters": [existing("seats", "Seats")]},
    )
    made.at(partial(made.interrupt, signal.SIGTERM))
    ran = run("apply", made.folder, "--yes", "--format", format_)
    _one_document(ran, 130, format_)
    assert made.posts() == ["/v1/billing/meters"]
    if format_ == "json":
        (account,) = held(ran.out)["accounts"]
        results = {c["event_name"]: c["result"]["status"] for c in account["changes"]}
        assert results == {"calls": "done", "seats": "skipped"}


def test_every_exit_code_is_reached():
    """The table has a row for each exit code."""
    reached = {code for code, _, _ in TABLE} | {4, 130}
    from reconciler.diagnostics.errors import Exit

    assert reached == set(Exit)


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_a_detailed_exit_code_changes_no_word(format_, world, run):
    """The counts of what is planned are in the verdict, and not in the line below it as well."""
    made = world(f"{SEATS}\n{CALLS}", {"meters": [existing("calls", "Old", "sum")]})
    words = ("plan", made.folder, "--format", format_)
    plain, detailed = run(*words), run(*words, "--detailed-exitcode")
    assert (plain.code, detailed.code) == (0, 2)
    said = [re.sub("plan_id .*|exit code .", "", each.out) for each in (plain, detailed)]
    assert said[0] == said[1]
