"""The code quality report: what GitLab requires of it, and unique fingerprints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator
from render.reports import HOSTILE, REPORTS, hostile

from reconciler.render import codequality
from reconciler.report.report import Report

# What GitLab's documentation requires; it publishes no schema.
FORMAT = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1, "maxLength": 2_500},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32,}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues(report: Report) -> list[dict[str, Any]]:
    """The issues of a report, which keeps to the format."""
    found: list[dict[str, Any]] = json.loads(codequality.render(report))
    assert [error.message for error in Draft7Validator(FORMAT).iter_errors(found)] == []
    return found


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_report_keeps_to_the_format(make):
    """GitLab shows only the first of two issues with one fingerprint."""
    known = [issue["fingerprint"] for issue in issues(make())]
    assert len(known) == len(set(known))


@pytest.mark.parametrize("value", HOSTILE)
def test_no_text_breaks_the_format(value):
    for issue in issues(hostile(value)):
        assert issue["description"].isprintable()
