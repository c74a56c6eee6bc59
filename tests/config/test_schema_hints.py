"""What a hint says is what helps: obeyed to the letter, it is the last word on the mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reconciler.config import load
from reconciler.diagnostics.errors import ConfigError

METER = {
    "event_name": "a",
    "display_name": "A",
    "default_aggregation": {"formula": "sum"},
}
IGNORED = {"event_name": "a", "kind": "unmanaged", "reason": "old", "until": "2027-01-31"}
FILES = {
    "m.yaml": {"version": 1, "meters": [METER]},
    "reconciler.yaml": {"version": 1, "ignore": [IGNORED]},
}
REQUIRED = [
    ("m.yaml", (), "version"),
    ("m.yaml", (), "meters"),
    ("m.yaml", ("meters", 0), "event_name"),
    ("m.yaml", ("meters", 0), "display_name"),
    ("m.yaml", ("meters", 0), "default_aggregation"),
    ("m.yaml", ("meters", 0, "default_aggregation"), "formula"),
    ("reconciler.yaml", (), "version"),
    *(("reconciler.yaml", ("ignore", 0), key) for key in IGNORED),
]


def write(folder: Path, files: dict[str, object]) -> None:
    for name, value in files.items():
        (folder / name).write_text(yaml.safe_dump(value, sort_keys=False), "utf-8")


@pytest.mark.parametrize(("name", "around", "key"), REQUIRED)
def test_what_is_to_be_added_for_a_missing_key_fits(tmp_path, name, around, key):
    """C011 shows YAML of the right type: pasted where it is missing, it makes the file sound."""
    files = yaml.safe_load(yaml.safe_dump(FILES))
    place = files[name]
    for step in around:
        place = place[step]
    del place[key]
    write(tmp_path, files)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "C011"
    shown = re.findall(r"`([^`]*)`", diagnostic.hint)[-1]
    place |= yaml.safe_load(shown)
    write(tmp_path, files)
    assert load(tmp_path).diagnostics == ()
