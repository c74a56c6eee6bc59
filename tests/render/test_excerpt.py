"""The source line under a diagnostic: its carets are under what it is about, whatever is in it."""

from unicodedata import combining, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics.diagnostic import Diagnostic, Level, Location
from reconciler.render.text.document import render_diagnostic
from reconciler.render.text.styled import write_lines


def laid_out(source: str | None, *span: int) -> list[str]:
    """The lines of an error at a location, without the message and the hint."""
    one = Diagnostic("C009", Level.ERROR, "wrong", Location("m", *span), "help", source=source)
    first, *lines, last = write_lines(render_diagnostic(one)).splitlines()
    assert (first, last) == (f"{Location('m', *span)}: error C009: wrong", "    hint: help")
    return lines


@pytest.mark.parametrize(
    ("source", "start", "end", "shown", "carets"),
    [
        ("a: on", 4, 6, "a: on", "   ^^"),
        ("a:", 3, 3, "a:", "  ^"),
        ("\ta: on", 5, 7, "    a: on", "       ^^"),
        ("日本: on", 5, 7, "日本: on", "      ^^"),
        ("e\u0301: on", 5, 7, "e\u0301: on", "   ^^"),
        ("a: \x1b[2J", 4, 8, "a: \\x1b[2J", "   ^^^^^^^"),
    ],
    ids=["plain", "end of line", "tab", "wide", "combining", "control character"],
)
def test_carets_are_under_the_location(source, start, end, shown, carets):
    """In columns of the terminal, not in characters."""
    assert laid_out(source, 4, start, 4, end) == [f"   4 | {shown}", f"     | {carets}"]


def test_a_location_of_several_lines_is_marked_to_the_end_of_the_first():
    assert laid_out("- a: b", 1200, 3, 1201, 2) == ["1200 | - a: b", "     |   ^^^^"]


def test_without_a_source_line_there_is_no_excerpt():
    assert laid_out(None, 4, 1, 4, 2) == []


def test_a_long_line_is_clipped_around_the_carets():
    (shown, carets) = laid_out("x" * 500 + "HERE" + "y" * 10_000, 1, 501, 1, 505)
    assert shown.startswith("   1 | …x")
    assert shown.endswith("y…")
    assert len(shown) == 80
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


@given(
    st.text(st.sampled_from("ab\t日\u0301\x1b\u202e\U0001f469"), max_size=200),
    st.integers(1, 210),
    st.integers(0, 210),
)
def test_every_line_fits_the_terminal(source, column, length):
    """Both lines have at most 80 columns, and there is always a caret."""
    shown, carets = laid_out(source, 1, column, 1, column + length) if source else ("", "^")
    wide = sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in shown)
    assert wide <= 80
    assert len(carets) <= 80
    assert carets.endswith("^")
