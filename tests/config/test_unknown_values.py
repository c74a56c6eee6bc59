"""`allow_unknown_values: true` opens the list of values; a value is a sound string all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.diagnostics.diagnostic import Level
from reconciler.diagnostics.errors import ConfigError

PLACES = [
    "default_aggregation: {formula: %s}",
    "default_aggregation: {formula: sum}, event_time_window: %s",
    "default_aggregation: {formula: sum}, customer_mapping: {type: %s}",
]
UNSOUND = [
    ("", "C009"),
    ("[sum]", "C009"),
    ("{a: b}", "C009"),
    ("null", "Y016"),
    ("123", "Y016"),
    ("on", "Y016"),
    ("true", "Y016"),
    ("2020-01-01", "Y016"),
    ('""', "C013"),
    (f'"{"x" * 101}"', "C013"),
    ('" "', "C014"),
    (r'"\u202ex"', "C014"),
    (r'"x\n"', "C014"),
]


def text(place: str, value: str, location: str = "meters") -> str:
    """A file that allows unknown values, with one in an entry or in the defaults."""
    head, entry = "version: 1\nallow_unknown_values: true\n", place % value
    if location == "meters":
        return f"{head}meters:\n  - {{event_name: a, display_name: A, {entry}}}\n"
    return f"{head}defaults: {{{entry}}}\nmeters:\n  - {{event_name: a, display_name: A}}\n"


def said(folder: Path, written: str) -> list[tuple[str, Level]]:
    """Code and level of every problem."""
    (folder / "m.yaml").write_text(written, "utf-8")
    try:
        diagnostics = load(folder).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return [(diagnostic.code, diagnostic.level) for diagnostic in diagnostics]


@pytest.mark.parametrize("location", ["meters", "defaults"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("value", "code"), UNSOUND)
def test_what_is_no_sound_string_is_an_error(tmp_path, location, place, value, code):
    """The usual one: wrong type, quotes missing, too long or short, or not what it looks like."""
    assert said(tmp_path, text(place, value, location)) == [(code, Level.ERROR)]


@pytest.mark.parametrize("location", ["meters", "defaults"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", ["max", '"null"', '"123"', '"x y"', f'"{"x" * 100}"'])
def test_any_sound_string_is_a_warning(tmp_path, location, place, value):
    """Stripe may be ahead."""
    assert said(tmp_path, text(place, value, location)) == [("C026", Level.WARNING)]


def test_quotes_are_not_the_first_advice(tmp_path):
    """`null` in quotes would pass, and is hardly what was meant."""
    (tmp_path / "m.yaml").write_text(text(PLACES[0], "null"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.diagnostics[0].hint.startswith("known values: sum, count, last; if Stripe")
