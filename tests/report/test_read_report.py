"""A JSON report that is read back says what the report said, and a forged one is refused."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from render.reports import REPORTS, drifted, hostile, partly_applied, plan, texts

from reconciler.diagnostics.errors import ConfigError
from reconciler.model.finding import DriftEntry
from reconciler.model.usage import UsageSample, UsageSampling
from reconciler.render import render
from reconciler.render.view import build_view
from reconciler.report.read_report import COMMANDS, read_report
from reconciler.report.report import Report

READABLE = {
    name: make for name, make in REPORTS.items() if name != "many" and make().command in COMMANDS
}


def again(report: Report) -> Report:
    return read_report(render(report, "json"), "report.json")


def as_reported(entry: DriftEntry) -> DriftEntry:
    """Of the meters, a JSON report has the ids that a finding names."""
    named = {id_ for finding in entry.findings for id_ in finding.meter_ids}
    return replace(entry, meters=tuple(each for each in entry.meters if each.id in named))


def without_quiet(report: Report) -> Report:
    """A JSON report has no entry for an event_name without findings."""
    accounts = (
        replace(each, entries=tuple(as_reported(entry) for entry in each.entries if entry.findings))
        for each in report.accounts
    )
    return replace(report, accounts=tuple(accounts))


@pytest.mark.parametrize("name", READABLE)
def test_what_is_read_back_is_shown_as_before(name):
    """In a comment, and in JSON again, where a report is whole."""
    report = without_quiet(READABLE[name]())
    assert render(again(report), "markdown") == render(report, "markdown")
    assert render(again(report), "json") == render(report, "json")


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_any_text_is_read_back(command, text):
    report = without_quiet(hostile(text, command))
    assert render(again(report), "markdown") == render(report, "markdown")


def edited(report: Report, **changes: object) -> str:
    """A report as JSON, with values at dotted paths replaced."""
    data = json.loads(render(report, "json"))
    for path, value in changes.items():
        *parents, last = (int(key) if key.isdigit() else key for key in path.split("__"))
        inner = data
        for key in parents:
            inner = inner[key]
        inner[last] = value
    return json.dumps(data)


@pytest.mark.parametrize("version", ["1.0", "1.7"])
def test_later_minor_versions_and_their_keys_are_read(version):
    text = edited(plan(), format_version=version, news={"a": 1}, accounts__0__changes__0__new=[1])
    assert read_report(text, "report.json").accounts == again(plan()).accounts


FORGED = {
    "version": (plan, {"format_version": "2.0"}, "format_version '2.0' is not supported"),
    "number": (plan, {"format_version": 1.0}, "format_version 1.0 is not supported"),
    "command": (plan, {"command": "x -->"}, "not a report of validate, plan, apply, drift"),
    "action": (plan, {"accounts__0__changes__0__action": "merge"}, "changes[0].action: invalid"),
    "risk": (
        plan,
        {"accounts__0__changes__0__action": "deactivate", "accounts__0__changes__0__risk": "none"},
        "changes[0].risk is none, and the change has the risk",
    ),
    "exit": (plan, {"exit_code": 0}, "exit_code or complete does not fit"),
    "no such exit": (plan, {"exit_code": 77}, "exit_code: invalid value"),
    "time": (drifted, {"accounts__0__findings__0__since": 10**30}, "a time is out of range"),
    "time of rejected usage": (
        drifted,
        {
            "accounts__0__findings__0__rejected": {
                "count": 1,
                "codes": [],
                "first": 1,
                "last": -(10**12),
                "window": 60,
            }
        },
        "a time is out of range",
    ),
    "line": (
        plan,
        {"accounts__0__changes__0__location": {"file": "a", "line": -1}},
        "location: out of range",
    ),
    "status": (
        partly_applied,
        {"accounts__0__changes__0__result__status": "fine"},
        "result.status: invalid value",
    ),
    "account": (plan, {"accounts__0": "x"}, "accounts[0]: invalid value"),
    "mode": (plan, {"accounts__0__account__livemode": "yes"}, "account.livemode: invalid value"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_report_is_refused_and_the_error_says_where(name):
    make, changes, message = FORGED[name]
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        read_report(edited(make(), **changes), "report.json")
    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.code, str(diagnostic.location)) == ("H001", "report.json")


@given(st.integers(0, 400))
def test_a_truncated_report_is_refused(at):
    text = render(plan(), "json")
    with pytest.raises(ConfigError, match="not JSON; it may be truncated"):
        read_report(text[: at * len(text) // 401], "report.json")


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "{}", "null", '{"format_version": "1.0"}'])
def test_another_document_is_refused(text):
    with pytest.raises(ConfigError, match="H001"):
        read_report(text, "report.json")


def test_what_a_report_does_not_list_is_counted_again():
    """Of drift, event_names without findings; and how many customers were sampled."""
    sample = UsageSample(meter_id="mtr_1", start=1, end=2, customers=3, used=3)
    sampling = UsageSampling(most=5, start=1, end=2, requests=9, samples={"seats": sample})
    (account,) = drifted().accounts
    report = replace(drifted(), accounts=(replace(account, sampling=sampling),))
    whole, known = json.loads(render(report, "json")), again(report)
    assert json.loads(render(known, "json")) == whole
    assert whole["accounts"][0]["summary"]["unchanged"]
    assert str(build_view(known).headline) == str(build_view(report).headline)


def test_a_replacement_and_the_prices_that_were_read_are_read_back():
    """Whether prices could be read, and which meter is reactivated."""
    text = render(plan(), "json")
    data = json.loads(text)
    for n, change in enumerate(data["accounts"][0]["changes"]):
        change["prices_read"] = bool(n % 2)
        if change["action"] == "replace":
            change["after"]["id"] = "mtr_again"
    assert json.loads(render(read_report(json.dumps(data), "r.json"), "json")) == data


@pytest.mark.parametrize("shard", [{"index": 0}, {"index": 3}, {"count": 10**6, "index": 1}, None])
def test_a_shard_out_of_range_is_refused(shard):
    known = {"index": 1, "count": 2, "configuration": None}
    text = edited(plan(), shard=shard and known | shard)
    with pytest.raises(ConfigError, match=r"not a complete report"):
        read_report(text, "report.json")


def test_each_change_takes_few_calls():
    """A fleet has a hundred thousand of them: they are decoded together, and not value by value."""
    document = json.loads(render(partly_applied(), "json"))
    changes = document["accounts"][0]["changes"]
    assert any("result" in change for change in changes)

    def count(times: int) -> int:
        document["accounts"][0]["changes"] = changes * times
        text, calls = json.dumps(document), 0

        def called(frame, event, _) -> None:
            nonlocal calls
            calls += event == "call"

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            read_report(text, "report.json")
        finally:
            sys.setprofile(before)
        return calls

    count(1)  # what is imported and cached
    assert (count(11) - count(1)) / (10 * len(changes)) < 20
