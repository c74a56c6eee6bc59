"""The pictures in docs/ can be made again: the demo still tells the story that they show."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from reconciler.problem import Exit
from reconciler.render import render

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def screenshots(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.chdir(DOCS / "demo")
    spec = importlib.util.spec_from_file_location("screenshots", DOCS / "screenshots.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_tells_of_the_meter_that_somebody_stopped(screenshots):
    """Which one, since when, by whom, on which prices, until when usage can be sent again."""
    drift, plan = screenshots.reports()
    assert (drift.exit_code, plan.exit_code) == (Exit.CHANGES, Exit.REFUSED)
    page = render(drift, "html")
    for fact in (
        "seats",
        "2026-11-03 14:02 UTC",
        "not through this tool",
        "price_1Enterprise",
        "2026-12-08 14:02 UTC",
    ):
        assert fact in page


def test_a_comment_is_shown_as_github_shows_it(screenshots):
    """The verdict in a box of its own, the lines in a table."""
    _, plan = screenshots.reports()
    shown = screenshots.comment(render(plan, "markdown"))
    assert '<div class="alert caution"><b>Caution</b><p><strong>Refused' in shown
    assert "<strong><code>seats</code></strong>" in shown
