"""The page: nothing from outside becomes markup, it loads nothing, and it is accessible."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise, product

import pytest
from hypothesis import given
from msgspec.structs import replace
from render.reports import (
    CHANGES,
    DAY,
    NOON,
    REPORTS,
    drift,
    drifted,
    entry,
    finding,
    hostile,
    partly_applied,
    plan,
    report,
    texts,
)

from reconciler.diagnostics.errors import Exit
from reconciler.model.finding import Exemption
from reconciler.model.project import AccountRef
from reconciler.render.escape import clean
from reconciler.render.html import document as html
from reconciler.report.report import (
    AccountReport,
    ChangeResult,
    Report,
    ReportedChange,
    ResultStatus,
)

VOID = {"meta", "input", "br"}
DONE, FAILED = ChangeResult(ResultStatus.DONE), ChangeResult(ResultStatus.FAILED)


class Page(HTMLParser):
    """The tree of a page as a strict reader builds it: every element closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert len(dict(attrs)) == len(attrs), "an attribute is given twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        self.texts[inside] = self.texts.get(inside, "") + data
        if inside not in ("style", "script"):
            self.text += data

    def named(self, attribute: str) -> list[str | None]:
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    def content(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def page(report: Report) -> Page:
    return Page(html.render(report))


@cache
def page_of(make):
    return page(make())


@cache
def plain_page(command):
    return page(hostile("x", command))


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_changes_the_structure(command, text):
    """The same elements with the same attributes as with a plain name, `code` in prose apart."""
    shown, plain = page(hostile(text, command)), plain_page(command)
    assert [tag for tag in shown.tags if tag != "code"] == [t for t in plain.tags if t != "code"]
    keys = [(tag, attrs.keys()) for tag, attrs in shown.elements if tag != "code"]
    assert keys == [(tag, attrs.keys()) for tag, attrs in plain.elements if tag != "code"]
    assert shown.texts["script"] == plain.texts["script"]


@given(texts().map(lambda text: text[:250]))
def test_values_are_shown_as_they_are(text):
    """In the text and in the attributes that filters read; a long one is shortened."""
    found = page(hostile(text))
    assert clean(text) in found.text
    assert set(found.named("data-name")) == {clean(text)}


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_page_asks_for_nothing(make):
    """No address in the page that a browser would go to, no handler, no inline style."""
    found = page_of(make)
    names = {name for _, attrs in found.elements for name in attrs}
    assert not names & {"src", "srcset", "style", "action", "data", "poster", "ping", "background"}
    assert not [name for name in names if name.startswith("on")]
    assert set(found.named("href")) <= {"#meters"}
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(found.tags)
    assert not re.search(r"url\(|@import|@font-face", found.texts["style"])


def test_the_policy_allows_the_one_script_and_the_one_style():
    """Everything else is forbidden; the hashes are those of what is there."""
    found = page(drifted())
    (policy,) = [
        attrs["content"] or ""
        for attrs in found.content("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        digest = hashlib.sha256(found.texts[tag].encode()).digest()
        assert rules[directive] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert "unsafe" not in policy
    before = html.render(drifted()).split("Content-Security-Policy")[0]
    assert "<style" not in before
    assert "<script" not in before


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_page_is_accessible(make):
    """Landmarks, one h1, headings without gaps, labels, captions, unique ids, a language."""
    found = page_of(make)
    tags = Counter(found.tags)
    assert (tags["main"], tags["h1"], tags["header"], tags["footer"]) == (1, 1, 1, 1)
    assert found.content("html")[0]["lang"] == "en"
    headings = [int(tag[1]) for tag in found.tags if re.fullmatch(r"h\d", tag)]
    assert all(after <= before + 1 for before, after in pairwise(headings))
    ids = found.named("id")
    assert len(ids) == len(set(ids))
    assert set(found.named("aria-labelledby")) <= set(ids)
    labelled = set(found.named("for"))
    assert {attrs["id"] for tag in ("input", "select") for attrs in found.content(tag)} == labelled
    assert tags["table"] == tags["caption"]
    assert all(attrs.get("scope") in ("col", "row") for attrs in found.content("th"))
    pictures = [attrs for attrs in found.content("svg") if attrs.get("aria-hidden") != "true"]
    assert all(attrs["role"] == "img" for attrs in pictures)
    assert tags["svg"] - len(pictures) == 1


def test_pictures_say_their_numbers():
    found = page(drifted())
    assert "6 event_names by severity: 1 revenue, 1 high, 1 low, 3 none" in (found.texts["title"])
    widths = [float(attrs["width"] or 0) for attrs in found.content("rect")]
    assert sum(widths[:4]) == pytest.approx(1000, abs=0.1)
    assert widths[3] > 2 * widths[0]


def test_an_outage_is_on_the_first_screen():
    """Since when, by whom, which prices, until when usage can be re-sent."""
    text = " ".join(page(drifted()).text.split())
    start = text.index("Revenue at stake")
    assert start < text.index("At a glance")
    row = text[start : text.index("At a glance")]
    for fact in ("seats", "2026-11-01 14:02", "not reconciler", "price_1Seats", "2026-12-06"):
        assert fact in row


def losses(report: Report) -> str:
    """The text of the section on revenue, empty without one."""
    _, found, rest = " ".join(page(report).text.split()).partition("Revenue at stake")
    return found and rest.partition("At a glance")[0]


def test_what_is_exempt_is_not_at_stake():
    """It is decided on already; it stays in the list of meters."""
    exempt = replace(finding(), exemption=Exemption("sold off", "2027-01-31"))
    assert losses(drift(entry("seats", exempt))) == ""
    both = drift(entry("seats", exempt), entry("api_calls", finding("api_calls")))
    assert "api_calls" in losses(both)
    assert "seats inactive" not in losses(both)


@pytest.mark.parametrize("kind", ["inactive", "missing"])
def test_usage_that_is_too_old_to_be_sent_again_has_no_deadline(kind):
    """Whether the meter is inactive, or a new one has to be made."""
    late = finding(kind=kind, resend_until=None)
    assert "only usage of the last 35 days" in losses(drift(entry("seats", late)))
    assert "only usage" not in losses(drift(entry("seats", finding(kind=kind))))
    unknown = finding(kind=kind, resend_until=None, since=None)
    assert "only usage" not in losses(drift(entry("seats", unknown)))


def test_a_card_is_sorted_by_its_newest_finding():
    """`newest first` reads it from the attribute."""
    old, new = finding(since=NOON - 9 * DAY), finding(since=NOON - DAY)
    for order in ((old, new), (new, old), (finding(since=None), new)):
        assert page(drift(entry("seats", *order))).named("data-since") == [str(NOON - DAY)]
    assert page(drift(entry("seats", finding(since=None)))).named("data-since") == []


def test_the_time_line_is_in_order():
    """Oldest first, the deadline for sending usage again among the rest."""
    written = html.render(drifted())
    shown = written[written.index('class="timeline"') :]
    moments = re.findall(r'datetime="([^"]+)"', shown)
    assert moments == sorted(moments)
    assert len(moments) == 4


def test_an_apply_shows_what_was_sent():
    """Request ids, tries and answers; what failed before what was done."""
    text = page(partly_applied()).text
    assert "req_3" in text
    assert "rejected" in text
    assert text.index("req_3") < text.index("req_1")


def cards(report: Report) -> dict[str, str]:
    """The markup of each line by its name, in the order of the page."""
    items = html.render(report).split('<li class="line ')[1:]
    return {re.findall(r'data-name="([^"]*)"', item)[0]: item for item in items}


@pytest.mark.parametrize(
    ("results", "names", "opened"),
    [
        ((None, None), ["sms_sent", "ai_image_renders"], [True, False]),
        ((DONE, FAILED), ["ai_image_renders", "sms_sent"], [True, False]),
    ],
    ids=["planned", "applied"],
)
def test_what_must_be_read_comes_first_and_is_open(results, names, opened):
    """A deactivation, until it is done; the card of a done change says so once."""
    changes = (replace(CHANGES["sms_sent"], prices=()), CHANGES["ai_image_renders"])
    made = list(map(ReportedChange, changes, results))
    shown = cards(report("apply" if any(results) else "plan", *made))
    assert list(shown) == names
    assert ["<details open" in card for card in shown.values()] == opened
    assert shown["sms_sent"].count(">done<") == bool(results[0])


def test_several_accounts_have_a_table_of_their_own():
    """And a filter; with one account neither is there."""
    (one,) = plan().accounts
    other = AccountReport(account=AccountRef("sandbox"), exit_code=Exit.DENIED)
    found = page(Report(command="plan", accounts=(one, other)))
    assert "Result for each account" in found.text
    assert "account" in found.named("id")
    assert "account" not in page(plan()).named("id")


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_same_report_gives_the_same_page(make):
    """No time of rendering, no random name."""
    assert html.render(make()) == html.render(make())


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, by WCAG 2.2."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def themes() -> list[dict[str, str]]:
    """The colours by name, light and dark."""
    style = files("reconciler.render.html").joinpath("page.css").read_text("utf-8")
    blocks = re.findall(r":root \{([^}]*--page: #\w{6}[^}]*)\}", style)
    return [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in blocks]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_text_has_contrast(theme):
    """At least 4.5 to 1 for text, 3 to 1 for what only has to be seen (WCAG 2.2, AA)."""

    def ratio(one: str, other: str) -> float:
        light, dark = sorted((luminance(theme[one]), luminance(theme[other])), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    looks = ("revenue", "high", "low", "good", "news", "none", "ignored")
    for ink, paper in product(("text", "soft", "revenue", "high", "good"), ("page", "card")):
        assert ratio(ink, paper) >= 4.5, (ink, paper)
    for look in looks:
        assert ratio(look, f"{look}-tint") >= 4.5, look
        assert ratio("text", f"{look}-tint") >= 4.5, look
    assert ratio("text", "code") >= 4.5
    assert ratio("soft", "revenue-tint") >= 4.5
    assert ratio("focus", "page") >= 3
