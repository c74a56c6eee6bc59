"""Meter files: one diagnostic for one error, at its location."""

import json

import pytest
from config.loading import diagnose, places, write
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.config import load
from reconciler.config.meter_file import apply_overrides, check_overrides, read_meters
from reconciler.diagnostics.diagnostic import Level

SOUND = "event_name: a, display_name: A, default_aggregation: {formula: sum}"


def found(folder, text: str) -> list[tuple[str, int, int]]:
    return places(folder, {"m.yaml": text})


TEN = """\
version: 1
defaults:
  customer_maping: {type: by_id}
meters:
  - event_name: ai_search
    display_name: Search
    default_aggregation: {formula: summ}
  - event_name: on
    display_name: Switch
    default_aggregation: {formula: last}
  - event_name: ai_search
    display_name: Search again
    default_aggregation: {formula: sum}
  - event_name: tokens
    default_aggregation: {formula: sum}
  - event_name: seats
    display_name: "Seats "
    default_aggregation: {formula: count}
    status: active
    status: inactive
  - event_name: storage
    display_name: %s
    default_aggregation: {formula: last}
    retires: [mtr_1, 2024-01-01]
    protect: "yes"
""" % ("x" * 251)


def test_ten_errors_give_ten_diagnostics(tmp_path):
    """All in one run, in the order of the file."""
    assert found(tmp_path, TEN) == [
        ("C010", 3, 3),  # customer_maping
        ("C012", 7, 36),  # summ
        ("Y016", 8, 17),  # on
        ("C015", 11, 17),  # ai_search again
        ("C011", 14, 5),  # no display_name
        ("C014", 17, 19),  # a space after Seats
        ("Y006", 20, 5),  # status again
        ("C013", 22, 19),  # 251 characters
        ("Y016", 24, 22),  # a date is no id
        ("C009", 25, 14),  # "yes"
    ]


def meters(*entries: str, head: str = "version: 1") -> str:
    return "\n".join([head, "meters:", *(f"  - {{{entry}}}" for entry in entries), ""])


SCALARS = [
    *("on", "y", "No", "true", "~", "null", "123", "1e3", "0o17", "08", "0x1F", "1_000", "1:30"),
    *("2024-01-01", "2024-01-01 10:00:00", ".5", ".inf", ".NaN", "=", "0b1", "9" * 90, "-1.5"),
]


@pytest.mark.parametrize("word", SCALARS, ids=lambda word: word[:12])
@pytest.mark.parametrize("key", ["event_name", "display_name"])
def test_a_scalar_that_some_parser_does_not_read_as_a_string_must_be_quoted(tmp_path, word, key):
    """Whether YAML 1.1 or 1.2 reads it as a number, date, boolean or null."""
    head = f"version: 1\nmeters:\n  - {key}: "
    other = "display_name" if key == "event_name" else "event_name"
    rest = f"\n    {other}: other\n    default_aggregation: {{formula: sum}}\n"
    assert found(tmp_path, head + word + rest) == [("Y016", 3, 7 + len(key))]
    quoted = '"' + word + '"'
    assert "Y016" not in [code for code, *_ in found(tmp_path, head + quoted + rest)]


@pytest.mark.parametrize("word", ["Online", "1st", "v1.0", "1.2.3", "nope", "a=b", "10 GB", "é"])
def test_scalars_that_every_parser_reads_as_strings_need_no_quotes(tmp_path, word):
    assert found(tmp_path, meters(SOUND.replace(": A", f": {word}"))) == []


