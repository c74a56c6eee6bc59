"""`--format codequality`: the lines of files that a merge request shows."""

from __future__ import annotations

import json

from cli.world import SEATS, existing


def test_errors_of_files_are_at_their_lines(world, run, monkeypatch):
    made = world(SEATS)
    made.file("meters.yaml", "version: 1\nmeters:\n  - {event_name: a, display_nam: A}\n")
    monkeypatch.chdir(made.folder)
    ran = run("validate", "--format", "codequality")
    found = json.loads(ran.out)
    assert ran.code == 1
    assert {issue["location"]["path"] for issue in found} == {"meters.yaml"}
    assert {issue["location"]["lines"]["begin"] for issue in found} == {3}
    assert {issue["severity"] for issue in found} == {"critical"}


def test_an_account_that_is_as_declared_has_no_issue(world, run):
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    assert json.loads(run("plan", made.folder, "--format", "codequality").out) == []


def test_drift_is_an_issue_of_the_declaration(world, run, monkeypatch):
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    monkeypatch.chdir(made.folder)
    (issue,) = json.loads(run("drift", "--format", "codequality").out)
    assert issue["location"]["path"] == "meters.yaml"
    assert "display_name" in issue["description"]
