"""Every format of every kind of report, against golden files and against what must never be."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace
from published import SCHEMAS, held
from render.reports import (
    CHANGES,
    EVIL,
    HOSTILE,
    REPORTS,
    UNMANAGED,
    applied,
    drift,
    drifted,
    entry,
    hostile,
    invalid,
    inventory,
    like,
    partly_applied,
    plan,
    report,
)

from reconciler.cli.context import PLAIN
from reconciler.diagnostics.catalogue import CATALOGUE
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action
from reconciler.model.finding import Exemption
from reconciler.render import FORMATS, render, text
from reconciler.report.documents import DiagnosticList
from reconciler.report.report import Report, ResultStatus

ENDINGS = {
    "text": "txt",
    "json": "json",
    "html": "html",
    "markdown": "md",
    "junit": "xml",
    "sarif": "sarif",
    "github": "log",
    "codequality": "codequality.json",
}
GOLDEN = {
    "refused_plan": (plan, PLAIN),
    "partly_applied": (partly_applied, FORMATS),
    "applied": (applied, PLAIN),
    "drifted": (drifted, [name for name in FORMATS if name not in PLAIN]),
    "invalid": (invalid, PLAIN),
    "list": (inventory, PLAIN),
}
DOCUMENTS = {**REPORTS, "list": inventory}


@pytest.mark.parametrize(
    ("name", "format_"), [(name, format_) for name, (_, all_) in GOLDEN.items() for format_ in all_]
)
def test_reports_look_as_reviewed(name, format_, golden):
    written = render(GOLDEN[name][0](), format_)
    # The style sheet and the script are the same on every page.
    written = re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", written, flags=re.DOTALL)
    written = re.sub(r"sha256-[\w+/&#;]+=*", "sha256-…", written)
    golden(f"{name}/expected.{ENDINGS[format_]}", written)


@pytest.mark.parametrize("make", DOCUMENTS.values(), ids=DOCUMENTS)
def test_json_keeps_to_the_published_schema(make):
    held(render(make(), "json"))


@pytest.mark.parametrize("make", DOCUMENTS.values(), ids=DOCUMENTS)
def test_nothing_from_outside_moves_the_screen(make):
    """Control, bidirectional and lone surrogate characters come out as escapes, in any format."""
    document = make()
    for format_ in FORMATS if isinstance(document, Report) else PLAIN:
        written = render(document, format_)
        assert all(char.isprintable() or char == "\n" for char in written)


def test_colours_are_the_only_escapes():
    painted = text.render(plan(), colours=True)
    assert "\x1b[31m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == text.render(plan())


@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_brings_an_escape_of_its_own_into_colours(value, command):
    """Coloured text is the plain text with colours, whatever a value holds."""
    document = hostile(value, command)
    painted = text.render(document, colours=True)
    assert "\x1b[1m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == text.render(document)
    assert all(char.isprintable() or char == "\n" for char in text.render(document))


def test_text_fits_80_columns():
    """Prose is wrapped; only a name or an id may be longer."""
    for line in text.render(plan()).splitlines():
        assert len(line) <= 80, line


def test_every_action_but_unchanged_has_its_block():
    shown = text.render(plan())
    for change in CHANGES.values():
        visible = change.event_name if change.event_name != EVIL else "evil\\x1b[2J"
        assert (visible in shown) == (change.action is not Action.UNCHANGED)
    assert "2 unchanged" in shown


def test_a_refused_change_shows_by_what_and_what_to_do():
    """Code, message and hint of each guard, of those of the whole plan too."""
    shown = text.render(plan()).partition("sms_sent")[2]
    for code in ("G001", "G004"):
        assert f"refused by {code}" in shown
    assert "raise policy.max_deactivations" in shown


def test_an_apply_shows_that_it_is_verified_and_in_live_mode():
    shown = text.render(applied())
    assert "\nverified: the account matches\n" in shown
    assert "LIVE mode" in shown


def list_changes(report: Report):
    return json.loads(render(report, "json"))["accounts"][0]["changes"]


def test_json_is_ascii():
    """So no encoding of a terminal or a file can break it, and no character hides in it."""
    assert render(plan(), "json").isascii()
    assert EVIL in {change["event_name"] for change in list_changes(plan())}


def test_after_is_the_meter_after_the_change():
    """`before` is the meter as read; both are null where nothing is known."""
    by_action = {change["action"]: change for change in list_changes(plan())}
    after = {action: change["after"] for action, change in by_action.items()}
    assert by_action["create"]["before"] is None
    assert after["create"]["id"] is None
    assert after["reactivate"]["status"] == "active"
    assert after["update"]["display_name"] == "Image renders"
    assert after["replace"]["id"] is None
    assert after["deactivate"]["status"] == "inactive"
    assert after["blocked"].keys() == after["update"].keys()
    for untouched in ("unmanaged", "unchanged"):
        assert after[untouched] == by_action[untouched]["before"]


def test_the_enumerations_of_the_schema_are_those_of_the_code():
    defs = json.loads((SCHEMAS / "report.schema.json").read_text("utf-8"))["$defs"]
    assert defs["change"]["properties"]["action"]["enum"] == list(Action)
    assert defs["result"]["properties"]["status"]["enum"] == list(ResultStatus)
    assert set(defs["exit_code"]["enum"]) == set(Exit)


class Counted(tuple):
    """Diagnostics that count how often they are iterated over."""

    passes = 0

    def __iter__(self):
        Counted.passes += 1
        return super().__iter__()


@pytest.mark.parametrize("format_", FORMATS)
def test_diagnostics_are_not_searched_once_for_every_change(format_, monkeypatch):
    """A plan of thousands of changes, each with its own diagnostic, must not take minutes."""
    (account,) = plan().accounts
    many = replace(account, changes=account.changes * 50, diagnostics=Counted(account.diagnostics))
    monkeypatch.setattr(Counted, "passes", 0)
    render(Report(command="plan", accounts=(many,)), format_)
    assert 0 < Counted.passes < 10


def test_every_rule_can_be_explained():
    rules = tuple(CATALOGUE.values())
    assert len(text.render(DiagnosticList(rules=rules)).splitlines()) == len(rules)
    held(render(DiagnosticList(rules=rules), "json"))
    for rule in rules:
        assert rule.code in text.render(DiagnosticList(rules=(rule,)))


@pytest.mark.parametrize("code", CATALOGUE)
def test_nothing_to_do_is_not_called_something_to_do(code):
    """A note without a remedy ends with what it means."""
    rule = CATALOGUE[code]
    shown = text.render(DiagnosticList(rules=(rule,)))
    assert ("What to do: " in shown) is bool(rule.remedy)
    assert not rule.remedy.startswith("nothing to do")
    account = report("apply", diagnostics=(rule("it happened"),))
    for format_ in FORMATS:
        written = render(account, format_)
        assert "hint: \n" not in written
        assert ("What to do:" in written) is (
            bool(rule.remedy) and format_ in ("markdown", "sarif")
        )


NAMES = [f"test_meter_{n:02}" for n in range(30)]
UNDECLARED = report("plan", *like("video_minutes", *NAMES), *like("ai_search_calls", "calls"))
FOUND = drift(*(entry("video_minutes", UNMANAGED, event_name=name) for name in NAMES))
EXEMPT = replace(UNMANAGED, exemption=Exemption("load test", "2027-01-31"))
IGNORED = drift(*(entry("video_minutes", EXEMPT, event_name=name) for name in NAMES))


@pytest.mark.parametrize(
    ("document", "label"),
    [
        (UNDECLARED, "30 unmanaged: test_meter_00, test_meter_01, test_meter_02 and 27 more"),
        (FOUND, "30 unmanaged: test_meter_00, test_meter_01, test_meter_02 and 27 more"),
        (IGNORED, "30 ignored until 2027-01-31: load test"),
    ],
    ids=["plan", "drift", "ignored"],
)
def test_many_meters_of_a_kind_are_a_count_and_examples(document, label):
    """Verbose text and JSON have them all."""
    assert label in " ".join(text.render(document).split())
    for format_ in ("text", "markdown", "html"):
        written = render(document, format_)
        assert NAMES[2] in written
        assert NAMES[3] not in written
        assert "27 more" in written
    for written in (text.render(document, verbose=True), render(document, "json")):
        assert all(name in written for name in NAMES)


def test_a_few_meters_of_a_kind_are_shown_one_by_one():
    written = text.render(report("plan", *like("video_minutes", *NAMES[:5])))
    assert all(name in written for name in NAMES[:5])


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "junit", "github", "sarif"])
def test_a_diagnostic_of_an_event_name_is_shown_with_drift_too(format_):
    """It belongs to an entry with findings, and must not get lost between the two."""
    warning = replace(invalid().diagnostics[2], event_name="seats", message="looks like Seats")
    (account,) = drifted().accounts
    account = replace(account, diagnostics=(warning,))
    written = render(Report(command="drift", accounts=(account,)), format_)
    assert written.count("looks like Seats") >= 1