ENTRIES = {
    "missing formula": ("default_aggregation: {}", "C011"),
    "no value at all": ("value_settings: ", "C009"),
    "a list for a mapping": ("customer_mapping: [by_id]", "C009"),
    "unknown key": ("metadata: {a: on}", "C010"),
    "a key of an inner mapping": ("formula: sum", "C010"),
    "unknown nested key": ("value_settings: {event_payload_kay: x}", "C010"),
    "unknown window": ("event_time_window: Hour", "C012"),
    "a number for a known word": ("event_time_window: 1", "C012"),
    "a plain word for a known word": ("event_time_window: no", "C012"),
    "unknown status": ("status: activ", "C012"),
    "unknown customer mapping": ("customer_mapping: {type: by_email}", "C012"),
    "long payload key": (f"value_settings: {{event_payload_key: {'k' * 101}}}", "C013"),
    "empty payload key": ("value_settings: {event_payload_key: ''}", "C013"),
    "blank payload key": ("value_settings: {event_payload_key: '  '}", "C014"),
    "string for boolean": ("protect: 'true'", "C009"),
    "number for boolean": ("protect: 1", "C009"),
    "1.1 boolean": ("protect: on", "C009"),
    "string for list": ("retires: mtr_1", "C009"),
    "twice in a list": ("retires: [mtr_1, mtr_2, mtr_1]", "C027"),
    "space after an id": ("retires: ['mtr_1 ']", "C014"),
    "line break after an id": ('retires: ["mtr_1\\n"]', "C014"),
    "number for an id": ("accepts: {prices: [9]}", "Y016"),
    "unknown acceptance": ("accepts: {active_prices: [price_9]}", "C010"),
    "tag": ("retires: [!!python/object mtr_1]", "Y008"),
    "protected and inactive": ("protect: true, status: inactive", "C020"),
}


@pytest.mark.parametrize(("entry", "code"), ENTRIES.values(), ids=ENTRIES)
def test_an_error_in_an_entry(tmp_path, entry, code):
    """Exactly one diagnostic, on the line of the entry."""
    base = {part.split(":")[0]: part for part in SOUND.split(", ")}
    sound = [text for key, text in base.items() if not entry.startswith(f"{key}:")]
    reported = found(tmp_path, meters(", ".join([*sound, entry])))
    assert [(rule, line) for rule, line, _ in reported] == [(code, 3)]


NAMES = {
    "empty": ('""', "C013"),
    "blank": ('"  "', "C014"),
    "space before": ('" a"', "C014"),
    "space after": ('"a "', "C014"),
    "one of two spaces": ('" a\\x20"', "C014"),
    "space and line break": ('"a\\n "', "C014"),
}


