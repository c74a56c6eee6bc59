"""The whole text of errors in files, as `validate` reports them."""

from __future__ import annotations

from published import held

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
