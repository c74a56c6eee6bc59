"""Many unmanaged or ignored meters are one line; with -v each has its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from render.parts import creation, unmanaged
from render.reports import account, entry

from reconciler.model.finding import Exemption, Finding, Severity
from reconciler.render import render, text
from reconciler.report.report import Report, ReportedChange

NAMES = [f"test_meter_{n:02}" for n in range(30)]


def plan() -> Report:
    lines = [ReportedChange(unmanaged(name)) for name in NAMES]
    return Report(command="plan", accounts=(account(*lines, ReportedChange(creation("calls"))),))


def drift(exemption: Exemption | None) -> Report:
    found = Finding(
        kind="unmanaged",
        code="D009",
        severity=Severity.LOW,
        message="active, and no file declares it",
        exemption=exemption,
    )
    entries = tuple(entry(unmanaged(name), found) for name in NAMES)
    return Report(command="drift", accounts=(replace(account(), entries=entries),))


@pytest.mark.parametrize(
    ("report", "label"),
    [
        (plan(), "30 unmanaged: test_meter_00, test_meter_01, test_meter_02 and 27 more"),
        (drift(None), "30 unmanaged: test_meter_00, test_meter_01, test_meter_02 and 27 more"),
        (drift(Exemption("load test", "2027-01-31")), "30 ignored until 2027-01-31: load test"),
    ],
)
def test_many_alike_are_a_count_and_examples(report, label):
    """In text, Markdown and HTML."""
    assert label in " ".join(text.render(report).split())
    for name in ("text", "markdown", "html"):
        written = render(report, name)
        assert NAMES[2] in written
        assert NAMES[3] not in written
        assert "27 more" in written


@pytest.mark.parametrize("report", [plan(), drift(None)])
def test_all_are_in_verbose_text_and_json(report):
    """Nothing is hidden from those who ask, or from programs."""
    for written in (text.render(report, verbose=True), render(report, "json")):
        assert all(name in written for name in NAMES)


def test_a_few_are_shown_one_by_one():
    """A count says less than five names."""
    lines = [ReportedChange(unmanaged(name)) for name in NAMES[:5]]
    written = text.render(Report(command="plan", accounts=(account(*lines),)))
    assert all(name in written for name in NAMES[:5])
