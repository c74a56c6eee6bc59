"""Entries are inserted into a meter file without changing a line of it, or it is refused."""

from __future__ import annotations

import pytest
from builders.meters import existing, inactive

from reconciler.adoption.entries import Adoption
from reconciler.adoption.splice import splice
from reconciler.config.meter_file import read_meters
from reconciler.diagnostics.errors import ConfigError

NEW = (Adoption(existing("mtr_1", "calls", window="day")), Adoption(inactive("mtr_2", "old ")))
A = "event_name: a, display_name: A, default_aggregation: {formula: sum}"
BLOCK = "{dash}event_name: a\n{pad}display_name: A\n{pad}default_aggregation: {{formula: sum}}\n"


def block(indent: int, gap: int = 1) -> str:
    return BLOCK.format(dash=f"{' ' * indent}-{' ' * gap}", pad=" " * (indent + 1 + gap))


FILES = {
    "two spaces": ("version: 1\nmeters:\n" + block(2), ""),
    "no indentation": ("version: 1\nmeters:\n" + block(0), ""),
    "wide": ("meters:\n" + block(4, 3), "version: 1\n"),
    "flow entries": (f"version: 1\nmeters:\n  - {{{A}}}\n", ""),
    "flow entry on two lines": (
        f"version: 1\nmeters:\n  - {{{A.replace(', ', ',  ')}\n    }}\n",
        "",
    ),
    "no line break at the end": (f"version: 1\nmeters:\n  - {{{A}}}", ""),
    "a comment behind it": (f"version: 1\nmeters:\n  - {{{A}}} # one\n", ""),
    "comments below": (
        "version: 1\nmeters:\n" + block(2) + "    # on this one\n  # - event_name: b\n",
        "\n# on the next key\nallow_unknown_values: true\n",
    ),
    "comments of the next key": (
        "version: 1\nmeters:\n" + block(0),
        "# on the next key\nallow_unknown_values: true\n",
    ),
    "blank lines": ("version: 1\nmeters:\n" + block(2), "\n\n"),
    "end of the document": ("---\nversion: 1\nmeters:\n" + block(2), "...\n"),
    "block scalar": (
        "version: 1\nmeters:\n  - event_name: a\n    default_aggregation: {formula: sum}\n"
        "    display_name: >-\n      A\n      B\n",
        "",
    ),
    "Windows": (f"version: 1\r\nmeters:\r\n  - {{{A}}}\r\n", "allow_unknown_values: true\r\n"),
    "Windows without the last": (f"version: 1\r\nmeters:\r\n  - {{{A}}}", ""),
    "byte order mark": (f"\ufeffversion: 1\nmeters:\n  - {{{A}}}\n", ""),
    "defaults": (
        "version: 1\ndefaults:\n  event_time_window: day\n  protect: true\n  default_aggregation:"
        f" {{formula: count}}\nmeters:\n  - {{{A}}}\n",
        "",
    ),
    "an anchor": (f"version: 1\nmeters:\n  - &a {{{A}}}\n", ""),
    "beyond the first plane": (
        'version: 1\nmeters:\n  - {event_name: "\\ud83d\\ude00", display_name: 😀é, '
        "default_aggregation: {formula: sum}}\n",
        "allow_unknown_values: true # é\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_every_line_is_kept(before, after):
    """What was before the place is still before it, and what was after it is still there."""
    old = (before + after).encode()
    new = splice(old, "m.yaml", NEW).decode()
    assert new.startswith(before)
    assert new.endswith(after)
    assert ("\r\n" in before) == ("\r\n" in new.removeprefix(before).removesuffix(after))
    assert "\n" not in new.replace("\r\n", "") or "\r\n" not in before
    declared = read_meters(new.encode(), "m.yaml").declared
    found = {each.event_name: (each.meter, each.status) for each in declared}
    assert found["calls"] == (NEW[0].meter.meter, "active")
    assert found["old "] == (NEW[1].meter.meter, "inactive")
    kept = read_meters(old, "m.yaml").declared
    assert declared[: len(kept)] == kept
    assert len(declared) == len(kept) + 2


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["Unix", "Windows"])
@pytest.mark.parametrize("after", ["\n", "", " # none yet\n", "\n# end\n", "\ndefaults: {}\n"])
@pytest.mark.parametrize("value", [" []", " [ ]", "\n  []"])
def test_an_empty_list_gives_way(value, after, end):
    """All other lines stay; it is what `init` writes."""
    text = f"# a comment\nversion: 1\nmeters:{value}{after}".replace("\n", end)
    new = splice(text.encode(), "m.yaml", NEW).decode()
    assert len(read_meters(new.encode(), "m.yaml").declared) == 2
    first, _, rest = after.partition("\n")
    assert new.startswith(f"# a comment\nversion: 1\nmeters:{first}\n  # ".replace("\n", end))
    assert new.endswith(rest.replace("\n", end) or end)
    assert new.count("\n") == new.count(end)


REFUSED = {
    "flow root": "{version: 1, meters: []}\n",
    "empty list in JSON": '{"meters": []}\n',
    "indented root": "    version: 1\n    meters: []\n",
    "comment in an empty list": "version: 1\nmeters: [\n  # keep\n]\n",
    "null": "version: 1\nmeters: ~\n",
    "flow list": f"version: 1\nmeters: [{{{A}}}]\n",
    "JSON": '{"version": 1, "meters": [{"event_name": "a", "display_name": "A", '
    '"default_aggregation": {"formula": "sum"}}]}\n',
    "entry below its dash": "version: 1\nmeters:\n  -\n" + block(2).replace("- ", "  "),
    "anchor of the list": f"version: 1\nmeters: &m\n  - {{{A}}}\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sure_is_refused(case):
    text = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        splice(text.encode(), "m.yaml", NEW)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "C041"
    assert diagnostic.location.line > 0
    named = "`meters` is not a plain block list" in diagnostic.message
    assert named is (case != "entry below its dash")
