"""The text of runs that fail: what happened, where, and what to do."""

from __future__ import annotations

import re
import shlex

import pytest
from cli.world import CALLS, SEATS, existing

from reconciler.emulator import Fault


def test_a_blocked_plan_does_not_say_that_nothing_is_to_do(world, run):
    """The files have to change first."""
    made = world(SEATS, {"meters": [existing("seats", "Seats", "sum")]})
    ran = run("plan", made.folder)
    assert "Refused: apply makes no changes until the errors are fixed.\n1 blocked.\n" in ran.out
    assert "No changes" not in ran.out


def test_the_wrong_account_is_not_reported_as_unchanged(world, run):
    """Nothing differs, but it is another account."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]}, account_id="acct_1Another")
    ran = run("apply", made.folder, "--yes")
    assert ran.code == 3
    assert "Refused. Nothing was changed in Stripe.\n1 unchanged.\n" in ran.out
    assert "No changes" not in ran.out


def test_a_stale_plan_says_that_nothing_was_written(world, run):
    """The summary states it."""
    made = world(f"{SEATS}\n{CALLS}", {"meters": [existing("seats", "Chairs")]})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    (meter,) = made.server.store.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter}", {"display_name": "Stools"})
    ran = run("apply", made.folder, "--plan", saved)
    assert ran.code == 4
    assert "The plan is stale. Nothing was changed in Stripe.\n" in ran.out


def test_sixty_skipped_changes_share_one_hint(world, run):
    """The shared hint is printed once."""
    names = "\n".join(CALLS.replace("calls,", f"calls_{n},") for n in range(60))
    made = world(f"{names}\n{SEATS}", {"meters": [existing("seats", "Seats", "sum")]})
    ran = run("apply", made.folder, "--yes")
    assert ran.code == 3
    assert ran.out.count("was not applied: the plan has refused changes") == 60
    assert ran.out.count("fix the error on this change") == 1


def test_a_line_of_yaml_is_never_wrapped(world, run):
    """It can be copied into the file."""
    ids = [f"price_1Seat{n:02}" for n in range(12)]
    seed = {
        "meters": [existing("seats", "Seats", id="mtr_seats")],
        "prices": [{"id": id_, "meter": "mtr_seats"} for id_ in ids],
    }
    made = world(SEATS.replace("Seats,", "Seats, status: inactive,"), seed)
    shown = run("plan", made.folder).out.splitlines()
    (line,) = [each.strip() for each in shown if each.strip().startswith("accepts: ")]
    assert sorted(re.findall(r"price_\w+", line)) == ids
    assert line.endswith("]}")


@pytest.fixture
def half_replaced(world):
    """The old meter is deactivated; neither the new nor the old one can be activated."""
    old = existing("seats", "Seats", "sum", id="mtr_old")
    made = world(SEATS.replace("seats,", "seats, retires: [mtr_old],"), {"meters": [old]})
    made.server.arm("reset:before:method=POST:path=/v1/billing/meters")
    made.server.arm("reset:before:method=POST:path=/v1/billing/meters/*/reactivate")
    return made


def test_the_command_that_ends_a_loss_is_the_last_thing_and_can_be_pasted(half_replaced, run):
    """On one line, however long, with nothing else on it."""
    ran = run("apply", half_replaced.folder, "--yes")
    *_, said, command = ran.out.splitlines()
    assert said.endswith("reactivate the old meter:")
    url = f"{half_replaced.server.url}/v1/billing/meters/mtr_old/reactivate"
    assert shlex.split(command)[:6] == ["curl", "-X", "POST", url, "-u", "$SANDBOX_KEY:"]
    assert len(command) > 80


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_loss_is_written_to_standard_error_too(format_, half_replaced, run):
    """Even with --quiet: a job's log may keep nothing else."""
    ran = run("apply", half_replaced.folder, "--yes", "--quiet", "--format", format_)
    (line,) = [line for line in ran.err.splitlines() if "A005" in line]
    assert "may have NO active meter" in line
    assert '/v1/billing/meters/mtr_old/reactivate -u "$SANDBOX_KEY:"' in line


def test_an_error_beside_a_document_sets_its_hint_apart(world, run):
    """Standard error of a JSON run: one line an error, and the way out cannot be overlooked."""
    made = world(SEATS, policy="{undeclared: deactivate}")
    (line,) = run("plan", made.folder, "--format", "json").err.splitlines()
    hint = "list the event_names that this project may deactivate, for example"
    assert line.endswith(f'(hint: {hint} `owns: ["ai_*"]`)')


def test_an_error_in_a_file_shows_its_line_with_carets(tmp_path, run):
    """As linters do; JSON has the location only."""
    (tmp_path / "m.yaml").write_text("version: 1\nmeters: 7\n")
    text = run("validate", tmp_path).out
    assert "   2 | meters: 7\n     |         ^\n    hint: " in text
    assert "meters: 7" not in run("validate", tmp_path, "--format", "json").out


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
    assert f"failed: no response from {made.server.url}: " in said
    assert "read Stripe's message" not in said
    assert "run `reconciler apply` again: it starts from the current state" in said
