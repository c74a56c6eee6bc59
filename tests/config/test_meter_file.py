"""One mistake, one diagnostic, at its place: meter files."""

from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.diagnostics.diagnostic import Level
from reconciler.diagnostics.errors import ConfigError

SOUND = "event_name: a, display_name: A, default_aggregation: {formula: sum}"


def found(folder: Path, **files: str) -> list[tuple[str, int, int]]:
    """Code, line and column of every problem of a folder with these files."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    try:
        diagnostics = load(folder).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return [(p.code, p.location.line, p.location.column) for p in diagnostics if p.location]


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


def test_ten_mistakes_give_ten_diagnostics(tmp_path):
    """All in one run, each where it was made, in the order of the file."""
    assert found(tmp_path, m=TEN) == [
        ("C010", 3, 3),  # customer_maping
        ("C012", 7, 36),  # summ
        ("Y016", 8, 17),  # on
        ("C015", 11, 17),  # ai_search again
        ("C011", 14, 5),  # no display_name
        ("C014", 17, 19),  # a space after Seats
        ("Y006", 20, 5),  # status again
        ("C013", 22, 19),  # 251 characters
        ("C014", 24, 22),  # a date is no id
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
def test_a_plain_word_that_some_reader_takes_for_no_string_must_be_quoted(tmp_path, word, key):
    """Whichever of YAML 1.1 and 1.2 it is that reads it as a number, date, boolean or null."""
    head = f"version: 1\nmeters:\n  - {key}: "
    other = "display_name" if key == "event_name" else "event_name"
    rest = f"\n    {other}: other\n    default_aggregation: {{formula: sum}}\n"
    assert found(tmp_path, m=head + word + rest) == [("Y016", 3, 7 + len(key))]
    quoted = '"' + word + '"'
    assert "Y016" not in [code for code, *_ in found(tmp_path, m=head + quoted + rest)]


@pytest.mark.parametrize("word", ["Online", "1st", "v1.0", "1.2.3", "nope", "a=b", "10 GB", "é"])
def test_words_that_only_look_like_it_need_no_quotes(tmp_path, word):
    """Nobody reads these as anything but strings."""
    assert found(tmp_path, m=meters(SOUND.replace(": A", f": {word}"))) == []


ENTRIES = {
    "missing formula": ("default_aggregation: {}", ["C011"]),
    "no value at all": ("value_settings: ", ["C009"]),
    "a list for a mapping": ("customer_mapping: [by_id]", ["C009"]),
    "unknown key": ("metadata: {a: on}", ["C010"]),
    "a key of an inner mapping": ("formula: sum", ["C010"]),
    "unknown nested key": ("value_settings: {event_payload_kay: x}", ["C010"]),
    "unknown window": ("event_time_window: Hour", ["C012"]),
    "a number for a known word": ("event_time_window: 1", ["C012"]),
    "a plain word for a known word": ("event_time_window: no", ["C012"]),
    "unknown status": ("status: activ", ["C012"]),
    "unknown customer mapping": ("customer_mapping: {type: by_email}", ["C012"]),
    "long payload key": (f"value_settings: {{event_payload_key: {'k' * 101}}}", ["C013"]),
    "empty payload key": ("value_settings: {event_payload_key: ''}", ["C013"]),
    "blank payload key": ("value_settings: {event_payload_key: '  '}", ["C014"]),
    "string for boolean": ("protect: 'true'", ["C009"]),
    "number for boolean": ("protect: 1", ["C009"]),
    "1.1 boolean": ("protect: on", ["C009"]),
    "string for list": ("retires: mtr_1", ["C009"]),
    "twice in a list": ("retires: [mtr_1, mtr_2, mtr_1]", ["C027"]),
    "slash in an id": ("retires: [mtr/1]", ["C014"]),
    "line break after an id": ('retires: ["mtr_1\\n"]', ["C014"]),
    "number for an id": ("accepts: {prices: [9]}", ["Y016"]),
    "unknown acceptance": ("accepts: {active_prices: [price_9]}", ["C010"]),
    "tag": ("retires: [!!python/object mtr_1]", ["Y008"]),
    "protected and inactive": ("protect: true, status: inactive", ["C020"]),
}


@pytest.mark.parametrize(("entry", "codes"), ENTRIES.values(), ids=ENTRIES)
def test_a_mistake_in_an_entry(tmp_path, entry, codes):
    """Exactly one diagnostic, on the line of the entry."""
    base = {part.split(":")[0]: part for part in SOUND.split(", ")}
    sound = [text for key, text in base.items() if not entry.startswith(f"{key}:")]
    places = found(tmp_path, m=meters(", ".join([*sound, entry])))
    assert [(code, line) for code, line, _ in places] == [(code, 3) for code in codes]


NAMES = {
    "empty": ('""', "C013"),
    "blank": ('"  "', "C014"),
    "space before": ('" a"', "C014"),
    "space after": ('"a "', "C014"),
    "line break": ('"a\\nb"', "C014"),
    "escape": ('"\\e[31m"', "C014"),
    "right to left": ('"\\u202ea"', "C014"),
    "isolate": ('"\\u2066a"', "C014"),
    "NUL": ('"a\\0"', "C014"),
}


@pytest.mark.parametrize(("name", "code"), NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("key", ["event_name", "display_name"])
def test_names_that_nobody_can_see_right(tmp_path, name, code, key):
    """Blank, padded, with control or bidirectional characters: an error at the name."""
    rest = [part for part in SOUND.split(", ") if not part.startswith(key)]
    text = meters(f"{key}: {name}, {', '.join(rest)}")
    assert found(tmp_path, m=text) == [(code, 3, 8 + len(key))]


def test_an_emoji_is_a_name_and_a_space_in_an_event_name_is_allowed(tmp_path):
    """Stripe documents no alphabet; a plan that creates the meter warns of it."""
    entry = "event_name: a b, display_name: 'Größe 👩‍💻', default_aggregation: {formula: sum}"
    assert found(tmp_path, m=meters(entry)) == []


def test_one_event_name_in_two_files_names_the_other_place(tmp_path):
    """The second in the order of the files is the one to complain of."""
    (tmp_path / "a.yaml").write_text(meters(SOUND))
    (tmp_path / "b.yaml").write_text(meters("event_name: b, display_name: B", SOUND))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    missing, twice = caught.value.diagnostics
    assert (missing.code, twice.code, twice.location.line) == ("C011", "C015", 4)
    assert f"{tmp_path}/a.yaml:3:18" in twice.message
    assert twice.event_name == "a"


@pytest.mark.parametrize(
    ("formula", "hint"),
    [("Sum", "did you mean `sum`?"), ("max", "known values: sum, count, last")],
)
def test_an_unknown_value_is_an_error_unless_the_file_allows_it(tmp_path, formula, hint):
    """Then it is a warning, and the value is taken as it is."""
    entry = SOUND.replace("sum", formula)
    with pytest.raises(ConfigError, match=r"C012") as caught:
        load_text(tmp_path, meters(entry))
    assert hint in caught.value.diagnostics[0].hint
    head = "version: 1\nallow_unknown_values: true"
    project = load_text(tmp_path, meters(entry, head=head))
    assert [(p.code, p.level) for p in project.diagnostics] == [("C026", Level.WARNING)]
    assert project.accounts[0].declared[0].meter.default_aggregation.formula == formula


def load_text(folder: Path, text: str):
    (folder / "m.yaml").write_text(text, "utf-8")
    return load(folder)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 2\nmeters: 7\non: 1\n", "C008"),
        ("version: '1'\nmeters: []\n", "C008"),
        ("version: true\nmeters: []\n", "C008"),
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
def test_a_file_that_is_wrong_as_a_whole(tmp_path, text, code):
    """One diagnostic, however much of the file could not be judged for it."""
    assert [c for c, *_ in found(tmp_path, m=text)] == [code]


def test_an_empty_list_must_be_written_out(tmp_path):
    """`meters: []` declares nothing, in so many words."""
    assert load_text(tmp_path, "version: 1\nmeters: []\n").accounts[0].declared == ()


def test_retiring_one_id_under_two_names_is_remarked(tmp_path):
    """A live meter has one event_name."""
    other = SOUND.replace("event_name: a", "event_name: b")
    text = meters(f"{SOUND}, retires: [mtr_1]", f"{other}, retires: [mtr_1]")
    assert found(tmp_path, m=text) == [("C021", 4, 5)]


def test_a_mistake_behind_an_alias_is_reported_once(tmp_path):
    """At the anchor, where it has to be mended."""
    text = meters(
        "event_name: a, display_name: A, default_aggregation: &f {formula: summ}",
        "event_name: b, display_name: B, default_aggregation: *f",
    )
    assert found(tmp_path, m=text) == [("C012", 3, 72)]


def test_what_a_refused_merge_key_brings_is_not_reported_missing(tmp_path):
    """One mistake, and one diagnostic; the hint names `defaults`."""
    text = meters(SOUND).replace("- {", "- &base {") + "  - {<<: *base, event_name: b}\n"
    assert found(tmp_path, m=text) == [("Y007", 4, 6)]


def test_a_file_of_nothing_but_mistakes_is_cut_short(tmp_path):
    """A thousand are named; the list ends by saying so."""
    for entry in ("x: 1", "evnt_name: a, display_nam: b"):
        codes = [code for code, *_ in found(tmp_path, m=meters(*[entry] * 2000))]
        assert 500 < len(codes) <= 1001
        assert "C028" in codes
