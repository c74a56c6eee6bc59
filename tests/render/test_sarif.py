"""SARIF: valid by the official schema, stable when lines move, and links nowhere."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema_rs import Draft4Validator
from msgspec.structs import replace
from render.reports import HOSTILE, REPORTS, drifted, hostile, plan, texts

from reconciler.diagnostics.codes import config, planning, service
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.render import sarif
from reconciler.report.report import Report


@cache
def official() -> Draft4Validator:
    path = Path(__file__).with_name("sarif-schema-2.1.0.json")
    return Draft4Validator(json.loads(path.read_text("utf-8")))


def run(report: Report) -> dict[str, Any]:
    """The one run of a log that keeps to the official schema."""
    log = json.loads(sarif.render(report))
    assert [error.message for error in official().iter_errors(log)] == []
    (only,) = log["runs"]
    return only


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_report_keeps_to_the_official_schema(make):
    """Every result names a rule that is there, has a file, and a fingerprint of its own."""
    found = run(make())
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    known = [result["partialFingerprints"]["reconciler/v1"] for result in found["results"]]
    assert len(known) == len(set(known))


@cache
def plain_shape(command: str) -> object:
    return shape(run(hostile("x", command)))


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_changes_the_structure(command, text):
    """The log has the keys and types that it has with a plain name, and still keeps the schema."""
    assert shape(run(hostile(f"x{text}", command))) == plain_shape(command)


@given(texts())
def test_a_message_holds_no_link_and_no_placeholder(text):
    """What viewers would follow or fill in is escaped as the standard asks."""
    written = sarif.escape(text)
    assert "](" not in written.replace("\\](", "")
    assert "{" not in written.replace("{{", "")
    assert "}" not in written.replace("}}", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_strict_readers_can_decode_it(text):
    """ASCII only, and no lone surrogate behind an escape."""
    written = sarif.render(hostile(text))
    assert written.isascii()
    json.loads(written)["runs"][0]["results"][0]["message"]["text"].encode("utf-8")


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./billing/meters/a b.yaml", "billing/meters/a%20b.yaml"),
        ("billing\\meters\\ai.yaml", "billing/meters/ai.yaml"),
        ("a:b?#.yaml", "a%3Ab%3F%23.yaml"),
    ],
)
def test_paths_are_relative_to_the_checkout(file, uri):
    """Percent-encoded, without `./`."""
    diagnostic = config.UNKNOWN_KEY("unknown key", Location(file, 4, 5, 4, 15))
    (result,) = run(Report(command="validate", diagnostics=(diagnostic,)))["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == uri
    assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert physical["region"] == {"startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 15}


def test_a_fingerprint_survives_moved_lines_and_new_numbers():
    """The same finding is the same alert; one under another name is not."""

    def known(name: str, line: int, message: str) -> str:
        diagnostic = planning.DIFFERS(message, Location("ai.yaml", line, 1), event_name=name)
        (result,) = run(Report(command="plan", diagnostics=(diagnostic,)))["results"]
        return result["partialFingerprints"]["primaryLocationLineHash"]

    assert known("seats", 4, "3 days") == known("seats", 40, "4 days")
    assert known("seats", 4, "3 days") != known("tokens", 4, "3 days")


def test_two_alike_in_one_file_have_different_fingerprints():
    """The second mistake of a kind gets the next number."""
    twice = [config.UNKNOWN_KEY("unknown key 'a'", Location("m.yaml", n, 1)) for n in (3, 9)]
    results = run(Report(command="validate", diagnostics=tuple(twice)))["results"]
    hashes = [result["partialFingerprints"]["reconciler/v1"] for result in results]
    assert [one.rpartition(":")[2] for one in hashes] == ["1", "2"]
    assert len({one.rpartition(":")[0] for one in hashes}) == 1


def test_what_is_severe_is_an_error_and_what_is_exempt_suppressed():
    results = {
        result["properties"]["event_name"]: result
        for result in run(drifted())["results"]
        if "event_name" in result["properties"]
    }
    levels = {name: result["level"] for name, result in results.items()}
    assert levels == {
        "seats": "error",
        "api_calls": "error",
        "ai_image_renders": "warning",
        "video_minutes": "warning",
    }
    suppressed = results["video_minutes"]["suppressions"]
    assert suppressed == [
        {"kind": "external", "justification": "until 2027-01-31: moves to the new product"}
    ]
    assert "suppressions" not in results["seats"]


def test_an_undeclared_meter_has_a_file_too():
    """Code scanning refuses a log with a result that has no file."""
    legacy = next(
        result
        for result in run(drifted())["results"]
        if result["properties"].get("event_name") == "video_minutes"
    )
    place = legacy["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "meters.yaml", "uriBaseId": "%SRCROOT%"}
    }
    assert place["logicalLocations"] == [{"name": "video_minutes", "kind": "resource"}]


def test_a_missing_key_is_no_alert_in_a_file():
    """Diagnostics of the run are notifications, beside its exit code."""
    diagnostic = service.KEY_MISSING("STRIPE_API_KEY is not set")
    report = Report(command="plan", diagnostics=(diagnostic,), own_exit=Exit.DENIED)
    found = run(report)
    assert found["results"] == []
    (invocation,) = found["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (6, False)
    (note,) = invocation["toolExecutionNotifications"]
    assert (note["descriptor"]["id"], note["level"]) == ("S001", "error")
    assert run(replace(plan(), diagnostics=()))["invocations"][0]["executionSuccessful"]


def test_code_scanning_gets_no_more_results_than_it_takes(monkeypatch):
    """The most severe ones, in their order; how many are left out is said."""
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 3)
    places = [Location("meters.yaml", line, 1) for line in range(1, 6)]
    rules = (
        planning.UNKNOWN_FIELDS,
        config.WRONG_TYPE,
        planning.PARTIAL,
        config.WRONG_TYPE,
        config.WRONG_TYPE,
    )
    said = tuple(rule("wrong", place) for rule, place in zip(rules, places, strict=True))
    found = run(Report(command="validate", diagnostics=said))
    lines = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in found["results"]
    ]
    (invocation,) = found["invocations"]
    (note,) = invocation["toolExecutionNotifications"]
    assert lines == [2, 4, 5]
    assert note["message"]["text"] == "2 results are not in this file: code scanning shows 3"
