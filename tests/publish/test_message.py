"""What is posted: inert whatever a report holds, one comment for each account or for many."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from builders.meters import declare, existing
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from msgspec.structs import replace
from render.reports import CHANGES, hostile, plan, report, texts

from reconciler.diagnostics.diagnostic import Location
from reconciler.model.change import Action, FieldChange
from reconciler.model.meter import Unreadable
from reconciler.model.project import AccountRef
from reconciler.publish.message import MATRIX, build_marker, build_messages
from reconciler.render import render
from reconciler.render.markdown import Around
from reconciler.render.places import AS_GIVEN
from reconciler.report.read_report import read_report
from reconciler.report.report import Report, ReportedChange

INERT = {
    *("p", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "blockquote"),
    *("strong", "em", "code", "sub", "br", "wbr", "details", "summary"),
}
BLOB = f"https://github.com/acme/billing/blob/{'1f' * 20}"
AROUND = Around(BLOB, "1f" * 20, "https://github.com/acme/billing/actions/runs/5", AS_GIVEN)


class Links(HTMLParser):
    """The tags of a comment, and where its links lead."""

    def __init__(self, comment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[int] = []  # the cells of each
        self.to: list[str] = []
        extensions = ["table", "autolink", "strikethrough", "tasklist"]
        self.feed(
            cmarkgfm.markdown_to_html_with_extensions(
                comment, options=Options.CMARK_OPT_UNSAFE, extensions=extensions
            )
        )

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1
        self.to += [value for name, value in attrs if name in ("href", "src")]


@settings(max_examples=12)
@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_of_a_report_leads_anywhere_else(command, text):
    """After the way through the file, as in another job: only links to the commit and the job."""
    read = read_report(render(hostile(text, command), "json"), "report.json")
    for message in build_messages([read], text, AROUND):
        found = Links(message.body)
        assert found.tags <= {*INERT, "a"}
        assert all(to == AROUND.run or to.startswith(f"{BLOB}/") for to in found.to)
        assert message.body.splitlines()[0] == message.marker
        commands = re.findall(r"^ {0,3}/.*", message.body, re.M)  # which GitLab would carry out
        assert commands == []


@given(texts())
def test_a_path_cannot_leave_the_commit(text):
    """Dot segments, schemes and queries are no links, or are escaped."""
    linked = AROUND.link(Location(f"../../{text}", 3), 300)
    for to in Links(f"| a |\n| - |\n| {linked} |").to:
        assert to.startswith("https://github.com/acme/billing/blob/")
        assert ".." not in to.split("/")
        assert re.fullmatch(r"[\x21-\x7e]+", to)


@given(texts())
def test_a_marker_is_one_comment_of_html(text):
    marker = build_marker("comment", text, text)
    assert re.fullmatch(r"<!-- [^<>]* -->", marker)
    assert "--" not in marker[4:-3]
    assert len(marker) < 400


@settings(max_examples=40)
@given(texts())
@pytest.mark.parametrize("accounts", [2, 7])
def test_no_value_of_a_routine_change_leaves_its_cell(accounts, text):
    """Nor the name of an account: every row of both tables has two cells."""
    update = replace(
        CHANGES["ai_image_renders"],
        event_name=text,
        existing=existing(text, text, display=text),
        desired=replace(declare(text, display=text), location=Location(text, 3)),
        fields=(FieldChange(text, text, text),),
    )
    one = report("plan", ReportedChange(update)).accounts[0]
    refs = [AccountRef(f"{n}{text}", text, livemode=True) for n in range(accounts)]
    run = Report(command="plan", accounts=tuple(replace(one, account=ref) for ref in refs))
    posted = accounts > 5
    found = Links(
        build_messages([run], text, AROUND)[0].body if posted else render(run, "markdown")
    )
    assert found.tags <= {*INERT, "h2", "pre", "a"}
    assert found.rows == [2, 2, 2, 2]
    assert all(to == AROUND.run or to.startswith(f"{BLOB}/") for to in found.to)


def named(name: str) -> Report:
    (one,) = plan().accounts
    return replace(plan(), accounts=(replace(one, account=AccountRef(name, "acct_1", False)),))


def test_many_accounts_are_one_comment_of_those_that_change():
    quiet = report("plan").accounts[0]
    accounts = [*(named(f"loud_{n}").accounts[0] for n in range(2))]
    accounts += [replace(quiet, account=AccountRef(f"quiet_{n}")) for n in range(5)]
    run = replace(plan(), accounts=tuple(accounts))
    (message,) = build_messages([run], "", AROUND)
    assert (message.account, message.has_news) == (MATRIX, True)
    assert "loud_1" in message.body
    assert "quiet_1" not in message.body
    assert "5 more accounts without changes." in message.body
    assert build_marker("comment", "", "quiet_1") in message.replaces


def test_routine_changes_are_folded_and_risky_ones_are_not():
    update = CHANGES["ai_image_renders"]
    assert update.action is Action.UPDATE
    routine = [ReportedChange(replace(update, event_name=f"routine_{n}")) for n in range(4)]
    run = report("plan", ReportedChange(CHANGES["sms_sent"]), *routine)
    (message,) = build_messages([run], "", AROUND)
    above, below = message.body.split("<details><summary>4 routine: 4 update</summary>")
    assert "sms_sent" in above
    assert not [n for n in range(4) if f"routine_{n}" not in below or f"routine_{n}" in above]
    (few,) = build_messages([report("plan", *routine[:3])], "", AROUND)
    assert "routine:" not in few.body


def fleet(*actions: str, accounts: int = 200) -> Report:
    """A run on many accounts, each with the same changes; the last one deactivates a meter, too."""
    same = tuple(ReportedChange(CHANGES[name]) for name in actions)
    one = report("plan", *same).accounts[0]
    refs = [AccountRef(f"partners/acct_{n}", f"acct_{n}", livemode=True) for n in range(accounts)]
    every = [replace(one, account=ref, plan_hash=f"{n:064}") for n, ref in enumerate(refs)]
    every[-1] = replace(every[-1], changes=(*same, ReportedChange(CHANGES["sms_sent"])))
    return Report(command="plan", accounts=tuple(every))


def test_a_fleet_is_one_matrix_and_the_same_routine_change_one_row():
    """Nothing is left out, so that it can be approved, and each account has its command."""
    run = fleet("ai_search_calls", "ai_image_renders")
    (message,) = build_messages([run], "", AROUND)
    assert not message.short
    matrix, rest = message.body.split("#### ", 1)
    results, meters = matrix.split("| Meter |")
    lines = [line for line in results.splitlines() if line.startswith("| ")][2:]
    assert ["revenue" in line for line in lines] == [True, False]
    assert "| `sms_sent` | **deactivate** | · |" in meters
    assert "and 196 more accounts" in lines[1]
    assert "`partners/acct_199` · `mtr_sms`" in rest
    rows = [line for line in rest.splitlines() if line.startswith(("| ~", "| +"))]
    assert ["200 accounts: " in row for row in rows] == [True, True]
    (folded,) = re.findall(r"<details><summary>Where the .*?</details>", matrix, re.S)
    assert "| `sms_sent` | **deactivate** | · |" in folded  # wider than a phone
    hashes = re.findall(r"reconciler apply --account (\S+) --expect (\d{64})\n", message.body)
    assert [name for name, _ in hashes] == [f"partners/acct_{n}" for n in range(200)]
    assert [int(hash_) for _, hash_ in hashes] == list(range(200))


def test_three_hundred_risky_changes_are_all_shown_and_none_is_folded():
    sms = CHANGES["sms_sent"]
    run = report("plan", *(ReportedChange(replace(sms, event_name=f"sms_{n}")) for n in range(300)))
    (message,) = build_messages([read_report(render(run, "json"), "r.json")], "", AROUND)
    assert len(message.body) <= 65_536
    assert len(re.findall(r"^#### 🔴 revenue · deactivate `sms_\d+`$", message.body, re.M)) == 300
    assert message.body.count("_Prices:_<br>• price_1Sms<br>• price_2Sms") == 300
    assert message.body.count("<details>") == 0
    assert "cannot serve as approval" in message.body
    assert "To apply exactly" not in message.body


def test_the_first_line_says_what_a_notification_needs():
    (message,) = build_messages([plan()], "", AROUND)
    first = (
        "### Plan for `production` · LIVE mode · Refused: apply makes no changes until the errors"
    )
    line = message.body.splitlines()[1]
    assert line.startswith(first)
    assert "1 deactivation, 1 blocked, 1 refused, 2 unmanaged, 2 unchanged" in line


def test_a_comment_says_that_prices_could_not_be_read():
    """Through the file as well: none listed, not readable, and not asked for are three things."""
    made = ReportedChange(CHANGES["ai_image_renders"])
    found = []
    for prices in (None, (), Unreadable("rak_plan_read")):
        run = report("plan", replace(made, prices=prices))
        (message,) = build_messages([read_report(render(run, "json"), "r.json")], "", AROUND)
        found.append(re.findall(r"_Prices:_ ([^|<]*)", message.body))
    assert found == [[], ["none listed "], ["not readable (permission: rak_plan_read) "]]


@given(texts())
def test_no_name_of_an_account_ends_the_block_of_its_command(text):
    """As code for a shell: one line between the fences."""
    named_so = replace(
        report("plan", ReportedChange(CHANGES["ai_image_renders"])).accounts[0],
        account=AccountRef(text, "acct_1", livemode=False),
    )
    (message,) = build_messages([Report(command="plan", accounts=(named_so,))], "", AROUND)
    _, inside, _ = re.split(r"^```(?:sh)?$", message.body, flags=re.M)
    assert inside.startswith("\nreconciler apply --account ")
    assert len(inside.splitlines()) == 2
    assert Links(message.body).tags <= {*INERT, "pre", "a"}


def test_a_report_of_a_saved_plan_is_not_published():
    text = json.loads(render(plan(), "json")) | {"command": "show"}
    with pytest.raises(Exception, match="not a report of validate, plan, apply, drift"):
        read_report(json.dumps(text), "report.json")
