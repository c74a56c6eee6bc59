"""Every format of every kind of report, against golden files and against what must never be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from published import held
from render.hand_made import HOSTILE, REPORTS, applied, of_every_kind, refused_plan

from reconciler.cli.context import PLAIN
from reconciler.diagnostics.codes import CATALOGUE
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action
from reconciler.render import FORMATS, render, text
from reconciler.render import json as as_json
from reconciler.report.documents import DiagnosticList
from reconciler.report.report import Report, ResultStatus


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("format_", "ending"), [("text", "txt"), ("json", "json")])
def test_reports_look_as_reviewed(name, format_, ending, golden):
    """A change of any output is a change of a reviewed file."""
    golden(f"{name}/expected.{ending}", render(REPORTS[name](), format_))


@pytest.mark.parametrize("name", REPORTS)
def test_json_keeps_to_the_published_schema(name):
    """Every key is described there, and no other is sent."""
    held(render(REPORTS[name](), "json"))


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        (name, format_)
        for name, make in REPORTS.items()
        for format_ in FORMATS
        if format_ in PLAIN or isinstance(make(), Report)
    ],
)
def test_nothing_from_outside_moves_the_screen(name, format_):
    """Control, bidirectional and lone surrogate characters come out as escapes, in any format."""
    written = render(REPORTS[name](), format_)
    assert all(char.isprintable() or char == "\n" for char in written)


def test_colours_are_the_only_escapes():
    """With colours there is nothing else on the screen than without."""
    import re

    painted = text.render(refused_plan(), colours=True)
    assert "\x1b[31m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == text.render(refused_plan())


def test_every_sign_survives_a_reader_of_80_columns():
    """Prose is wrapped; only a name or an id may be longer."""
    for line in text.render(refused_plan()).splitlines():
        assert len(line) <= 80, line


def test_every_action_but_unchanged_has_its_block():
    """Reviewers see each line of a plan; what stays as it is, is only counted."""
    shown = text.render(refused_plan())
    for change in of_every_kind():
        visible = change.event_name if change.event_name != HOSTILE else "evil\\x1b[2J"
        assert (visible in shown) == (change.action is not Action.UNCHANGED)
    assert "1 unchanged" in shown


def test_a_refused_line_says_by_what_and_what_to_do():
    """Code, message and hint of each guard stand at the line, the shared ones too."""
    shown = text.render(refused_plan()).partition("sms_sent")[2]
    for code in ("G001", "G004"):
        assert f"refused by {code}" in shown
    assert "raise policy.max_deactivations" in shown


def test_the_verdict_of_an_apply_is_said_plainly():
    """One line that a person looks for, without a code in the way."""
    assert "\nverified: the account matches\n" in text.render(applied())


def test_live_mode_is_loud():
    """Nobody mistakes a live account for a sandbox."""
    assert "LIVE mode" in text.render(applied())


def test_json_is_ascii():
    """So no encoding of a terminal or a file can break it, and no character hides in it."""
    assert render(refused_plan(), "json").isascii()
    assert HOSTILE in {c["event_name"] for c in _changes(refused_plan())}


def _changes(report: Report):
    return json.loads(as_json.render(report))["accounts"][0]["changes"]


def test_after_is_what_the_line_would_leave():
    """`before` is the meter as read, `after` as it would be, null where nothing is known."""
    by_action = {change["action"]: change for change in _changes(refused_plan())}
    assert by_action["create"]["before"] is None
    assert by_action["create"]["after"]["id"] is None
    assert by_action["reactivate"]["after"]["status"] == "active"
    assert by_action["update"]["after"]["display_name"] == "Storage (GB)"
    assert by_action["replace"]["after"]["id"] is None
    assert by_action["deactivate"]["after"]["status"] == "inactive"
    assert by_action["blocked"]["after"].keys() == by_action["update"]["after"].keys()
    for untouched in ("unmanaged", "unchanged"):
        assert by_action[untouched]["after"] == by_action[untouched]["before"]


def test_the_enumerations_of_the_schema_are_those_of_the_code():
    """An added action, outcome or exit code is added to the published schema too."""
    from published import SCHEMAS

    defs = json.loads((SCHEMAS / "report.schema.json").read_text("utf-8"))["$defs"]
    assert defs["change"]["properties"]["action"]["enum"] == list(Action)
    assert defs["result"]["properties"]["status"]["enum"] == list(ResultStatus)
    assert set(defs["exit_code"]["enum"]) == set(Exit)


class Counted(tuple):
    """Problems that know how often somebody has gone through them."""

    passes = 0

    def __iter__(self):
        Counted.passes += 1
        return super().__iter__()


@pytest.mark.parametrize("format_", FORMATS)
def test_problems_are_not_gone_through_once_for_every_line(format_, monkeypatch):
    """A plan of thousands of lines, each with its own problem, must not take minutes."""
    (account,) = refused_plan().accounts
    many = replace(account, changes=account.changes * 50, diagnostics=Counted(account.diagnostics))
    monkeypatch.setattr(Counted, "passes", 0)
    render(Report(command="plan", accounts=(many,)), format_)
    assert 0 < Counted.passes < 10


def test_every_rule_can_be_explained():
    """The catalogue renders as a whole and one by one, in both formats."""
    rules = tuple(CATALOGUE.values())
    assert len(text.render(DiagnosticList(rules=rules)).splitlines()) == len(rules)
    held(render(DiagnosticList(rules=rules), "json"))
    for rule in rules:
        assert rule.code in text.render(DiagnosticList(rules=(rule,)))
