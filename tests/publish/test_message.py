"""What is posted: inert whatever a report holds, one comment for each account or for many."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from render.reports import CHANGES, hostile, plan, report, texts

from reconciler.diagnostics.diagnostic import Location
from reconciler.model.change import Action
from reconciler.model.project import AccountRef
from reconciler.publish.message import MATRIX, build_marker, build_messages
from reconciler.render import render
from reconciler.render.markdown import Around
from reconciler.render.places import AS_GIVEN
from reconciler.report.read_report import read_report
from reconciler.report.report import Report, ReportedChange

BLOB = f"https://github.com/acme/billing/blob/{'1f' * 20}"
AROUND = Around(BLOB, "1f" * 20, "https://github.com/acme/billing/actions/runs/5", AS_GIVEN)


class Links(HTMLParser):
    """The tags of a comment, and where its links lead."""

    def __init__(self, comment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.to: list[str] = []
        extensions = ["table", "autolink", "strikethrough", "tasklist"]
        self.feed(
            cmarkgfm.markdown_to_html_with_extensions(
                comment, options=Options.CMARK_OPT_UNSAFE, extensions=extensions
            )
        )

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.to += [value for name, value in attrs if name in ("href", "src")]


@settings(max_examples=12)
@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_of_a_report_leads_anywhere_else(command, text):
    """After the way through the file, as in another job: only links to the commit and the job."""
    read = read_report(render(hostile(text, command), "json"), "report.json")
    for message in build_messages([read], text, AROUND):
        found = Links(message.body)
        assert not found.tags & {"img", "script", "pre", "iframe", "h1", "del", "input"}
        assert all(to == AROUND.run or to.startswith(f"{BLOB}/") for to in found.to)
        assert message.body.splitlines()[0] == message.marker


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


def test_a_report_of_a_saved_plan_is_not_published():
    text = json.loads(render(plan(), "json")) | {"command": "show"}
    with pytest.raises(Exception, match="not a report of validate, plan, apply, drift"):
        read_report(json.dumps(text), "report.json")
