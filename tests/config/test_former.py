"""What an earlier version of a file said of a name, whatever else stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.former import entry

HEAD = "version: 1\n"
SEATS = "meters: [{event_name: seats, customer_mapping: {type: by_id}}]\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + SEATS, {"customer_mapping": {"type": "by_id"}}),
        (
            "defaults: {customer_mapping: {type: x, event_payload_key: k}, a: true}\n" + SEATS,
            {"customer_mapping": {"type": "by_id", "event_payload_key": "k"}, "a": True},
        ),
        ("defaults: {status: {a: b}}\nmeters: [{event_name: seats, status: x}]", {"status": "x"}),
        (
            "defaults: {status: x}\nmeters: [{event_name: seats, status: {a: b}}]",
            {"status": {"a": "b"}},
        ),
        ("defaults: [seats]\nmeters: [{event_name: seats, 1: x, x: 08}]", {"1": "x", "x": "08"}),
        ('# \\u\nmeters: [{event_name: "s\\u0065ats"}]', {}),
        ("meters: [seats, {event_name: [seats]}, {event_name: other}, {event_name: seats}]", {}),
    ],
)
def test_an_entry_over_the_defaults_of_its_file(text, found):
    """Valid or not, however the name is spelt."""
    told = entry(text.encode(), "seats")
    assert told is not None
    assert {str(key): value for key, value in told.items()} == {"event_name": "seats", **found}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"version: 1\nmeters: [\n seats",
        b"meters: {event_name: seats}\n",
        b"meters: [seats, [seats], {event_name: [seats]}, {event_name: seats2}]\n",
        b"- seats\n",
        b"seats",
        b"meters: &a [*a, seats]\n",
        b"kind: List\n---\nname: seats\n",
        b"\x00seats",
        b"\xff\xfeseats",
        b"seats: " + b"[" * 30_000,
    ],
)
def test_what_declares_nothing(data):
    """No YAML, another kind of file, another name."""
    assert entry(data, "seats") is None


@given(st.binary(max_size=60), st.text(max_size=8))
def test_whatever_is_read_ends_nothing(data, name):
    """Files of any time, names of any kind."""
    found = entry(data, name)
    assert found is None or found["event_name"] == name


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Cn")), min_size=1))
def test_a_name_in_double_quotes_is_found_as_it_is(name):
    """Of an unusual name the whole file is read."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert entry(f'meters: [{{event_name: "{quoted}"}}]'.encode(), name) == {"event_name": name}
