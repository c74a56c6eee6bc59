"""`overrides`, `ignore_changes` and `requires`: one set of files for accounts that differ."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler._version import __version__
from reconciler.config import load

COMMANDS = ("validate", "plan", "drift", "list", "history")
OVERRIDE = """\
version: 1
overrides:
  - event_name: calls
    display_name: Calls (sandbox)
    customer_mapping: {event_payload_key: customer}
"""


@pytest.fixture
def project(world, monkeypatch):
    """Meters in meters.yaml, overrides for the account of the emulator, and an account without."""

    def build(overrides, meters=CALLS, seed=None, head="", policy="{}"):
        made = world(meters, seed, policy=policy)
        entry = {"api_key_env": "SANDBOX_KEY", "api_base": made.server.url}
        entry["meters"] = ["meters.yaml", *overrides]
        other = {"api_key_env": "NOT_SET", "livemode": True}
        accounts = f"accounts: {json.dumps({'sandbox': entry, 'production': other})}\n"
        patterns = 'meters: ["meters.yaml"]\n'
        made.file("reconciler.yaml", f"version: 1\n{head}{patterns}policy: {policy}\n{accounts}")
        for name, text in overrides.items():
            made.file(name, text)
        monkeypatch.chdir(made.folder)
        return made

    return build


def place(location):
    return f"{location['file']}:{location['line']}:{location['column']}"


def test_an_override_changes_the_meter_of_the_account_that_reads_its_file(project, run):
    """Leaf by leaf over the declaration; the other account keeps what is declared."""
    made = project({"sandbox.yaml": OVERRIDE})
    ran = run("apply", "--account", "sandbox", "--yes", "--format", "json")
    assert ran.code == 0, ran.out
    (change,) = held(ran.out)["accounts"][0]["changes"]
    assert place(change["location"]) == "meters.yaml:3:5"
    assert [(one["path"], one["source"], place(one["location"])) for one in change["origins"]] == [
        ("display_name", "override", "sandbox.yaml:4:19"),
        ("customer_mapping.event_payload_key", "override", "sandbox.yaml:5:43"),
    ]
    (sent,) = made.server.log.posts
    assert sent.params["display_name"] == "Calls (sandbox)"
    assert sent.params["customer_mapping"]["type"] == "by_id"
    assert sent.params["customer_mapping"]["event_payload_key"] == "customer"
    assert run("plan", "--account", "sandbox", "--detailed-exitcode").code == 0
    production = next(each for each in load(".").accounts if each.name == "production")
    assert [one.meter.display_name for one in production.declared] == ["Calls"]


def test_plan_v_says_where_each_value_comes_from(project, run):
    """The override, the defaults or the declaration; without -v only what is overridden."""
    made = project({"sandbox.yaml": OVERRIDE})
    made.file(
        "meters.yaml",
        "version: 1\ndefaults: {value_settings: {event_payload_key: amount}}\n"
        f"meters:\n  - {CALLS}\n",
    )
    lines = [line.strip() for line in run("plan", "--account", "sandbox", "-v").out.splitlines()]
    assert lines[lines.index('display_name: "Calls (sandbox)"') + 1] == (
        "from override at sandbox.yaml:4:19"
    )
    assert lines[lines.index('value_settings.event_payload_key: "amount"') + 1] == (
        "from defaults at meters.yaml:2:48"
    )
    assert lines[lines.index('default_aggregation.formula: "sum"') + 1] == (
        "from declaration at meters.yaml:4:5"
    )
    for format_ in ("text", "markdown", "html", "github"):
        shown = run("plan", "--account", "sandbox", "--format", format_).out
        assert "sandbox.yaml:4:19" in shown, format_
        assert "from defaults" not in shown


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a_difference_names_the_override_that_it_comes_from(command, project, run):
    """And so does what to do about it: an edit of the declaration has no effect."""
    text = "version: 1\noverrides:\n  - {event_name: calls, default_aggregation: {formula: last}}\n"
    project({"sandbox.yaml": text}, seed={"meters": [existing("calls", "Calls", "sum")]})
    ran = run(command, "--account", "sandbox", "--format", "json")
    assert ran.code == {"plan": 3, "drift": 2}[command]
    account = held(ran.out)["accounts"][0]
    said = [*account["diagnostics"], *account.get("findings", [])]
    (message,) = [one["message"] for one in said if "formula" in one["message"]]
    assert "(override at sandbox.yaml:3:56)" in message
    if command == "drift":
        (finding,) = account["findings"]
        assert finding["remediation"]["text"] == (
            'default_aggregation: {formula: "sum"}  # in the override at sandbox.yaml:3:56'
        )


def test_a_refusal_names_the_override_that_protects(project, run):
    text = "version: 1\noverrides:\n  - {event_name: calls, protect: true}\n"
    stored = existing("calls", "Calls", "sum")
    declared = CALLS.replace("calls,", "calls, status: inactive,")
    project({"sandbox.yaml": text}, declared, {"meters": [stored]})
    ran = run("plan", "--account", "sandbox", "--format", "json")
    diagnostics = held(ran.out)["accounts"][0]["diagnostics"]
    (message,) = [each["message"] for each in diagnostics if each["code"] == "G002"]
    assert message == "'calls' is protected: `protect: true` (override at sandbox.yaml:3:34)"
    assert ran.code == 3


def test_lists_are_replaced_and_consent_can_be_given_for_one_account(project, run):
    """`retires` and `status` of an override count like those of a declaration."""
    seats = SEATS.replace("}}", "}, retires: [mtr_other]}")
    text = "version: 1\noverrides:\n  - {event_name: seats, retires: [mtr_a], protect: false}\n"
    seed = {"meters": [existing("seats", "Seats", "sum", id="mtr_a")]}
    made = project({"sandbox.yaml": text}, meters=seats, seed=seed)
    ran = run("apply", "--account", "sandbox", "--yes")
    assert ran.code == 0, ran.out
    assert made.posts() == ["/v1/billing/meters/mtr_a/deactivate", "/v1/billing/meters"]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {"a.yaml": "version: 1\noverrides:\n  - {event_name: cals, status: inactive}\n"},
            [("C038", "a.yaml:3:18", "did you mean `calls`?")],
            id="undeclared",
        ),
        pytest.param(
            {
                "a.yaml": OVERRIDE,
                "b.yaml": "version: 1\noverrides:\n  - {event_name: calls, display_name: B}\n",
            },
            [("C039", "b.yaml:3:39", "first at a.yaml:4:19")],
            id="one leaf by two files",
        ),
        pytest.param(
            {"a.yaml": "version: 1\noverrides:\n  - {event_name: calls}\n"},
            [("C013", "a.yaml:3:5", "no key besides `event_name`")],
            id="no setting",
        ),
        pytest.param(
            {"a.yaml": "version: 1\noverrides:\n  - {display_name: B, stauts: inactive}\n"},
            [("C011", "a.yaml:3:5", "event_name"), ("C010", "a.yaml:3:23", "`status`?")],
            id="no event_name",
        ),
        pytest.param(
            {
                "a.yaml": "version: 1\noverrides:\n"
                "  - {event_name: cals, default_aggregation: {formula: mean}}\n"
            },
            [("C038", "a.yaml:3:18", "`calls`?"), ("C012", "a.yaml:3:55", "known values")],
            id="both errors of an entry",
        ),
        pytest.param(
            {"a.yaml": "version: 1\noverides:\n  - {event_name: calls, status: inactive}\n"},
            [("C010", "a.yaml:2:1", "did you mean `overrides`?")],
            id="misspelled key",
        ),
        pytest.param(
            {"a.yaml": "version: 1\noverrides: {event_name: calls, status: inactive}\n"},
            [("C009", "a.yaml:2:12", "list")],
            id="no list",
        ),
        pytest.param(
            {
                "a.yaml": "version: 1\noverrides:\n"
                "  - {event_name: calls, ignore_changes: [display_nam]}\n"
            },
            [("C012", "a.yaml:3:42", "did you mean `display_name`?")],
            id="ignore_changes",
        ),
    ],
)
def test_an_override_that_cannot_apply_is_an_error_with_its_place(files, wanted, project, run):
    """All at once, by `validate` as by every other command."""
    made = project(files)
    ran = run("validate", "--format", "json")
    said = held(ran.out)["diagnostics"]
    assert ran.code == 1
    assert [(one["code"], place(one["location"])) for one in said] == [each[:2] for each in wanted]
    for one, (*_, text) in zip(said, wanted, strict=True):
        assert text in f"{one['message']} {one['hint']}"
    assert run("apply", "--account", "sandbox", "--yes").code == 1
    assert made.posts() == []


def test_two_overrides_of_different_leaves_apply_together(project, run):
    """Files have no order, so they may not disagree; but each may change another leaf."""
    b = "version: 1\noverrides:\n  - {event_name: calls, customer_mapping: {type: by_id}}\n"
    made = project({"a.yaml": OVERRIDE, "b.yaml": b})
    assert run("apply", "--account", "sandbox", "--yes").code == 0
    (sent,) = made.server.log.posts
    assert sent.params["customer_mapping"] == {"type": "by_id", "event_payload_key": "customer"}


def test_a_file_of_overrides_selects_the_meters_that_it_changes(project, run):
    """As PATH, on the command line or from pre-commit."""
    project({"sandbox.yaml": OVERRIDE}, meters=f"{CALLS}\n{SEATS}")
    ran = run("plan", "sandbox.yaml", "--account", "sandbox", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert [change["event_name"] for change in account["changes"]] == ["calls"]
    assert run("validate", "sandbox.yaml").code == 0


IGNORING = CALLS.replace("}}", "}, ignore_changes: [display_name]}")


def test_an_ignored_display_name_is_neither_a_change_nor_drift(world, run):
    """It is left to the Dashboard."""
    made = world(IGNORING, {"meters": [existing("calls", "Renamed", "sum")]})
    folder = str(made.folder)
    planned = run("plan", folder, "--detailed-exitcode")
    assert (planned.code, "No changes" in planned.out) == (0, True)
    assert run("drift", folder).code == 0
    assert made.posts() == []


def test_a_new_meter_gets_the_display_name_that_is_ignored_later(world, run):
    made = world(IGNORING)
    assert run("apply", str(made.folder), "--yes").code == 0
    (sent,) = made.server.log.posts
    assert sent.params["display_name"] == "Calls"


def test_a_reactivated_meter_keeps_an_ignored_display_name(world, run):
    """One request, which the account is verified against."""
    seed = {"meters": [existing("calls", "Renamed", "sum", id="mtr_1", status="inactive")]}
    made = world(IGNORING, seed)
    ran = run("apply", str(made.folder), "--yes", "--format", "json")
    assert ran.code == 0, ran.out
    (change,) = held(ran.out)["accounts"][0]["changes"]
    assert (change["action"], change["after"]["display_name"]) == ("reactivate", "Renamed")
    assert [field["path"] for field in change["fields"]] == ["status"]
    assert made.posts() == ["/v1/billing/meters/mtr_1/reactivate"]


def test_a_replacement_keeps_the_ignored_display_name_of_a_reactivated_meter(world, run):
    """As a reactivation does."""
    seed = {
        "meters": [
            existing("calls", "Old", "sum", id="mtr_1", status="inactive"),
            existing("calls", "Wrong", "count", id="mtr_2"),
        ]
    }
    made = world(IGNORING.replace("ignore", "retires: [mtr_2], ignore"), seed)
    ran = run("apply", str(made.folder), "--yes")
    assert ran.code == 0, ran.out
    assert [path.rpartition("/")[2] for path in made.posts()] == ["deactivate", "reactivate"]


def test_a_saved_plan_with_overrides_is_applied(project, run):
    """It holds the origins of what it declares, and is still intact when it is read."""
    made = project({"sandbox.yaml": OVERRIDE.replace("name: Calls", "name: Other calls")})
    assert run("plan", "--account", "sandbox", "--save", "plan.json").code == 0
    assert run("apply", "--plan", "plan.json").code == 0
    assert made.posts() == ["/v1/billing/meters"]


def test_ignoring_a_name_changes_the_hash_of_a_plan_that_would_set_it(world, run):
    """What was approved with a rename is not the same without one."""
    seed = {"meters": [existing("calls", "Renamed", "sum", status="inactive")]}
    made = world(CALLS, seed)
    hashes = []
    for meters in (CALLS, IGNORING):
        made.write(meters)
        report = held(run("plan", str(made.folder), "--format", "json").out)
        hashes.append(report["accounts"][0]["plan_hash"])
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_version_too_old_is_one_error_before_anything_else(command, project, run):
    """Also where the file has keys and values that only a later version knows."""
    head = 'requires: ">=99.1"\nfleets: {}\n'
    made = project({"sandbox.yaml": "nonsense: true\n"}, head=head)
    ran = run(command, "--format", "json")
    (said,) = json.loads(ran.out)["diagnostics"]
    assert (ran.code, said["code"], place(said["location"])) == (1, "C040", "reconciler.yaml:2:11")
    assert f"requires reconciler >=99.1, and this is {__version__}" in said["message"]
    assert "pip install 'meter-reconciler>=99.1'" in said["hint"]
    assert [*made.server.log] == []


@pytest.mark.parametrize(
    ("required", "code", "text"),
    [
        ('">=0.0.1, <99"', 0, ""),
        (f'"=={__version__}"', 0, ""),
        (">=0.0.1", 1, "quote a value that begins with one of them"),
        ("0.1", 1, 'such as ">=0.3"'),
        ('"^0.1"', 1, 'such as ">=0.3"'),
        ('">=one"', 1, "invalid version: `>=one`"),
        ("[1]", 1, "must be a string"),
    ],
)
def test_the_required_version_is_a_version_specifier(required, code, text, project, run):
    """As pip and pyproject.toml write them; anything else is an error that shows how."""
    project({"sandbox.yaml": OVERRIDE}, head=f"requires: {required}\n")
    ran = run("validate")
    assert ran.code == code, ran.out
    assert text in " ".join(ran.out.split())


def test_import_leaves_a_file_that_only_has_overrides_as_it_is(project, run):
    """It has no list to add to; the message says what to do."""
    made = project({"sandbox.yaml": OVERRIDE}, seed={"meters": [existing("seats", "Seats")]})
    ran = run("import", "--account", "sandbox", "--into", "sandbox.yaml")
    assert ran.code == 1
    assert "it has `overrides` and no `meters`" in " ".join(ran.err.split())
    assert (made.folder / "sandbox.yaml").read_text("utf-8") == OVERRIDE


def test_a_hidden_file_of_overrides_is_not_missed_in_silence(project, run, monkeypatch):
    """As one of meters, where a pattern would match it but for its dot."""
    made = project({})
    text = (made.folder / "reconciler.yaml").read_text("utf-8")
    made.file("reconciler.yaml", text.replace('["meters.yaml"]', '["*s.yaml"]'))
    made.file(".overrides.yaml", OVERRIDE)
    said = held(run("validate", "--format", "json").out)["diagnostics"]
    assert [one["code"] for one in said] == ["C032"]
