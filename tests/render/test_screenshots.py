"""The pictures in docs/ can be made again: the demo still shows what they show."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from reconciler.diagnostics.errors import Exit
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


def test_the_demo_shows_the_deactivated_meter(screenshots):
    """Which one, since when, by whom, on which prices, until when usage can be re-sent."""
    drift, plan = screenshots.reports()
    assert (drift.exit_code, plan.exit_code) == (Exit.CHANGES, Exit.REFUSED)
    page = render(drift, "html")
    facts = ("seats", "2026-11-03 14:02 UTC", "not reconciler", "price_1Enterprise", "2026-12-08")
    assert [fact for fact in facts if fact not in page] == []


def test_the_pictures_are_of_this_program(screenshots):
    kept = json.loads(screenshots.DIGESTS.read_text("utf-8"))
    made = screenshots.digests(screenshots.sources())
    assert made == kept, "the pictures are of another program: run `python docs/screenshots.py`"


def test_a_digest_is_of_the_text_and_the_picture_and_not_of_the_plan_id(screenshots):
    """Two plans of the same files are shown by the same picture."""
    texts = screenshots.sources()
    again = screenshots.sources()
    assert texts != again
    assert screenshots.digests(texts) == screenshots.digests(again)
    other = {name: text.replace("seats", "chairs") for name, text in texts.items()}
    assert not set(screenshots.digests(other).items()) & set(screenshots.digests(texts).items())


def test_a_comment_is_shown_as_github_shows_it(screenshots):
    """The verdict in the first line, an alert, a block for each risk, the rest in a table."""
    _, plan = screenshots.reports()
    shown = screenshots.comment(screenshots.post(plan))
    assert "LIVE mode · Refused: apply makes no changes until the errors are fixed.<br>" in shown
    title = '<p class="markdown-alert-title">Caution</p><p>account <code>acct_1NorthwindAI</code>'
    assert f'<div class="markdown-alert markdown-alert-caution">{title}' in shown
    assert "<h4>🟠 high · deactivate <code>sms_sent</code></h4>" in shown
    assert '<td align="left"><strong><code>ai_agent_runs</code></strong>' in shown
