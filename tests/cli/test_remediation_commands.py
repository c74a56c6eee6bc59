"""The commands that `drift` prints, run as printed, leave no drift."""

from __future__ import annotations

import shlex

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings
from reconciler.model.finding import Kind
from reconciler.render import FORMATS

ODD = existing("seats", "Seats", "sum", id="mtr_old")
STOPPED = existing("seats", "Seats", status="inactive")
CONSENT = SEATS.replace("seats,", "seats, retires: [mtr_old],")
OWNING = '{undeclared: deactivate, owns: ["s*"]}'
CASES = {
    Kind.INACTIVE: (SEATS, [STOPPED], "{}"),
    Kind.MISSING: (SEATS, [], "{}"),
    Kind.DIFFERS: (CONSENT, [ODD], "{}"),
    Kind.RENAMED: (SEATS, [existing("seats", "Chairs")], "{}"),
    Kind.RUNNING: (RETIRED, [existing("seats", "Seats")], "{}"),
    Kind.UNMANAGED: (CALLS, [existing("seats", "Seats")], OWNING),
}


def fixes(ran):
    """The commands of ours that a JSON report prints, in its order."""
    found = [f["remediation"] for f in held(ran.out)["accounts"][0]["findings"]]
    commands = [each["text"] for each in found if each and each["kind"] == "command"]
    return [text for text in commands if text.startswith("reconciler ")]


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize(
    "path", [".", "a project/billing", "{folder}", "a project/billing/it.yaml"]
)
def test_the_printed_commands_resolve_the_findings(kind, path, world, run, monkeypatch, tmp_path):
    """From the same folder, with the given PATH."""
    meters, seed, policy = CASES[kind]
    if path.endswith("it.yaml") and policy == OWNING:
        pytest.skip("a file PATH does not evaluate undeclared meters")
    made = world(meters, {"meters": seed}, policy=policy)
    if path != ".":
        folder = tmp_path / "a project" / "billing"
        folder.mkdir(parents=True)
        for name, moved in (("reconciler.yaml", "reconciler.yaml"), ("meters.yaml", "it.yaml")):
            text = (tmp_path / name).read_text("utf-8").replace("meters.yaml", "it.yaml")
            (folder / moved).write_text(text, "utf-8")
        made.write("", api_key_env="ANOTHER")
    monkeypatch.chdir(tmp_path)
    location = path.format(folder=tmp_path / "a project" / "billing")
    found = run("drift", location, "--format", "json")
    assert (found.code, len(fixes(found)) > 0) == (2, True), found.out
    for command in dict.fromkeys(fixes(found)):
        ran = run(*shlex.split(command)[1:], "--yes")
        assert ran.code == 0, f"{command}\n{ran.out}{ran.err}"
    assert run("drift", location).code == 0


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_has_the_whole_command(format_, world, run, tmp_path, monkeypatch):
    """PATH included, so that it can be copied."""
    world(SEATS, {"meters": [STOPPED]})
    monkeypatch.chdir(tmp_path.parent)
    ran = run("drift", tmp_path.name, "--format", format_)
    assert f"reconciler apply {tmp_path.name} --account sandbox --only seats" in ran.out


def test_drift_warns_of_an_account_that_apply_would_refuse(world, run, monkeypatch):
    """The findings are complete; no command is offered, since this key could not apply it."""
    key = Key("rk_test_x", frozenset({"billing_meter_write", "plan_read", "event_read"}))
    facts = {"settings": Settings(keys=(key,)), "account_id": "acct_1EmulatedAccount"}
    made = world(SEATS, {"meters": [STOPPED]}, **facts)
    made.server.arm("garbage:path=/v1/account:status=403")  # which names no account
    monkeypatch.setenv("SANDBOX_KEY", key.secret)
    ran = run("drift", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    said = [(diagnostic["code"], diagnostic["level"]) for diagnostic in account["diagnostics"]]
    assert (ran.code, said, account["complete"]) == (2, [("G008", "warning")], True)
    assert fixes(ran) == []
    refused = run("apply", made.folder, "--yes")
    assert (refused.code, "error G008" in refused.out) == (3, True)
    assert made.posts() == []


@pytest.mark.parametrize(
    ("declared", "stored", "edit"),
    [
        ("", {}, 'default_aggregation: {formula: "sum"}'),
        (", event_time_window: day", {"formula": "count"}, "# leave event_time_window out"),
        (
            ", event_time_window: day",
            {},
            'default_aggregation: {formula: "sum"} # leave event_time_window out',
        ),
        (
            "",
            {"event_time_window": "day"},
            '{default_aggregation: {formula: "sum"}, event_time_window: "day"}',
        ),
    ],
)
def test_the_edit_that_keeps_a_meter_has_what_differs(declared, stored, edit, world, run):
    """One setting, several in braces, and what the declaration has too much."""
    fields = {"formula": "sum", **stored}
    made = world(
        SEATS.replace("}}", f"}}{declared}}}"), {"meters": [existing("seats", "Seats", **fields)]}
    )
    (account,) = held(run("drift", made.folder, "--format", "json").out)["accounts"]
    assert [each["remediation"]["text"] for each in account["findings"]] == [edit]
