"""Every exit code, through the command line and real HTTP, in every format: the same code,
one document on standard output, nothing else there."""

from __future__ import annotations

import os
import signal

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.cli.console import Console
from reconciler.emulator import Phase, Settings

FORMATS = ("text", "json")


def in_sync(world):
    return world(SEATS, {"meters": [existing("seats", "Seats")]})


def renamed(world):
    return world(SEATS, {"meters": [existing("seats", "Chairs")]})


def blocked(world):
    return world(SEATS, {"meters": [existing("seats", "Seats", "sum")]})


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
    """Somebody renamed the meter between plan and apply."""
    made, saved = renamed(world), world
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    (meter,) = made.server.store.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter}", {"display_name": "Stools"})
    ran = run("apply", made.folder, "--plan", saved, "--format", format_)
    _one_document(ran, 4, format_)
    assert made.posts() == []


def test_only_yes_is_taken_for_yes(world, run, monkeypatch):
    """Asked on a terminal, `yes` applies."""
    monkeypatch.setattr(Console, "interactive", property(lambda _: True))
    made = renamed(world)
    assert run("apply", made.folder, stdin="y\n").code == 1
    assert run("apply", made.folder, stdin="yes\n").code == 0
    assert len(made.posts()) == 1


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("words", [["plan"], ["apply", "--yes"]], ids=lambda words: words[0])
def test_a_signal_while_reading_ends_with_130(words, signal_, format_, world, run):
    """Nothing is written after it, and the document says what happened."""
    made = renamed(world)
    made.server.reached = lambda moment: os.kill(os.getpid(), signal_) if _first(moment) else None
    ran = run(words[0], made.folder, *words[1:], "--format", format_)
    _one_document(ran, 130, format_)
    assert made.posts() == []


def _first(moment):
    return moment.number == 1 and moment.phase is Phase.BEFORE


@pytest.mark.parametrize("format_", FORMATS)
def test_a_signal_while_writing_ends_with_130_and_every_outcome(format_, world, run):
    """The request in progress is completed; no further one is sent."""
    made = world(
        f"{CALLS}\n{SEATS.replace('}}', '}, status: inactive}')}",
        {"meters": [existing("seats", "Seats")]},
    )

    def reached(moment):
        if moment.request.method == "POST" and moment.phase is Phase.BEFORE:
            os.kill(os.getpid(), signal.SIGTERM)

    made.server.reached = reached
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
