"""What `import` leaves out, what it refuses, and what it says where it fails."""

from __future__ import annotations

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings

TWO = [existing("calls", "Calls", "sum", id="mtr_1"), existing("seats", "Seats", id="mtr_2")]


def declare(run, made, *words):
    ran = run("import", made.folder, "--format", "json", *words)
    return ran, held(ran.out)


def names(document):
    return [meter["event_name"] for meter in document["meters"]]


def test_only_undeclared_meters_and_only_some_of_them(world, run):
    made = world(CALLS, {"meters": [*TWO, existing("users", "Users")]})
    assert names(declare(run, made)[1]) == ["seats", "users"]
    assert names(declare(run, made, "--only", "u*")[1]) == ["users"]
    ran, document = declare(run, made, "--only", "calls")
    assert (ran.code, document["yaml"]) == (0, "version: 1\nmeters: []\n")


def test_meters_outside_of_owns_belong_to_others(world, run):
    made = world("", {"meters": TWO}, policy="{owns: [seats]}")
    ran = run("import", made.folder)
    assert "event_name: seats" in ran.out
    assert "calls" not in ran.out
    assert "1 event_name outside of `owns` left out; --only '*' includes them" in ran.err
    assert names(declare(run, made, "--only", "*")[1]) == ["calls", "seats"]
    assert run("import", made.folder, "--quiet").err == ""


def test_what_a_plan_would_block_is_left_out(world, run):
    """Two active meters of a name, and a status that this version does not know."""
    twice = [existing("seats", "Seats", id=f"mtr_{n}") for n in range(2)]
    made = world("", {"meters": [*twice, existing("calls", "Calls", id="mtr_c")]})
    with made.server.lock:
        made.server.state.ledger.meters["mtr_c"]["status"] = "paused"
    ran = run("import", made.folder, "--include-inactive")
    assert (ran.code, ran.out) == (0, "version: 1\nmeters: []\n")
    assert "warning C042: left out: 'seats' has 2 active meters: mtr_" in ran.err
    assert "warning C042: left out: 'calls': the status of mtr_c is 'paused'" in ran.err


