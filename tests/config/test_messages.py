"""The whole text of errors in files, as `validate` reports them."""

from __future__ import annotations

import pytest
from config.loading import diagnose
from published import held

from reconciler.config import schema

SUM = "default_aggregation: {formula: sum}"
FILES = {
    "a.yaml": f"""version: 1
meters:
- {{event_name: seats, display_name: [a], {SUM}}}
- {{event_name: cpu, display_name: 0x1F, {SUM}}}
- {{event_name: api_calls, display_name: A, default_aggregation: {{formula: summ}}}}
- {{event_name: API-calls, display_name: B, {SUM}}}
""",
    "b.yaml": 'version: "7"\n',
    "c.yaml": "version: 1\nmeters: {a: b}\n",
    "d.yaml": "resource x\n",
}
SAID = [
    "C009: `display_name` must be a string, not a list",
    "Y016: `0x1F` must be quoted: some YAML parsers read it as a number",
    "C012: unknown value `summ` for `formula`",
    "C033: event_name `API-calls` looks like `api_calls`, declared at a.yaml:5:16",
    'C008: version "7" is not supported (supported: 1)',
    "C009: `meters` must be a list, not a mapping",
    "C009: the file must be a mapping, not a string",
    "C007: symbolic links to folders are not followed",
]


def test_each_error_says_exactly_what_is_wrong(run, tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "linked").symlink_to(tmp_path.parent)
    monkeypatch.chdir(tmp_path)
    found = held(run("validate", ".", "--format", "json").out)["diagnostics"]
    assert [f"{each['code']}: {each['message']}" for each in found] == SAID


def test_protection_is_placed_at_the_override_that_contradicts_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(
        f"version: 1\nmeters:\n- {{event_name: a, display_name: A, {SUM}, protect: true}}\n"
    )
    (tmp_path / "b.yaml").write_text(
        "version: 1\noverrides:\n- {event_name: a, status: inactive}\n"
    )
    (tmp_path / "reconciler.yaml").write_text(
        "version: 1\nmeters: [a.yaml, b.yaml]\naccounts: {x: {api_key_env: KEY}}\n"
    )
    (found,) = held(run("validate", ".", "--format", "json").out)["diagnostics"]
    assert found["message"] == "`a` is both protected and declared inactive"
    assert (found["location"]["file"], found["location"]["line"]) == ("b.yaml", 3)


def meter_file(meter):
    return {"a.yaml": f"version: 1\nmeters:\n- {{{meter}}}\n"}


def project_file(text, account="{api_key_env: KEY}"):
    return {"reconciler.yaml": f"version: 1\n{text}\naccounts: {{x: {account}}}\n"}


REFERENCE = "see the configuration reference for the expected type"
FIX = "fix the YAML here: check the indentation, the quotes and the brackets"
OUTSIDE = "use a path relative to the project folder, without `..`"
ADVISED = {
    "no value": (
        meter_file(f"event_name: a, display_name: , {SUM}"),
        ("C009", "`display_name` has no value; expected a string", REFERENCE),
    ),
    "one of two types": (
        project_file("policy: {usage_window: true}"),
        (
            "C009",
            "`usage_window` must be a string or a whole number, not `true`",
            "a duration must be a number and a unit, such as 90m, 24h or 7d, or 0",
        ),
    ),
    "a duration without a unit": (
        project_file("policy: {usage_window: 25}"),
        (
            "C014",
            "`usage_window` is 25: a duration must be a number and a unit, such as 90m, 24h or "
            "7d, or 0",
            "correct the value",
        ),
    ),
    "a field in preview": (
        meter_file(f"event_name: a, display_name: A, {SUM}, dimension_payload_keys: [a]"),
        (
            "C035",
            "`dimension_payload_keys` is a field of Stripe's preview API that this version does "
            "not support",
            "remove the line; create this meter with the preview API, then declare its other "
            "fields",
        ),
    ),
    "one name of two": (
        project_file("compare: {event_names: [{x: a}]}"),
        (
            "C013",
            "item 1 of `event_names` has no key besides `x`",
            "add what is missing, or remove it",
        ),
    ),
    "a path of Windows": (
        project_file("", "{emulator: 'a\\..\\..\\b'}"),
        ("C005", "`a\\..\\..\\b` is outside the project folder", OUTSIDE),
    ),
    **{
        f"a path from {root}": (
            project_file("", f"{{emulator: '{root}a'}}"),
            ("C005", f"`{root}a` is outside the project folder", OUTSIDE),
        )
        for root in ("/", "~", "\\")
    },
    "an empty file": (
        {"a.yaml": ""},
        (
            "Y004",
            "the file is empty",
            "to declare no meters, write `version: 1` and `meters: []`; otherwise delete the file",
        ),
    ),
    "a reserved sign": (
        {"a.yaml": "a: @x"},
        ("Y003", "a value cannot start with `@`; quote the value", FIX),
    ),
    "a quote in a text": (
        {"a.yaml": "a: 'it's a very long text that goes on'"},
        (
            "Y003",
            "the quote opened on line 1 is closed before `s a very long text t`",
            "close it where the text ends, or write a quote inside it as `''`",
        ),
    ),
    "UTF-16": (
        {"a.yaml": b"\xff\xfea\0"},
        (
            "Y001",
            "invalid UTF-8: byte 0xff at offset 0; the file looks like UTF-16",
            "save the file as UTF-8",
        ),
    ),
    "UTF-16, the higher byte first": (
        {"a.yaml": b"\xfe\xff\0a"},
        (
            "Y001",
            "invalid UTF-8: byte 0xfe at offset 0; the file looks like UTF-16",
            "save the file as UTF-8",
        ),
    ),
    "a byte of Latin-1": (
        {"a.yaml": b"a: \xe9"},
        ("Y001", "invalid UTF-8: byte 0xe9 at offset 3", "save the file as UTF-8"),
    ),
}


@pytest.mark.parametrize("case", ADVISED)
def test_each_error_says_what_to_do(case, tmp_path):
    files, said = ADVISED[case]
    found = [(each.code, each.message, each.hint) for each in diagnose(tmp_path, files)]
    assert [each for each in found if each[0] != "C002"] == [said]


def test_fields_that_stripe_sets_are_one_error_for_each_meter(tmp_path):
    meter = f"event_name: %s, display_name: A, {SUM}, id: mtr_1, created: 1"
    text = f"version: 1\nmeters:\n- {{{meter % 'a'}}}\n- {{{meter % 'b'}}}\n"
    found = diagnose(tmp_path, {"a.yaml": text})
    message = "`id` and `created` are set by Stripe and cannot be declared"
    assert [(each.message, each.location.line) for each in found] == [(message, 3), (message, 4)]


@pytest.mark.parametrize(
    "wrong",
    [
        "id: mtr_1, created: 1, livemode: true",  # three errors in one sentence
        "event_time_window: 1, status: 1, retires: 1",
        "display_name: 0o17, status: off, event_time_window: no",
    ],
)
def test_the_errors_that_are_listed_are_limited(wrong, tmp_path, monkeypatch):
    """However few sentences they take."""
    monkeypatch.setattr(schema, "MAX_DIAGNOSTICS", 2)
    found = diagnose(tmp_path, meter_file(f"event_name: a, {SUM}, {wrong}"))
    assert "the file contains more than 2 errors" in [each.message for each in found]
    assert len(found) <= 3


def test_as_many_errors_as_the_limit_are_listed_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "MAX_DIAGNOSTICS", 2)
    files = meter_file(f"event_name: a, display_name: [], {SUM}, status: 1")
    assert [each.code for each in diagnose(tmp_path, files)] == ["C009", "C012"]
