"""What people read when a run does not end well: what, where, and what to do."""

from __future__ import annotations

import pytest
from cli.world import SEATS, live

from reconciler.emulator import Fault


def test_a_blocked_plan_does_not_say_that_nothing_is_to_do(world, run):
    """There is something to do, only not for the tool."""
    made = world(SEATS, {"meters": [live("seats", "Seats", "sum")]})
    ran = run("plan", made.folder)
    assert "Nothing can be done as it stands. 1 blocked." in ran.out
    assert "Nothing to do" not in ran.out


def test_an_error_beside_a_document_sets_its_hint_apart(world, run):
    """Standard error of a JSON run: one line an error, and the way out cannot be overlooked."""
    made = world(SEATS, policy="{undeclared: deactivate}")
    (line,) = run("plan", made.folder, "--format", "json").err.splitlines()
    assert line.endswith(
        '(hint: name the event_names that this project may stop: `owns: ["ai_*"]`)'
    )


@pytest.mark.parametrize("words", [["--save"], ["--out", "json"]])
def test_only_an_unknown_option_is_answered_with_a_likely_one(words, run, tmp_path, monkeypatch):
    """Not an option that is spelt right and lacks its value."""
    monkeypatch.chdir(tmp_path)
    ran = run("plan", *words)
    assert ran.code == 64
    assert "did you mean" not in ran.out


def test_a_request_that_got_no_answer_is_not_blamed_on_a_message_of_stripe(world, run):
    """There is none to be read: the address, the reason, and that apply goes on from here."""
    made = world(SEATS)
    made.server.arm(Fault.parse("reset:method=POST"))
    ran = run("apply", made.folder, "--yes")
    said = " ".join(ran.out.split())
    assert ran.code == 5
    assert f"failed: no answer from {made.server.url}: " in said
    assert "read Stripe's message" not in said
    assert "run apply again: it starts from what the account holds" in said
