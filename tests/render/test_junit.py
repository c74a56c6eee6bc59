"""JUnit XML: a case for every declared meter, and well-formed whatever the names."""

from __future__ import annotations

from collections import Counter
from functools import cache
from xml.etree import ElementTree

import pytest
from builders.meters import declare
from hypothesis import assume, given
from msgspec.structs import replace
from render.reports import HOSTILE, REPORTS, drifted, hostile, invalid, partly_applied, plan, texts

from reconciler.diagnostics.errors import Exit
from reconciler.model.project import AccountRef
from reconciler.render import junit
from reconciler.render.escape import clean
from reconciler.report.report import AccountReport, Report

# What the xunit schema of Jenkins and the documentation of GitLab both know.
KNOWN = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "file", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}


def parsed(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(report).encode())


def results(report: Report) -> dict[str, str]:
    """The name of every case, and the element in it."""
    cases = parsed(report).iter("testcase")
    return {case.get("name", ""): "".join(child.tag for child in case) for case in cases}


def shape(element: ElementTree.Element) -> tuple[object, ...]:
    return element.tag, sorted(element.keys()), [shape(child) for child in element]


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_only_what_common_readers_know(make):
    """Known elements and attributes, the required ones present, and counts that add up."""
    root = parsed(make())
    for element in root.iter():
        assert set(element.keys()) <= KNOWN[element.tag]
    for suite in [root, *root.iter("testsuite")]:
        found = Counter(element.tag for element in suite.iter())
        shown = {key: int(suite.get(key, "-1")) for key in ("tests", "failures", "errors")}
        wanted = (found["testcase"], found["failure"], found["error"])
        assert tuple(shown.values()) == wanted
        assert int(suite.get("skipped", "-1")) == found["skipped"]
    assert all(case.get("name") and case.get("classname") for case in root.iter("testcase"))


@cache
def plain_shape(command):
    return shape(parsed(hostile("x", command)))


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_changes_the_structure(command, text):
    """It is parsed, has the same elements as with a plain name, and says what was said."""
    assume(".." not in text)  # what is no path inside the repository has no place
    text = f"x{text}"
    root = parsed(hostile(text, command))
    assert shape(root) == plain_shape(command)
    assert clean(text) in {case.get("name") for case in root.iter("testcase")}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_xml_forbids_is_written_out(text):
    """Control characters, lone surrogates and non-characters come out as escapes."""
    root = parsed(hostile(text))
    messages = [element.get("message") for element in root.iter("failure")]
    assert clean(text) in messages


def test_a_plan_fails_where_it_is_blocked_or_refused():
    """A planned change is no failure; an undeclared meter has no case."""
    assert results(plan()) == {
        "G001: 2 meters would be deactivated; the policy allows 1": "error",
        "everything else": "skipped",
        "uploads": "system-out",
        "ai_search_calls": "system-out",
        "seats": "system-out",
        "ai_image_renders": "system-out",
        "sms_sent": "failure",
        "api_calls": "failure",
        "ai_tokens": "system-out",
        "storage_gb": "system-out",
    }


def test_an_apply_fails_where_a_change_failed():
    """A change that was not tried is skipped, one that was already made has passed."""
    found = results(partly_applied())
    assert found["seats"] == "failure"
    assert found["sms_sent"] == "skipped"
    assert found["ai_image_renders"] == "system-out"


def test_drift_fails_for_every_finding_that_counts():
    """Undeclared names have a case of their own; an exempt one is skipped and says why."""
    found = results(drifted())
    assert [name for name, tag in found.items() if tag == "failure"] == [
        "D010: the exemption of unmanaged for 'old_*' expired on 2026-10-31: being sold off",
        "seats",
        "api_calls",
        "ai_image_renders",
    ]
    skipped = parsed(drifted()).find(".//testcase[@name='video_minutes']/skipped")
    assert skipped is not None
    reason = "ignored until 2027-01-31 (billing team): moves to the new product"
    assert skipped.get("message") == reason


def test_mistakes_in_files_are_errors():
    """A warning fails nothing."""
    assert list(results(invalid()).values()) == ["error", "error", "system-out"]


def test_a_validation_has_a_case_for_every_declared_meter():
    """Nothing was compared; all of them have passed."""
    found = AccountReport(
        account=AccountRef("production"),
        exit_code=Exit.DONE,
        valid=(declare("seats"), declare("ai_tokens", line=12)),
    )
    report = Report(command="validate", accounts=(found, replace(found, valid=())))
    assert results(report) == {"seats": "", "ai_tokens": ""}
