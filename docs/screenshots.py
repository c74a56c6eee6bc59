"""Makes docs/report.png and docs/comment.png: audit and plan of docs/demo, as people see them.

    pip install -e '.[test]' && apt-get install chromium chromium-driver
    python docs/screenshots.py

An emulated account stands behind the demo, at a fixed moment, so that only the random id of the
plan differs from one run to the next. Nothing leaves this machine.
"""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

from reconciler.auditing import audit
from reconciler.clock import SystemClock
from reconciler.config import load
from reconciler.emulator import Server, open_state
from reconciler.reconcile import make_plan
from reconciler.render import render
from reconciler.report import AccountReport, Report
from reconciler.session import Session, connect

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))
from render.browser import MISSING, Browser, opened  # noqa: E402 - beside the tests that use it

THURSDAY = datetime(2026, 11, 5, 9, 30, tzinfo=UTC).timestamp()
_ALERT = re.compile(r"<blockquote>\s*<p>\[!(\w+)\]\s*(.*?)</p>\s*</blockquote>", re.DOTALL)


class StillClock(SystemClock):
    """Always the same Thursday."""

    def now(self) -> float:
        """Unix seconds."""
        return THURSDAY


@contextmanager
def account() -> Iterator[Session]:
    """The demo's account, behind real HTTP."""
    clock = StillClock()
    environ = {"STRIPE_LIVE_KEY": "sk_live_emulator"}
    seed = str(DOCS / "demo" / "live.json")
    with open_state(None, seed) as store, Server(store, clock=clock) as server:
        entry = replace(load().accounts[0], api_base=server.url, rate_limit=None)
        with connect(entry, environ=environ, clock=clock) as session:
            yield session


def reports() -> tuple[Report, Report]:
    """What `drift` and `plan` say of the demo."""
    with account() as session:
        audited = audit(load(), session)
        planned = make_plan(load(), session).report
    return _alone("drift", audited), _alone("plan", planned)


def _alone(verb: str, report: AccountReport) -> Report:
    return Report(verb=verb, accounts=(report,))


def comment(markdown: str) -> str:
    """A comment as GitHub shows it: its own parser, and a style like its own."""
    html = cmarkgfm.markdown_to_html_with_extensions(
        markdown,
        options=Options.CMARK_OPT_UNSAFE,
        extensions=["table", "autolink", "strikethrough", "tagfilter"],
    )
    html = _ALERT.sub(
        lambda found: (
            f'<div class="alert {found[1].lower()}"><b>{found[1].title()}</b>'
            f"<p>{found[2]}</p></div>"
        ),
        html,
    )
    style = (DOCS / "comment.css").read_text("utf-8")
    head = '<b>github-actions</b> <span class="bot">bot</span> commented'
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{style}</style>'
        f'<article><header>{head}</header><div class="body">{html}</div></article>'
    )


def shoot(browser: Browser, page: str, width: int, height: int | None, file: Path) -> None:
    """A picture of a page from its top, down to `height` or to its end."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, "page.html")
        shown.write_text(page, "utf-8")
        browser.view(width)
        browser.show(shown.as_uri())
        full = browser.run("return document.documentElement.getBoundingClientRect().height")
        area = {"x": 0, "y": 0, "width": width, "height": height or full, "scale": 1.5}
        asked = {"clip": area, "captureBeyondViewport": True}
        answer = browser.driver.execute_cdp_cmd("Page.captureScreenshot", asked)
    file.write_bytes(base64.b64decode(answer["data"]))


def main() -> None:
    """Make both pictures."""
    if MISSING:
        sys.exit(MISSING)
    os.chdir(DOCS / "demo")
    drift, plan = reports()
    with tempfile.TemporaryDirectory() as profile, opened(Path(profile)) as browser:
        shoot(browser, render(drift, "html"), 1120, 2000, DOCS / "report.png")
        shoot(browser, comment(render(plan, "markdown")), 1000, None, DOCS / "comment.png")


if __name__ == "__main__":
    main()
