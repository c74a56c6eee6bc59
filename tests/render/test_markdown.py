"""The comment: below GitHub's limit, whole where it matters, and inert; read by GitHub's parser."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from msgspec.structs import replace
from render.reports import (
    CHANGES,
    REPORTS,
    drift,
    drifted,
    entry,
    hostile,
    like,
    many,
    partly_applied,
    plan,
    report,
    texts,
)

from reconciler.diagnostics.codes import config
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Risk
from reconciler.model.meter import Unreadable
from reconciler.model.price import Price
from reconciler.model.project import AccountRef
from reconciler.render.escape import clean
from reconciler.render.markdown import document as markdown
from reconciler.render.markdown import gfm
from reconciler.report.report import Report, ReportedChange

GITHUB_LIMIT = 65_536
OURS = {
    *("p", "h2", "h4", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "blockquote"),
    *("strong", "em", "code", "sub", "br", "wbr", "details", "summary"),
}


@dataclass
class Page(HTMLParser):
    """What a browser would make of a comment: its tags, attributes, comments, text, rows, blocks.

    A block is the heading of a change or a finding with the text below it.
    """

    tags: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    below: bool = True
    depth: int = 0
    deepest: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs} - {"align"}
        if tag == "h4":
            self.blocks.append(["", ""])
            self.below = False
        elif tag in ("ul", "ol"):
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.depth -= tag in ("ul", "ol")
        self.below = self.below or tag == "h4"

    def handle_comment(self, data):
        self.comments.append(data.strip())

    def handle_data(self, data):
        self.text += data
        if self.blocks:
            self.blocks[-1][self.below] += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def read(comment: str) -> Page:
    """As GitHub reads it before its sanitizer: raw HTML is kept, addresses become links."""
    extensions = ["table", "autolink", "strikethrough", "tasklist"]
    written = cmarkgfm.markdown_to_html_with_extensions(
        comment, options=Options.CMARK_OPT_UNSAFE, extensions=extensions
    )
    page = Page()
    page.feed(written)
    page.close()
    page.rows = [[cell.strip().replace("\xa0", " ") for cell in row] for row in page.rows]
    return page


def inert(comment: str) -> None:
    """Nothing but our own tags, no attribute, no link; one block, and no list within a list."""
    page = read(comment)
    assert set(page.tags) <= OURS
    assert page.attributes == set()
    assert (len(page.blocks), page.deepest) == (1, 1)
    assert [len(row) for row in page.rows] in ([], [2, 2])
    (marker,) = [comment for comment in page.comments if comment]
    assert marker.startswith("reconciler account=")


def names(page: Page, degree: str) -> set[str]:
    """The numbers that the names of risky changes or findings begin with."""
    found = (re.search(r"(\d{3})", title) for title, _ in page.blocks if degree in title)
    return {match[1] for match in found if match}


def code_free(comment: str) -> str:
    """What GitHub looks through for mentions, references, hashes and shortcodes."""
    written = cmarkgfm.markdown_to_html_with_extensions(
        comment, options=Options.CMARK_OPT_UNSAFE, extensions=["table", "autolink"]
    )
    return re.sub(r"<code>.*?</code>|<!--.*?-->", "", written)


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_changes_the_structure(command, text):
    """Whatever a name, a message, a path or an id holds."""
    inert(markdown.render(hostile(text, command)))


@given(texts())
def test_values_are_shown_as_they_are(text):
    """The heading shows the name, however it had to be escaped."""
    name = text[:20]  # short enough not to be shortened
    page = read(markdown.render(hostile(name)))
    assert " ".join(clean(name).split()) in " ".join(page.blocks[0][0].split())


@given(texts())
def test_nothing_is_left_for_github_to_link(text):
    """No mention, reference, hash, shortcode or formula outside of code."""
    found = code_free(markdown.render(hostile(text)))
    assert not re.search(r"@\w|#\d|://|www\.|GH-\d|\$", found)


@given(texts())
@pytest.mark.parametrize("room", [8, 30, 100])
def test_an_escape_keeps_to_its_room(room, text):
    """Measured after escaping, where one character may have become fourteen."""
    assert len(gfm.format_code(text, room + 24).encode()) <= room + 24
    assert len(gfm.format_prose(text, room + 24).encode()) <= room + 24


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a" * 99, f"`{'a' * 25}…`"),
        ("é" * 99, f"`{'é' * 12}…`"),
        ("a`" * 99, "<code>a&#96;a&#96;a…</code>"),
        ("a" * 28, f"`{'a' * 28}`"),
    ],
)
def test_a_value_that_was_cut_off_ends_in_an_ellipsis(text, written):
    assert gfm.format_code(text, 30) == written


def test_five_hundred_findings_keep_every_one_that_loses_revenue():
    """Below the limit, all 200 names that lose revenue, and it says what is missing."""
    comment = markdown.render(many(revenue=200, others=300))
    assert len(comment) < GITHUB_LIMIT
    page = read(comment)
    assert names(page, "revenue") == {f"{n:03}" for n in range(300, 500)}
    hidden = 500 - len(page.blocks)
    assert f"Truncated: {hidden} meters not shown (severity: {hidden} low)" in page.text
    assert f"and {hidden} more" in page.blocks[-1][1]
    assert "cannot serve as approval" in page.text


def longest(n: int) -> str:
    return f"{n:03}" + "|`@" * 33


@pytest.mark.parametrize("accounts", [1, 200])
def test_two_hundred_of_the_longest_names_are_kept(accounts):
    """Every character takes its largest escape, in one account or in as many."""
    change = replace(CHANGES["sms_sent"], reason="x" * 999)
    assert change.risk is Risk.REVENUE
    lines = [ReportedChange(replace(change, event_name=longest(n))) for n in range(200)]
    size = 200 // accounts
    several = tuple(
        replace(
            report("plan", *lines[n * size : (n + 1) * size]).accounts[0],
            account=AccountRef(longest(n), longest(n), livemode=True),
            plan_id=longest(n),
            plan_hash=longest(n),
        )
        for n in range(accounts)
    )
    comment = markdown.render(Report(command="plan", accounts=several))
    assert len(comment.encode()) < GITHUB_LIMIT
    assert len(names(read(comment), "revenue")) == 200
    assert "cannot serve as approval" in comment  # texts are shortened, or accounts left out


def test_thousands_of_mistakes_fit():
    """Errors before warnings, and the number of those that are left out."""
    location = Location("meters.yaml", 1, 1, 1, 9)
    mistakes = [config.UNKNOWN_KEY(f"unknown key {'|' * 300} {n}", location) for n in range(3000)]
    warning = config.UNUSUAL_EVENT_NAME("unusual", location)
    every = (warning, *mistakes)
    comment = markdown.render(Report(command="validate", diagnostics=every, own_exit=Exit.FAILED))
    assert len(comment) < GITHUB_LIMIT
    assert re.search(r"and [\d,]+ more errors, 1 more warning", comment)
    assert "cannot serve as approval" in comment


@pytest.mark.parametrize(("accounts", "messages"), [(301, 1), (1, 250)])
def test_what_is_left_out_of_a_short_comment_is_no_approval_either(accounts, messages):
    """Everything in it would fit, but not as many accounts or messages as there are."""
    (one,) = plan().accounts
    names = [AccountRef(f"partner_{n}", f"acct_{n}", livemode=True) for n in range(accounts)]
    said = tuple(config.UNUSUAL_EVENT_NAME(f"unusual {n}") for n in range(messages))
    few = replace(one, changes=one.changes[:1], diagnostics=())
    several = tuple(replace(few, account=name) for name in names)
    comment = markdown.render(Report(command="plan", accounts=several, diagnostics=said))
    assert len(comment) < GITHUB_LIMIT
    assert "cannot serve as approval" in comment


def test_thousands_of_unchanged_names_are_folded():
    """As many as fit; what changes is not harmed, and nothing says truncated."""
    names = (f"meter_number_{n:05}" for n in range(5000))
    changes = (*like("ai_tokens", *names), *like("ai_search_calls", "seats"))
    comment = markdown.render(report("plan", *changes))
    assert len(comment) < GITHUB_LIMIT
    assert "<details><summary>5,000 unchanged</summary>" in comment
    assert re.search(r"`meter_number_\d+`, and [\d,]+ more\n", comment)
    assert "**`seats`**" in comment
    assert "approval" not in comment


@pytest.mark.parametrize("name", sorted(REPORTS.keys() - {"many"}))
def test_a_whole_report_is_not_called_shortened(name):
    assert "approval" not in markdown.render(REPORTS[name]())


def test_a_job_finds_its_own_comment():
    """The marker comes first, names account and plan, and cannot be ended by a name."""
    assert markdown.render(plan()).startswith(
        "<!-- reconciler account=production plan_hash=9f2c41d07be8a35516c0ad4f7721e98b"
    )
    named = replace(plan().accounts[0], account=AccountRef("a --> <b>", None, livemode=None))
    first = markdown.render(Report(command="plan", accounts=(named,))).splitlines()[0]
    assert first.startswith("<!-- reconciler account=a%20--%3E%20%3Cb%3E plan_hash=")


def test_worst_first():
    """Refused and blocked changes, then by risk; those that failed before those not tried."""
    page = read(markdown.render(plan()))
    titles = [title for title, _ in page.blocks]
    assert titles == [
        "🔴 revenue · deactivate sms_sent — refused by G001, G004",
        "⛔ blocked api_calls",
        "🟠 high · replace uploads",
        "🟡 low · reactivate seats",
    ]
    assert [row[0] for row in page.rows] == ["Change", "~ update", "+ create"]
    page = read(markdown.render(partly_applied()))
    assert [title.partition("→ ")[2] for title, _ in page.blocks] == [
        "unknown",
        "failed",
        "skipped",
    ]
    assert page.rows[-1][0] == "+ create → done"


def test_a_change_that_deactivates_says_what_bills_and_what_it_could_cost():
    """The amount of usage is not read, so it is unknown, and never 0."""
    (_, sms), _, (_, uploads), _ = read(markdown.render(plan())).blocks
    assert "price_1Sms" in sms
    assert "is not recorded, and the 2 prices in use do not bill it; the amount is unknown" in sms
    assert "recorded by another meter, and no listed price bills it" in uploads
    refused = replace(CHANGES["uploads"], refused_by=("G005",))
    for change in (ReportedChange(CHANGES["uploads"], None, Unreadable("rak_plan_read")), refused):
        made = change if isinstance(change, ReportedChange) else ReportedChange(change)
        text = markdown.render(report("plan", made))
        assert "and whether prices bill it is not known; the amount is unknown" in text


def test_one_price_is_a_line_and_several_are_a_list():
    sms = CHANGES["sms_sent"]
    price = Price("price_1", "mtr_sms", currency="usd", unit_amount="25", interval="month")
    one = markdown.render(report("plan", ReportedChange(replace(sms, prices=(price,)))))
    assert "- _Prices:_ price_1 (0.25 USD per unit, monthly)\n" in one
    many = tuple(replace(price, id=f"price_{n}") for n in range(7))
    several = markdown.render(report("plan", ReportedChange(replace(sms, prices=many))))
    assert "_Prices:_<br>• price_0 (0.25 USD per unit, monthly)<br>• price_1" in several
    assert "<br>• and 2 more\n" in several


def test_a_name_in_a_table_breaks_where_a_phone_needs_it():
    """Nothing wider than 16 characters; copied, the name is whole."""
    name = "an_event_name.of-a" + "b" * 40
    comment = markdown.render(report("plan", *like("ai_image_renders", name)))
    cell = re.search(r"\*\*<code>(.*?)</code>\*\*", comment)[1]
    parts = [html.unescape(part) for part in cell.split("<wbr>")]
    assert "".join(parts) == name
    assert max(map(len, parts)) <= 16


def test_an_exempt_finding_is_shown_with_its_reason():
    """Ignored is counted, never hidden."""
    page = read(markdown.render(drifted()))
    ((title, below),) = [block for block in page.blocks if "video_minutes" in block[0]]
    assert title.startswith("ignored · unmanaged")
    assert "ignored until 2027-01-31 (billing team)" in below
    assert "1 ignored" in page.text


def test_a_meter_with_a_warning_and_no_finding_says_what_it_is():
    """Another project answers for it, and this one has something to say about it all the same."""
    warning = config.UNUSUAL_EVENT_NAME("unusual", event_name="video_minutes")
    foreign = drift(entry("video_minutes", foreign=True), diagnostics=(warning,))
    ((title, below),) = read(markdown.render(foreign)).blocks
    assert (title, "unusual" in below) == ("🟢 no risk · unmanaged video_minutes", True)
