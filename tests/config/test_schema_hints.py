"""The example in the hint of a missing key makes the file valid."""

from __future__ import annotations

import copy
import re

import pytest
import yaml
from config.loading import diagnose

METER = {"event_name": "a", "display_name": "A", "default_aggregation": {"formula": "sum"}}
IGNORED = {"event_name": "a", "kind": "unmanaged", "reason": "old", "until": "2027-01-31"}
FILES = {
    "m.yaml": {"version": 1, "meters": [METER]},
    "reconciler.yaml": {"version": 1, "ignore": [IGNORED]},
}
REQUIRED = [
    *(("m.yaml", (), key) for key in ("version", "meters")),
    *(("m.yaml", ("meters", 0), key) for key in METER),
    ("m.yaml", ("meters", 0, "default_aggregation"), "formula"),
    ("reconciler.yaml", (), "version"),
    *(("reconciler.yaml", ("ignore", 0), key) for key in IGNORED),
]


@pytest.mark.parametrize(("name", "around", "key"), REQUIRED)
def test_the_example_for_a_missing_key_is_valid(tmp_path, name, around, key):
    files = copy.deepcopy(FILES)
    place = files[name]
    for step in around:
        place = place[step]
    del place[key]
    (diagnostic,) = diagnose(tmp_path, {name: yaml.safe_dump(files[name]) for name in files})
    assert diagnostic.code == "C011"
    place |= yaml.safe_load(re.findall(r"`([^`]*)`", diagnostic.hint)[-1])
    assert diagnose(tmp_path, {name: yaml.safe_dump(files[name]) for name in files}) == []
