"""`import`: existing meters that no file declares become YAML, whose next plan is empty."""

from __future__ import annotations

import pytest
from cli.world import existing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import held

from reconciler.emulator import open_state
from reconciler.emulator.storage.database import Ledger

ODD = [
    *(
        "on",
        "No",
        "y",
        "null",
        "~",
        "010",
        "0o17",
        "1e3",
        "1_000",
        "0x1F",
        "12:30:00",
        "2024-01-01",
    ),
    *("'", '"', "it's", "a: b", "a #b", "# a", "- a", "[a]", "{a}", "&a", "*a", "!a", "%a", "@a"),
    *("a ", " a", " ", "a\tb", "a\nb", "\u200b", "\u202ea", "a\x00", "\ufeff", "é", "é"),
    *(
        "👩‍💻 seats",
        "##[x]",
        "::x::",
        "a\\b",
        "=",
        "<<",
        "?",
        "|",
        "x" * 100,
        "Calls",
        "calls",
        "->→",
    ),
]
TEXT = st.one_of(
    st.sampled_from(ODD), st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=9)
)
STATES = ["active", "active", "active", "inactive"]
METER = st.fixed_dictionaries(
    {
        "event_name": TEXT,
        "display_name": TEXT,
        "default_aggregation": st.fixed_dictionaries(
            {"formula": st.sampled_from(["sum", "count", "last"])}
        ),
        "status": st.sampled_from(STATES),
    },
    optional={
        "event_time_window": st.sampled_from(["hour", "day", None]),
        "value_settings": st.fixed_dictionaries({"event_payload_key": TEXT}),
        "customer_mapping": st.fixed_dictionaries(
            {"type": st.just("by_id"), "event_payload_key": st.sampled_from(["value", "customer"])}
        ),
    },
)


def keep_possible(meters):
    """At most one active meter of a name, as the API has it."""
    seen = set()
    for meter in meters:
        if meter["status"] == "active" and meter["event_name"] in seen:
            continue
        seen |= {meter["event_name"]} if meter["status"] == "active" else set()
        yield meter


@pytest.fixture
def refill(world):
    """One project; the returned function replaces what its account holds, and declares nothing."""
    made = world()

    def fill(meters):
        ledger = open_state(None, {"meters": meters}).ledger
        kept: Ledger = made.server.state.ledger
        kept.meters.clear()
        kept.meters.update(ledger.meters)
        made.file("meters.yaml", "version: 1\nmeters: []\n")
        return made

    return fill


def plan(run, made, *words):
    ran = run("plan", made.folder, "--detailed-exitcode", "--format", "json", *words)
    return ran.code, held(ran.out)["summary"]


@pytest.mark.parametrize("inactive", [False, True])
def test_odd_names_are_imported(inactive, refill, run):
    """All at once, in both ways to a file."""
    state = {"status": "inactive"} if inactive else {}
    made = refill([existing(name, name[::-1], **state) for name in dict.fromkeys(ODD)])
    ran = run("import", made.folder, *(["--include-inactive"] if inactive else []))
    assert (ran.code, ran.err) == (0, "")
    made.file("meters.yaml", ran.out)
    code, summary = plan(run, made)
    assert (code, summary["unchanged"], summary["unmanaged"]) == (0, len(set(ODD)), 0)
    assert made.posts() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(meters=st.lists(METER, max_size=8), declared=st.booleans(), inactive=st.booleans())
def test_for_any_account_the_plan_after_an_import_is_empty(refill, run, meters, declared, inactive):
    """Into a new file or into one with entries; no meter is left unmanaged."""
    made = refill(list(keep_possible(meters)))
    file = made.folder / "meters.yaml"
    file.unlink()
    if declared:
        first = '{event_name: "\\x20first", display_name: F, default_aggregation: {formula: sum}}'
        defaults = "defaults: {customer_mapping: {event_payload_key: customer}, protect: true}"
        file.write_text(f"version: 1\n{defaults}\nmeters:\n- {first}\n", "utf-8")
    before = file.read_text("utf-8") if declared else ""
    words = ["--include-inactive"] if inactive else []
    ran = run("import", made.folder, "--into", file, *words)
    assert ran.code == 0, ran.err
    if not file.exists():  # nothing to declare
        made.file("meters.yaml", "version: 1\nmeters: []\n")
    assert file.read_text("utf-8").startswith(before)
    code, summary = plan(run, made)
    assert (code, summary["create"]) == (2 * declared, int(declared))
    assert summary["unmanaged"] == summary["blocked"] == summary["update"] == 0


def test_the_yaml_is_sorted_with_comments_and_shared_settings_in_defaults(world, run):
    customer = {"customer_mapping": {"type": "by_id", "event_payload_key": "customer"}}
    seed = [
        existing("seats", "Seats", id="mtr_2", **customer, event_time_window="day"),
        existing("calls", "API: calls", "sum", id="mtr_1", **customer),
        existing("bytes", "Bytes", "last", id="mtr_3"),
        existing("seats", "Old", id="mtr_4", status="inactive"),
        existing("gone", "Gone", id="mtr_5", status="inactive", updated=1_700_000_000),
    ]
    made = world("", {"meters": seed})
    assert run("import", made.folder, "--include-inactive").out == (
        "version: 1\n"
        "meters:\n"
        "  # mtr_3, active\n"
        "  - event_name: bytes\n"
        "    display_name: Bytes\n"
        "    default_aggregation: {formula: last}\n"
        "  # mtr_1, active\n"
        "  - event_name: calls\n"
        '    display_name: "API: calls"\n'
        "    default_aggregation: {formula: sum}\n"
        "    customer_mapping: {event_payload_key: customer}\n"
        "  # mtr_5, inactive since 2023-11-14T22:13:20Z\n"
        "  - event_name: gone\n"
        "    display_name: Gone\n"
        "    default_aggregation: {formula: count}\n"
        "    status: inactive\n"
        "  # mtr_2, active; inactive duplicates: mtr_4\n"
        "  - event_name: seats\n"
        "    display_name: Seats\n"
        "    default_aggregation: {formula: count}\n"
        "    customer_mapping: {event_payload_key: customer}\n"
        "    event_time_window: day\n"
    )
    out = run("import", made.folder).out
    assert "defaults:\n  customer_mapping: {event_payload_key: customer}\nmeters:" in out
    assert "customer_mapping: {event_payload_key: stripe_customer_id}" in out  # of bytes
    assert out.count("customer_mapping") == 2