def test_what_no_file_can_declare_is_left_out(world, run):
    """A name that is too long, or looks like a key; the key itself is not repeated."""
    made = world(
        "", {"meters": [*TWO, existing("key", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", id="mtr_k")]}
    )
    with made.server.lock:
        made.server.state.ledger.meters["mtr_1"]["display_name"] = "n" * 251
    ran = run("import", made.folder)
    assert ran.code == 0
    assert ran.out.count("event_name") == 1
    assert "mtr_1 cannot be declared: `display_name` is 251 characters long" in " ".join(
        ran.err.split()
    )
    assert "mtr_k cannot be declared: API key" in " ".join(ran.err.split())
    assert "4eC39" not in ran.out + ran.err
    made.file("meters.yaml", ran.out)
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_values_of_a_newer_stripe_are_allowed_by_the_file(world, run):
    made = world(CALLS, {"meters": TWO})
    with made.server.lock:
        made.server.state.ledger.meters["mtr_2"]["default_aggregation"] = {"formula": "p99"}
    ran = run("import", made.folder)
    assert ran.out.startswith("version: 1\nallow_unknown_values: true\n")
    refused = run("import", made.folder, "--into", made.folder / "meters.yaml")
    assert refused.code == 1
    assert "add the line `allow_unknown_values: true`" in refused.err
    file = made.folder / "meters.yaml"
    file.write_text(file.read_text().replace("meters:", "allow_unknown_values: true\nmeters:"))
    assert run("import", made.folder, "--into", file).code == 0
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_into_a_new_file_and_into_that_file(world, run):
    made = world("", {"meters": TWO}, policy="{owns: [calls]}")
    made.file(
        "reconciler.yaml",
        (made.folder / "reconciler.yaml").read_text().replace('"meters.yaml"', '"**/*.yaml"'),
    )
    file = made.folder / "sub" / "new.yaml"
    ran = run("import", made.folder, "--into", file)
    assert (ran.code, ran.out.split()) == (0, f"Added 1 meter to {file}.".split())
    first = file.read_text("utf-8")
    ran, document = declare(run, made, "--into", file, "--only", "seats")
    assert (names(document), document["file"], document["complete"]) == (["seats"], str(file), True)
    assert file.read_text("utf-8") == (
        first + "  # mtr_2, active\n  - event_name: seats\n    display_name: Seats\n"
        "    default_aggregation: {formula: count}\n"
    )
    again = run("import", made.folder, "--into", file, "--only", "*")
    assert (again.code, again.out) == (0, "")
    assert "nothing to declare: no undeclared meter matches" in again.err
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_a_file_that_the_account_does_not_read_is_refused(world, run):
    """The next plan would not be empty. The meters are printed instead."""
    made = world("", {"meters": TWO})
    file = made.folder / "other.yaml"
    ran = run("import", made.folder, "--into", file)
    assert (ran.code, file.exists()) == (1, False)
    assert "error C023: account 'sandbox' does not read this file" in " ".join(ran.err.split())
    assert ran.out == run("import", made.folder).out


def test_meters_take_the_place_of_an_empty_list(world, run):
    """As `init` writes it."""
    made = world("", {"meters": TWO})
    file = made.folder / "meters.yaml"
    assert file.read_text() == "version: 1\nmeters: []\n"
    assert run("import", made.folder, "--into", file).code == 0
    assert file.read_text().startswith("version: 1\nmeters:\n  # mtr_1, active\n")
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_a_file_that_cannot_be_extended_is_left_with_a_way_out(world, run):
    made = world("", {"meters": TWO})
    file = made.file("meters.yaml", "{version: 1, meters: []}\n")
    ran = run("import", made.folder, "--into", file)
    assert (ran.code, file.read_text()) == (1, "{version: 1, meters: []}\n")
    assert "meters.yaml:1:14: error C041: the file is left as it is" in " ".join(ran.err.split())
    assert "event_name: calls" in ran.out
    file.unlink()
    assert run("import", made.folder, "--into", file).code == 0
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_another_account_that_reads_the_file_is_named(world, run):
    made = world(CALLS, {"meters": TWO})
    made.add_account("production")
    words = ("import", made.folder, "--into", made.folder / "meters.yaml")
    assert run(*words).code == 64
    ran = run(*words, "--account", "sandbox")
    assert ran.code == 0
    assert "warning C045: account 'production' reads this file too" in " ".join(ran.err.split())


def test_a_name_that_another_file_declares_for_another_account_is_refused(world, run):
    """The project would declare it twice for that account."""
    made = world(CALLS, {"meters": TWO})
    made.file("own.yaml", f"version: 1\nmeters:\n  - {SEATS}\n")
    text = (made.folder / "reconciler.yaml").read_text()
    made.file("reconciler.yaml", f"{text}  production: {{api_key_env: X, meters: ['*.yaml']}}\n")
    before = (made.folder / "meters.yaml").read_text()
    ran = run("import", made.folder, "--account", "sandbox", "--into", made.folder / "meters.yaml")
    assert (ran.code, (made.folder / "meters.yaml").read_text()) == (1, before)
    assert "error C015: duplicate event_name `seats`" in " ".join(ran.err.split())


def test_an_error_leaves_standard_output_empty(world, run, monkeypatch):
    """It is probably redirected into a file. JSON has the error."""
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    key = Key("rk_test_x", frozenset({"plan_read"}))
    made = world("", {"meters": TWO}, settings=Settings(keys=(key,)))
    ran = run("import", made.folder)
    assert (ran.code, ran.out) == (6, "")
    assert "billing_meter_read" in ran.err
    ran, document = declare(run, made)
    assert (document["exit_code"], document["account"], document["yaml"]) == (6, None, "")
    monkeypatch.delenv("SANDBOX_KEY")
    ran = run("import", made.folder)
    assert (ran.code, ran.out) == (6, "")
    assert "error S001" in ran.err
    made.file("meters.yaml", "version: 1\nmeters: [")
    ran = run("import", made.folder)
    assert (ran.code, ran.out) == (1, "")
    assert "meters.yaml:2:10: error Y003" in ran.err


@pytest.mark.parametrize(
    ("account", "code"), [({"livemode": True}, "G006"), ({"account_id": "acct_other"}, "G007")]
)
@pytest.mark.parametrize("words", [(), ("--into", "meters.yaml"), ("--into", "new.yaml")])
def test_meters_of_another_account_are_refused(account, code, words, world, run, monkeypatch):
    """A declaration of them would create them in the configured account."""
    made = world("", {"meters": TWO}, **account)
    monkeypatch.chdir(made.folder)
    before = {path: path.read_bytes() for path in made.folder.iterdir() if path.is_file()}
    ran = run("import", *words)
    assert (ran.code, ran.out) == (3, "")
    assert f"error {code}" in ran.err
    assert {path: path.read_bytes() for path in made.folder.iterdir() if path.is_file()} == before


def test_a_key_that_may_not_tell_its_account_may_import(world, run):
    """Nothing is written to Stripe: what cannot be confirmed is a warning."""
    made = world("", {"meters": TWO}, account_id="acct_other")
    made.server.arm("garbage:path=/v1/account:status=403")
    ran = run("import", made.folder)
    assert ran.code == 0
    assert "warning G008" in ran.err
    assert "event_name: calls" in ran.out


@pytest.mark.parametrize("target", ["folder", "missing/../meters.yaml/x.yaml"])
def test_a_file_that_cannot_be_written(target, world, run):
    made = world("", {"meters": TWO})
    made.file(
        "reconciler.yaml",
        (made.folder / "reconciler.yaml").read_text().replace('"meters.yaml"', '"**"'),
    )
    (made.folder / "folder").mkdir()
    ran = run("import", made.folder, "--into", made.folder / target)
    assert ran.code == 1
    assert "E900" not in ran.err
    assert "event_name: calls" in ran.out or not ran.out


def test_a_usage_error_is_on_standard_error(world, run):
    """The same, since a shell has redirected standard output by then."""
    ran = run("import", world().folder, "--bogus")
    assert (ran.code, ran.out) == (64, "")
    assert "error U002: unrecognized arguments: --bogus" in ran.err
    assert held(run("import", "--bogus", "--format", "json").out)["exit_code"] == 64


def test_a_full_disk_leaves_the_file_as_it_is(world, run, monkeypatch):
    made = world(CALLS, {"meters": TWO})
    before = (made.folder / "meters.yaml").read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reconciler.cli.files.os.fsync", fail)
    ran = run("import", made.folder, "--into", made.folder / "meters.yaml")
    assert (ran.code, (made.folder / "meters.yaml").read_bytes()) == (1, before)
    assert "error E002: cannot be written: No space" in " ".join(ran.err.split())
    assert sorted(p.name for p in made.folder.iterdir()) == ["meters.yaml", "reconciler.yaml"]


def test_one_of_several_accounts_is_to_be_chosen(world, run):
    made = world("", {"meters": TWO})
    made.add_account("elsewhere")
    ran = run("import", made.folder, "--account", "*")
    assert (ran.code, ran.out) == (64, "")
    assert "hint: choose one with --account: sandbox, elsewhere" in ran.err
