"""Workflow annotations: one command per line whatever the names, errors first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import assume, given
from render.reports import REPORTS, drifted, hostile, many, partly_applied, texts

from reconciler.diagnostics.codes import config
from reconciler.diagnostics.diagnostic import Location
from reconciler.render import github
from reconciler.report.report import Report

_COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


@dataclass(frozen=True, slots=True)
class Annotation:
    level: str
    properties: dict[str, str]
    message: str


def read(text: str) -> list[Annotation]:
    """Parse a log as the runner of GitHub Actions does: properties, then a message."""
    return [_annotation(line) for line in text.removesuffix("\n").split("\n")]


def _annotation(line: str) -> Annotation:
    found = _COMMAND.fullmatch(line)
    assert found, line
    pairs = (pair.split("=", 1) for pair in found[2].split(","))
    return Annotation(found[1], {key: _plain(value) for key, value in pairs}, _plain(found[3]))


def _plain(text: str) -> str:
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


@cache
def plain_notes(command):
    return read(github.render(hostile("x", command)))


@given(texts())
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_no_value_makes_a_command_of_its_own(command, text):
    """Whatever a name, a message or a path holds, there are as many commands as for a plain one."""
    assume(".." not in text)  # what is no path inside the repository has no place
    shown, plain = read(github.render(hostile(f"x{text}", command))), plain_notes(command)
    assert [note.level for note in shown] == [note.level for note in plain]
    assert [note.properties.keys() for note in shown] == [note.properties.keys() for note in plain]


@given(texts())
def test_escapes_are_undone_by_the_runner(text):
    """The runner shows the original text."""
    assert _plain(github.escape(text.replace("%", "x"))) == text.replace("%", "x")
    assert not set(github.escape_property(text)) & set("\r\n:,")


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_errors_come_first(make):
    """GitHub shows ten of a level and step."""
    levels = [note.level for note in read(github.render(make()))]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)


def test_what_loses_revenue_is_among_the_ten_that_are_shown():
    """Of five hundred findings the first are the ones that lose revenue."""
    first = read(github.render(many(revenue=10, others=490)))[:10]
    assert all(" revenue: " in note.properties["title"] for note in first)


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        (Location("./m.yaml", 4, 5, 4, 15), "file=m.yaml,line=4,col=5,endLine=4,endColumn=14"),
        (Location("m.yaml", 4, 5, 4, 5), "file=m.yaml,line=4,col=5,endLine=4,endColumn=5"),
        (Location("m.yaml", 4, 5, 7, 1), "file=m.yaml,line=4,endLine=6"),
        (Location("m.yaml", 4, 5, 5, 1), "file=m.yaml,line=4,col=5,endLine=4,endColumn=5"),
        (Location("m.yaml", 4), "file=m.yaml,line=4"),
        (Location("a,b:c.yaml"), "file=a%2Cb%3Ac.yaml"),
    ],
)
def test_places_are_given_as_github_takes_them(location, wanted):
    """Inclusive ends; columns only where the place is on one line."""
    diagnostic = config.UNKNOWN_KEY("unknown key", location)
    written = github.render(Report(command="validate", diagnostics=(diagnostic,)))
    assert written.startswith(f"::error {wanted},title=C010::unknown key%0A")


def test_every_finding_is_shown_with_what_to_do():
    """Message, doer, remedy; an exempt finding is a notice with its reason."""
    notes = {note.properties["title"]: note for note in read(github.render(drifted()))}
    seats = notes["D001 revenue: seats"]
    assert seats.level == "error"
    assert "reconciler apply --account production --only seats" in seats.message
    assert "req_Xk2Pq9" in seats.message
    legacy = notes["D009 low: video_minutes"]
    assert (legacy.level, "ignored until 2027-01-31" in legacy.message) == ("notice", True)


def test_an_apply_shows_what_failed_and_what_was_done():
    """A failed change is an error, a done one a notice."""
    notes = read(github.render(partly_applied()))
    assert [note.properties["title"] for note in notes if note.level == "error"] == [
        "A004 uploads",
        "A003 seats",
    ]
    assert notes[1].properties["line"] == "12"
    assert any(note.properties["title"] == "create ai_search_calls (done)" for note in notes)
