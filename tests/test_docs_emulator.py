"""The page of the emulator: its tables are complete; test_docs_pages.py runs its sessions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.emulator import (
    PERMISSIONS,
    ControlledServer,
    Fault,
    Kind,
    list_choices,
    open_state,
)
from reconciler.emulator.control import PARTS
from reconciler.emulator.messages import Request
from reconciler.emulator.requests.faults import OPTIONS
from reconciler.emulator.routes import ENDPOINTS
from reconciler.emulator.storage.seed import build_validator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "emulator.md"
TEXT = PAGE.read_text("utf-8")


def test_every_option_of_emulate_is_on_the_page(run):
    own, _ = run("emulate", "--help").out.split("\noutput:\n")
    for option in set(re.findall(r"--[a-z-]+", own)):
        assert f"`{option}" in TEXT, option


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_fault_is_on_the_page(kind):
    faults = TEXT[TEXT.index("## Faults") : TEXT.index("## Switches")]
    (shown,) = re.findall(rf"^\| `({kind}[^`]*)` \|", faults, re.M)
    assert Fault.parse(shown).kind is kind


def test_every_option_of_a_fault_is_on_the_page():
    shown = re.findall(r"`([a-z_]+)=[^`]+`", TEXT[TEXT.index("## Faults") :])
    assert {*OPTIONS, "post"} <= set(shown)
    for spec in re.findall(r"--fault (\S+)", TEXT):
        if spec != "SPEC`":
            Fault.parse(spec)


def test_every_switch_is_on_the_page():
    table = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", TEXT, re.M)
    shown = {name: values.replace("`", "") for name, values in table}
    for name, values in list_choices().items():
        assert shown[name] == values.strip('"').replace("|", ", "), name


def test_every_call_and_permission_is_on_the_page():
    table = re.findall(r"^\| `([A-Z]+) (\S+)` \| (\w+) \|$", TEXT, re.M)
    assert table == [(each.method, each.path, each.permission) for each in ENDPOINTS]
    assert all(f"`{name}`" in TEXT for name in PERMISSIONS)


@pytest.mark.parametrize(
    "name", ["account", "meters", "products", "prices", "customers", "alerts", "events"]
)
def test_every_field_of_a_seed_is_on_the_page(name):
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", TEXT, re.M)
    fields = build_validator().schema["$defs"][name.rstrip("s")]["properties"]
    assert set(re.findall(r"`(\w+)`", row)) - {"idempotency_key"} == set(fields)


def test_every_request_of_the_control_path_is_on_the_page():
    """Each example is accepted."""
    table = re.findall(r"^\| `([A-Z]+) /_emulator/?(\w*)` \| (?:`(.+?)`)? ?\|", TEXT, re.M)
    shown = {(method, part): body for method, part, body in table}
    assert set(shown) == {(method, name) for name, part in PARTS.items() for method in part.methods}
    seed = {
        "meters": [
            {
                "id": "mtr_1",
                "event_name": "a",
                "display_name": "A",
                "default_aggregation": {"formula": "sum"},
            }
        ]
    }
    with open_state(None, seed) as store, ControlledServer(store) as server:
        for (method, part), body in shown.items():
            path = f"/_emulator/{part}".rstrip("/")
            headers = {"content-type": "application/json"}
            answer = server.exchange(Request(method, path, "", headers, body.encode()))
            assert answer.status == 200, (method, part, answer.body)


KNOWN = re.findall(r"^\| (.+) \| (.+) \| (.*?) ?\| `(test_\w+\.py)(?:::(\w+))?` \|$", TEXT, re.M)
GRADES = ("documented", "observed", "inferred", "unknown", "a choice")
ALWAYS_CHOSEN = {"chance_seed", "latency"}


def test_every_fact_names_its_grade_an_existing_switch_and_an_existing_test():
    assert len(KNOWN) == len(re.findall(r"^\|[^|]+\|[^|]+\|[^|]*\| `test_.*\|$", TEXT, re.M)) > 60
    for fact, known, switches, module, function in KNOWN:
        assert known.startswith(GRADES), fact
        for name in re.findall(r"`(\w+)`", switches):
            assert (
                name in list_choices()
                or name in build_validator().schema["$defs"]["meter"]["properties"]
            ), (fact, name)
        text = (ROOT / "tests" / "emulator" / module).read_text("utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.M), (fact, function)


def test_every_switch_belongs_to_a_fact_and_to_its_test():
    """A test of that module uses the switch."""
    for name in set(list_choices()) - ALWAYS_CHOSEN:
        modules = {row[3] for row in KNOWN if f"`{name}`" in row[2]}
        assert modules, name
        texts = [(ROOT / "tests" / "emulator" / module).read_text("utf-8") for module in modules]
        assert any(name in text for text in texts), name
