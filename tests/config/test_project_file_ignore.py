"""Timed exemptions in the project file: what they become, and every way to get them wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.config.schema import read_schema
from reconciler.diagnostics.errors import ConfigError
from reconciler.model.finding import Kind
from reconciler.model.project import Ignore

METERS = "version: 1\nmeters: []\n"
WHOLE = {
    "event_name": "legacy_*",
    "kind": "unmanaged",
    "reason": "goes away",
    "until": "2027-01-31",
}


def write(folder: Path, project: str) -> Path:
    (folder / "reconciler.yaml").write_text(f"version: 1\n{project}", "utf-8")
    (folder / "a.yaml").write_text(METERS, "utf-8")
    return folder


def entry(**changed: object) -> str:
    """A project file with one exemption; None leaves a key out, other values are as written."""
    given = {key: json.dumps(value) for key, value in WHOLE.items()} | changed
    pairs = ", ".join(f"{key}: {value}" for key, value in given.items() if value is not None)
    return f"ignore:\n  - {{{pairs}}}\n"


def test_an_exemption_is_read_with_its_place(tmp_path):
    """Every key ends in the noun; the owner may be left out."""
    (account,) = load(write(tmp_path, entry(owner='"billing team"'))).accounts
    (rule,) = account.ignore
    assert rule == Ignore(**WHOLE, owner="billing team", location=rule.location)
    assert (Path(rule.location.file).name, rule.location.line, rule.location.column) == (
        "reconciler.yaml",
        3,
        5,
    )
    (account,) = load(write(tmp_path, entry())).accounts
    assert account.ignore[0].owner is None


def test_an_account_adds_its_own_to_those_of_the_project(tmp_path):
    """What sandbox may ignore, production need not."""
    accounts = f"""\
accounts:
  one: {{emulator: 1.json, ignore: [{json.dumps({**WHOLE, "kind": "renamed"})}]}}
  two: {{emulator: 2.json}}
"""
    one, two = load(write(tmp_path, accounts + entry())).accounts
    assert [rule.kind for rule in one.ignore] == ["unmanaged", "renamed"]
    assert [rule.kind for rule in two.ignore] == ["unmanaged"]


MISTAKES = {
    "no reason": (entry(reason=None), "C011", "missing key `reason`"),
    "no date": (entry(until=None), "C011", "missing key `until`"),
    "no kind": (entry(kind=None), "C011", "missing key `kind`"),
    "no name": (entry(event_name=None), "C011", "missing key `event_name`"),
    "blank reason": (entry(reason='" "'), "C014", "`reason` is blank"),
    "unknown kind": (entry(kind="unmanged"), "C012", "did you mean `unmanaged`?"),
    "a kind that nothing can let pass": (entry(kind="expired"), "C012", "known values: inactive"),
    "unquoted date": (entry(until="2027-01-31"), "Y016", 'quote it: "2027-01-31"'),
    "another form": (entry(until='"31.1.2027"'), "C014", "a date must be written as YYYY-MM-DD"),
    "no such day": (entry(until='"2027-02-30"'), "C014", "not a valid date"),
    "no such month": (entry(until='"2027-13-01"'), "C014", "not a valid date"),
    "unknown key": (entry(untill='"2027-01-31"', until=None), "C010", "did you mean `until`?"),
    "no list": ("ignore: {kind: unmanaged}\n", "C009", "must be a list"),
    "no mapping": ("ignore: [unmanaged]\n", "C009", "must be a mapping"),
}


@pytest.mark.parametrize(("project", "code", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_diagnostic(project, code, said, tmp_path):
    """With its place and what to do; nothing is silently let pass, or silently not."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, project))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, Path(diagnostic.location.file).name) == (code, "reconciler.yaml")
    assert said in f"{diagnostic.message} {diagnostic.hint}"
    assert diagnostic.location.line == (3 if "\n  - " in project else 2)


def test_a_mistake_in_an_account_stands_there(tmp_path):
    """The calendar is asked at every level."""
    bad = json.dumps({**WHOLE, "until": "2027-04-31"})
    project = f"accounts:\n  a: {{emulator: 1.json, ignore: [{bad}]}}\n"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, project))
    assert [(p.code, p.location.line) for p in caught.value.diagnostics] == [("C014", 3)]


def test_the_kinds_are_those_of_the_audit():
    """One closed list: the audit's, the project file's, the report's."""
    entries = read_schema("project")["$defs"]["ignore"]["items"]
    assert entries["properties"]["kind"]["enum"] == list(Kind)
    assert read_schema("report")["$defs"]["kind"]["enum"] == list(Kind)