@pytest.mark.parametrize(("name", "code"), NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("key", ["event_name", "display_name"])
def test_names_that_are_displayed_wrongly(tmp_path, name, code, key):
    """Blank, padded, or with control or bidirectional characters."""
    rest = [part for part in SOUND.split(", ") if not part.startswith(key)]
    text = meters(f"{key}: {name}, {', '.join(rest)}")
    assert found(tmp_path, text) == [(code, 3, 8 + len(key))]


ESCAPED = {
    "space": ("a\\x20", "a "),
    "line break": ("a\\nb", "a\nb"),
    "escape": ("\\e[31m", "\x1b[31m"),
    "right to left": ("\\u202ea", "\u202ea"),
    "invisible": ("a\\u200bb", "a\u200bb"),
    "NUL": ("a\\0", "a\0"),
}


@pytest.mark.parametrize(("written", "name"), ESCAPED.values(), ids=ESCAPED)
@pytest.mark.parametrize("key", ["event_name", "display_name"])
def test_an_escape_sequence_declares_what_cannot_be_seen(tmp_path, written, name, key):
    """An existing meter can have such a name; written like this, it is no slip."""
    rest = [part for part in SOUND.split(", ") if not part.startswith(key)]
    text = meters(f'{key}: "{written}", {", ".join(rest)}')
    assert found(tmp_path, text) == []
    (declared,) = read_meters(text.encode(), "m.yaml").declared
    assert getattr(declared.meter, key) == name


def test_emoji_and_spaces_are_allowed_in_names(tmp_path):
    """Stripe documents no alphabet; a plan that creates the meter warns."""
    entry = "event_name: a b, display_name: 'Größe 👩‍💻', default_aggregation: {formula: sum}"
    assert found(tmp_path, meters(entry)) == []


def test_one_event_name_in_two_files(tmp_path):
    """Reported in the second file, with the location of the first."""
    files = {"a.yaml": meters(SOUND), "b.yaml": meters("event_name: b, display_name: B", SOUND)}
    missing, duplicate = diagnose(tmp_path, files)
    assert (missing.code, duplicate.code, duplicate.location.line) == ("C011", "C015", 4)
    assert f"{tmp_path}/a.yaml:3:18" in duplicate.message
    assert duplicate.event_name == "a"


ALLOW = "version: 1\nallow_unknown_values: true"


@pytest.mark.parametrize(
    ("formula", "hint"),
    [("Sum", "did you mean `sum`?"), ("rank", "known values: sum, count, last")],
)
def test_an_unknown_value_is_an_error_unless_the_file_allows_it(tmp_path, formula, hint):
    """Then it is a warning, and the value is used as it is."""
    entry = SOUND.replace("sum", formula)
    (diagnostic,) = diagnose(tmp_path, {"m.yaml": meters(entry)})
    assert diagnostic.code == "C012"
    assert hint in diagnostic.hint
    project = load(write(tmp_path, {"m.yaml": meters(entry, head=ALLOW)}))
    assert [(p.code, p.level) for p in project.diagnostics] == [("C026", Level.WARNING)]
    assert project.accounts[0].declared[0].meter.default_aggregation.formula == formula


ENUMS = [
    "default_aggregation: {formula: %s}",
    "default_aggregation: {formula: sum}, event_time_window: %s",
    "default_aggregation: {formula: sum}, customer_mapping: {type: %s}",
]
VALUES = {
    "C009": ("", "[sum]", "{a: b}"),
    "Y016": ("null", "123", "on", "true", "2020-01-01"),
    "C013": ('""', f'"{"x" * 101}"'),
    "C014": ('" "', r'"\u202ex"', r'"x\n"'),
    "C026": ("max", '"null"', '"123"', '"x y"', f'"{"x" * 100}"'),  # only a warning
}


@pytest.mark.parametrize("key", ["meters", "defaults"])
@pytest.mark.parametrize("enum", ENUMS)
@pytest.mark.parametrize(
    ("value", "code"), [(value, code) for code, values in VALUES.items() for value in values]
)
def test_an_allowed_unknown_value_must_be_a_valid_string(tmp_path, key, enum, value, code):
    given, named = enum % value, "event_name: a, display_name: A"
    entry, head = (named, f"{ALLOW}\ndefaults: {{{given}}}")
    if key == "meters":
        entry, head = f"{named}, {given}", ALLOW
    if "window" in enum and value in ("", "null"):  # the default
        assert diagnose(tmp_path, {"m.yaml": meters(entry, head=head)}) == []
        return
    (diagnostic,) = diagnose(tmp_path, {"m.yaml": meters(entry, head=head)})
    assert diagnostic.code == code
    if value == "null":  # quoting it would be valid, but is hardly what was meant
        assert diagnostic.hint.startswith(("known values: ", "did you mean"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 2\nmeters: 7\non: 1\n", "C008"),
        ("version: '1'\nmeters: []\n", "C008"),
        ("version: true\nmeters: []\n", "C008"),
        ("version: 1\nmeters: []\n", None),
        ("version: 1\n", "C011"),
        ("version: 1\nmeters:\n", "C009"),
        ("version: 1\nmeter: []\n", "C010"),
        ("meters: []\n", "C011"),
        ("services: {web: {image: on}}\n", "C025"),
        ("- event_name: a\n", "C009"),
        ("just words\n", "C009"),
        ("version: 1\nmeters: [a]\n", "C009"),
        ("version: 1\ndefaults: {display_name: x}\nmeters: []\n", "C010"),
        ("version: 1\ndefaults:\nmeters: []\n", "C009"),
    ],
)
def test_an_error_that_concerns_the_whole_file(tmp_path, text, code):
    assert [one for one, *_ in found(tmp_path, text)] == ([code] if code else [])


def test_one_id_retired_under_two_names(tmp_path):
    """An existing meter has one event_name."""
    other = SOUND.replace("event_name: a", "event_name: b")
    text = meters(f"{SOUND}, retires: [mtr_1]", f"{other}, retires: [mtr_1]")
    assert found(tmp_path, text) == [("C021", 4, 5)]


def test_an_error_behind_an_alias_is_reported_once(tmp_path):
    """At the anchor."""
    text = meters(
        "event_name: a, display_name: A, default_aggregation: &f {formula: summ}",
        "event_name: b, display_name: B, default_aggregation: *f",
    )
    assert found(tmp_path, text) == [("C012", 3, 72)]


def test_keys_of_a_rejected_merge_key_are_not_reported_as_missing(tmp_path):
    text = meters(SOUND).replace("- {", "- &base {") + "  - {<<: *base, event_name: b}\n"
    assert found(tmp_path, text) == [("Y007", 4, 6)]


def test_the_number_of_reported_errors_is_limited(tmp_path):
    for entry in ("x: 1", "evnt_name: a, display_nam: b"):
        codes = [code for code, *_ in found(tmp_path, meters(*[entry] * 2000))]
        assert 500 < len(codes) <= 1001
        assert "C028" in codes


LEAVES = {
    "display_name": st.sampled_from(["a", "b", "c"]),
    "default_aggregation.formula": st.sampled_from(["sum", "count", "last"]),
    "value_settings.event_payload_key": st.sampled_from(["a", "b"]),
    "customer_mapping.event_payload_key": st.sampled_from(["a", "b"]),
    "event_time_window": st.sampled_from(["hour", "day", None]),
    "status": st.sampled_from(["active", "inactive"]),
    "protect": st.booleans(),
    "retires": st.lists(st.sampled_from(["mtr_1", "mtr_2"]), unique=True),
    "accepts.prices": st.lists(st.sampled_from(["price_1", "price_2"]), unique=True),
    "ignore_changes": st.sampled_from([[], ["display_name"]]),
}
SHARED = ("default_aggregation", "value_settings", "customer_mapping", "event_time_window")
DEFAULT = {"display_name": "x", "default_aggregation.formula": "sum"}


def nest(leaves):
    nested = {}
    for path, value in leaves.items():
        key, _, inner = path.partition(".")
        if inner:
            nested.setdefault(key, {})[inner] = value
        else:
            nested[key] = value
    return nested


@given(*(st.fixed_dictionaries({}, optional=LEAVES) for _ in range(4)))
def test_overrides_replace_the_declaration_and_that_the_defaults_leaf_by_leaf(
    defaults, own, first, second
):
    """The result is what one declaration with the effective settings says, and says where from."""
    defaults = {path: value for path, value in defaults.items() if path.startswith(SHARED)}
    own = DEFAULT | own
    second = {path: value for path, value in second.items() if path not in first}

    def read(entry, name, **more):
        entry = {"event_name": "calls", **nest(entry)}
        text = json.dumps({"version": 1, name: [entry], **more})
        return read_meters(text.encode(), f"{name}.yaml")

    files = [read(one, "overrides") for one in (first, second) if one]
    files.insert(0, read(own, "meters", defaults=nest(defaults)))
    (desired,) = apply_overrides(files)
    effective = defaults | own | first | second
    (wanted,) = read(effective, "meters").declared
    assert replace(desired, origins=(), location=wanted.location) == wanted
    sources = {path: desired.find_origin(path).source for path in effective}
    assert sources == {
        path: "override" if path in first | second else "declaration" if path in own else "defaults"
        for path in effective
    }
    assert not list(check_overrides("sandbox", files))
