"""Makes the pictures of docs/: audit and plan of docs/demo, as people see them.

report.png is the audit as a page, comment.png and comment-phone.png are the plan as a comment on
a pull request, on a desktop and on a phone.

    pip install -e '.[test]'
    apt-get install chromium chromium-driver fonts-noto-color-emoji
    python docs/screenshots.py

The demo runs on an emulated account at a fixed time, so that only the random id of the
plan differs from one run to the next. Nothing leaves this machine. docs/screenshots.json keeps of
what program and files the pictures are; a test compares it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from msgspec.structs import replace

from reconciler.clock import SystemClock
from reconciler.config import load
from reconciler.emulator import Server, open_state
from reconciler.operations.detect_drift import detect_drift
from reconciler.operations.make_plan import make_plan
from reconciler.operations.read_dependants import show_prices
from reconciler.operations.session import Session, connect
from reconciler.publish.message import build_messages
from reconciler.render import render
from reconciler.render.markdown import Around
from reconciler.report.report import AccountReport, Report

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))
from render.browser import MISSING, Browser, opened  # noqa: E402 - beside the tests that use it

THURSDAY = datetime(2026, 11, 5, 9, 30, tzinfo=UTC).timestamp()
DIGESTS = DOCS / "screenshots.json"
_PLAN_ID = re.compile(r"\b[0-9a-f]{32}\b")
_END = "return document.documentElement.getBoundingClientRect().height"
_TWO_CARDS = "return document.querySelectorAll('.line')[1].getBoundingClientRect().bottom + 4"
STYLES = ("github-markdown.css", "comment.css")
_ALERT = re.compile(
    r"<blockquote>\s*<p>\[!(\w+)\](?:<br />)?\s*(.*?)</p>\s*</blockquote>", re.DOTALL
)


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
        audited = detect_drift(load(), session, path=".")
        planned = show_prices(make_plan(load(), session), session, every=False)
    return _alone("drift", audited), _alone("plan", planned)


def _alone(command: str, report: AccountReport) -> Report:
    return Report(command=command, accounts=(report,))


def post(plan: Report) -> str:
    """A plan as it is posted to a pull request."""
    blob, commit = "https://github.com/northwind/billing/blob", "8e21f04c" * 5
    run = "https://github.com/northwind/billing/actions/runs/8412"
    (message,) = build_messages([plan], "", Around(f"{blob}/{commit}", commit, run))
    return message.body


def comment(markdown: str) -> str:
    """A comment as GitHub shows it: its own parser, line breaks as in comments, and its styles."""
    html = cmarkgfm.markdown_to_html_with_extensions(
        markdown,
        options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS,
        extensions=["table", "autolink", "strikethrough", "tagfilter"],
    )
    html = _ALERT.sub(
        lambda found: (
            f'<div class="markdown-alert markdown-alert-{found[1].lower()}">'
            f'<p class="markdown-alert-title">{found[1].title()}</p><p>{found[2]}</p></div>'
        ),
        html,
    )
    head = '<b>github-actions</b> <span class="bot">bot</span> commented'
    return (
        '<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<style>{_style()}</style><article><header>{head}</header>"
        f'<div class="markdown-body">{html}</div></article>'
    )


def _style() -> str:
    return "".join((DOCS / name).read_text("utf-8") for name in STYLES)


def sources() -> dict[str, str]:
    """Each picture with the text that it shows."""
    drift, plan = reports()
    posted = post(plan)
    return {
        "report.png": render(drift, "html"),
        "comment.png": posted,
        "comment-phone.png": posted,
    }


def digests(texts: dict[str, str]) -> dict[str, str]:
    """Each picture with a digest of what it shows, how, and of the file itself."""
    return {
        name: hashlib.sha256(
            "\n".join([_PLAN_ID.sub("", text), _style()]).encode() + (DOCS / name).read_bytes()
        ).hexdigest()
        for name, text in texts.items()
    }


def shoot(browser: Browser, page: str, width: int, until: str, file: Path) -> None:
    """A picture of a page from its top down to where a script says."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, "page.html")
        shown.write_text(page, "utf-8")
        browser.view(width)
        browser.show(shown.as_uri())
        area = {"x": 0, "y": 0, "width": width, "height": browser.run(until), "scale": 1.5}
        asked = {"clip": area, "captureBeyondViewport": True}
        answer = browser.driver.execute_cdp_cmd("Page.captureScreenshot", asked)
    file.write_bytes(base64.b64decode(answer["data"]))


def _has_emoji() -> bool:
    """Whether a font has emoji: without one, the browser draws boxes."""
    listing = shutil.which("fc-list")
    words = [listing or "", ":lang=und-zsye"]
    return bool(listing and subprocess.check_output(words))  # noqa: S603 - nothing from outside


def main() -> None:
    """Make the pictures, and note what they are of."""
    if MISSING:
        sys.exit(MISSING)
    if not _has_emoji():
        sys.exit("no font has emoji: apt-get install fonts-noto-color-emoji")
    os.chdir(DOCS / "demo")
    texts = sources()
    with tempfile.TemporaryDirectory() as profile, opened(Path(profile)) as browser:
        shoot(browser, texts["report.png"], 1120, _TWO_CARDS, DOCS / "report.png")
        for name, width in (("comment.png", 900), ("comment-phone.png", 375)):
            shoot(browser, comment(texts[name]), width, _END, DOCS / name)
    DIGESTS.write_text(json.dumps(digests(texts), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
