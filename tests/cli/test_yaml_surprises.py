"""What YAML, an editor or git does to a file unseen: named for what it is, where it begins."""

from __future__ import annotations

import json
import unicodedata

import pytest
from cli.world import existing

COMPOSED = "Café"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
SUM = "default_aggregation: {formula: sum}"


@pytest.fixture
def check(run, tmp_path):
    """`check(text)`: code, place and message of every diagnostic, and the hints."""

    def validate(text: str | bytes, name: str = "m.yaml") -> list[tuple[str, str, str, str]]:
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(data)
        ran = run("validate", tmp_path / name, "--format", "json")
        found = json.loads(ran.out)["diagnostics"]
        assert ran.code == any(one["level"] == "error" for one in found)
        return [
            (
                one["code"],
                f"{one['location']['line']}:{one['location']['column']}",
                one["message"],
                one["hint"],
            )
            for one in found
        ]

    return validate


def meters(*entries: str) -> str:
    """A meter file with these entries in block style."""
    return "version: 1\nmeters:\n" + "".join(f"  - {entry}\n" for entry in entries)


def named(display_name: str, event_name: str = "a") -> str:
    return f"event_name: {event_name}\n    display_name: {display_name}\n    {SUM}"


@pytest.mark.parametrize(
    ("value", "comment", "kept"),
    [
        ("Tier #1", "#1", "Tier"),
        ("Tier\t#1 and more", "#1 and more", "Tier"),
        ("Größe 😀  #1", "#1", "Größe 😀"),
        ("two\n      lines #3", "#3", "two lines"),
    ],
)
def test_a_number_sign_that_cuts_a_value_off(check, value, comment, kept):
    """An error at the `#`; in quotes, the value is whole."""
    ((code, _, message, hint),) = check(meters(named(value)))
    assert code == "Y017"
    assert message == f"`{comment}` is a comment, so the value is only `{kept}`"
    assert hint.startswith("quote the whole text")
    assert check(meters(named(json.dumps(" ".join(value.split()))))) == []


def test_the_place_of_the_number_sign(check):
    assert [found[:2] for found in check(meters(named("Tier #1")))] == [("Y017", "4:24")]
    flow = f"version: 1\r\nmeters: [{{event_name: a #1\r\n, display_name: A, {SUM}}}]"
    assert [found[:2] for found in check(flow)] == [("Y017", "2:25")]


@pytest.mark.parametrize(
    "value",
    [
        "Tier # comment",
        "Tier #",
        "Tier ## comment",
        "Tier#1",
        '"Tier" #1',
        "Tier\n    #1",
        "|-\n      T #1",
    ],
)
def test_a_comment_is_a_comment(check, value):
    """And a `#` inside a word or a block scalar is text."""
    assert check(meters(named(value))) == []


def test_a_number_sign_in_the_project_file(run, tmp_path):
    """The same reader, and the same error."""
    (tmp_path / "reconciler.yaml").write_text(
        "version: 1\naccounts:\n  a:\n    api_key_env: KEY #2\n"
    )
    (tmp_path / "m.yaml").write_text("version: 1\nmeters: []\n")
    ran = run("validate", tmp_path, "--format", "json")
    assert [one["code"] for one in json.loads(ran.out)["diagnostics"]] == ["Y017"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("api_calls", "API-calls"), ("api.calls", "api_calls"), (COMPOSED, DECOMPOSED)],
)
def test_names_that_look_identical(check, one, other):
    """A warning at the second, which names the place of the first."""
    warnings = check(meters(named("A", one), named("B", other)))
    ((code, place, message, _),) = [found for found in warnings if found[0] == "C033"]
    assert (code, place) == ("C033", "6:17")
    assert f"looks like `{one}`" in message
    assert message.endswith("m.yaml:3:17")


def test_names_that_look_identical_in_two_files(run, tmp_path):
    """Unless one of them is declared inactive, as after a rename."""
    (tmp_path / "a.yaml").write_text(meters(named("A", "api_calls")))
    (tmp_path / "b.yaml").write_text(meters(named("B", "api-calls")))
    (warning,) = json.loads(run("validate", tmp_path, "--format", "json").out)["diagnostics"]
    assert (warning["code"], warning["event_name"]) == ("C033", "api-calls")
    assert "a.yaml:3:17" in warning["message"]
    (tmp_path / "a.yaml").write_text(meters(f"status: inactive\n    {named('A', 'api_calls')}"))
    assert json.loads(run("validate", tmp_path, "--format", "json").out)["diagnostics"] == []


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github"])
def test_displayed_values_that_look_identical(world, run, name):
    """An update and a drift finding show the code points that differ."""
    made = world(
        f"{{event_name: menus, display_name: {COMPOSED}, default_aggregation: {{formula: count}}}}",
        {"meters": [existing("menus", DECOMPOSED)]},
    )
    for command in ("plan", "drift"):
        ran = run(command, made.folder, "--format", name)
        assert "U+0065 U+0301" in ran.out.replace("&#43;", "+")
        assert "U+00E9" in ran.out.replace("&#43;", "+")


def test_settings_and_event_names_that_look_identical(world, run):
    """In a blocked change, and where one event_name looks like a rename of another."""
    made = world(
        "{event_name: menus, display_name: Menus, default_aggregation: {formula: count}, "
        f"value_settings: {{event_payload_key: {COMPOSED}}}}}",
        {"meters": [existing("menus", "Menus", value_settings={"event_payload_key": DECOMPOSED})]},
    )
    for command in ("plan", "drift"):
        diagnostics = json.dumps(json.loads(run(command, made.folder, "--format", "json").out))
        assert "(U+0065 U+0301)" in diagnostics
        assert "(U+00E9)" in diagnostics
    made = world(
        f"{{event_name: {COMPOSED}, display_name: M, default_aggregation: {{formula: count}}}}",
        {"meters": [existing(DECOMPOSED, "M")]},
    )
    assert "(U+0065 U+0301)" in run("plan", made.folder).out


@pytest.mark.parametrize(
    ("declared", "undeclared", "points"),
    [("menus", "Menus", ""), ("menu_s", "menu-s", ""), (COMPOSED, DECOMPOSED, " (U+00E9)")],
)
def test_a_missing_meter_whose_name_looks_like_an_undeclared_one(
    world, run, declared, undeclared, points
):
    """With other settings, so not as a rename; the warning has the place of the declaration."""
    made = world(
        f"{{event_name: {declared}, display_name: M, default_aggregation: {{formula: sum}}}}",
        {"meters": [existing(undeclared, "Other", id="mtr_1")]},
    )
    for command in ("plan", "drift"):
        (account,) = json.loads(run(command, made.folder, "--format", "json").out)["accounts"]
        (found,) = [one for one in account["diagnostics"] if one["code"] == "C033"]
        assert found["message"].startswith(f"{declared!r}{points} looks like {undeclared!r}")
        assert found["message"].endswith("which no file declares (mtr_1)")
        assert (found["event_name"], found["location"]["line"]) == (declared, 3)


def test_names_that_differ_and_names_that_are_declared_are_no_lookalikes(world, run):
    """Nor is an inactive meter one: it has no usage to lose."""
    made = world(
        "{event_name: menus, display_name: M, default_aggregation: {formula: sum}}\n"
        "{event_name: MENUS, display_name: Old, default_aggregation: {formula: sum}, "
        "status: inactive}",
        {
            "meters": [
                existing("menu", "Other"),
                existing("MENUS", "Old", "sum"),
                existing("Menus", "Old", status="inactive"),
            ]
        },
    )
    for command in ("plan", "drift"):
        assert "C033" not in run(command, made.folder, "--format", "json").out


def test_values_that_the_eye_can_tell_apart_have_no_code_points(world, run):
    made = world(
        "{event_name: menus, display_name: café, default_aggregation: {formula: count}}",
        {"meters": [existing("menus", DECOMPOSED)]},
    )
    assert "U+" not in run("plan", made.folder).out


def test_json_with_surrogate_pairs(world, run):
    """Written as JSON does, a name is the same text as in YAML; places do not move."""
    entry = existing("smiles", "Smiles 😀 and 🦊", "sum")
    made = world("", {"meters": [existing("smiles", "Smiles 😀 and 🦊", "sum")]})
    made.file("meters.yaml", json.dumps({"version": 1, "meters": [entry]}))
    assert "\\ud83d\\ude00" in (made.folder / "meters.yaml").read_text()
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (r'"\uD83D\uDE00"', "😀"),
        (r'"\\ud83d\\ude00"', r"\ud83d\ude00"),
        (r"'\ud83d\uDE00 \ud83d\ude01'", r"\ud83d\uDE00 \ud83d\ude01"),
        (r"a\ud83d\ude00", r"a\ud83d\ude00"),
        ("|-\n      \\ud83d\\ude00", r"\ud83d\ude00"),
    ],
)
def test_only_double_quotes_have_escapes(world, run, value, text):
    made = world("", {"meters": [existing("a", text, "sum")]})
    made.file("meters.yaml", meters(named(value)))
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_surrogate_pairs_in_keys_and_places_behind_them(check):
    before = '{"version": 1, "\\ud83d\\ude00": 1, "meters": [], '
    text = f'{before}"more": 2}}'
    assert [found[:3] for found in check(text)] == [
        ("C010", "1:16", "unknown key `😀`"),
        ("C010", f"1:{len(before) + 1}", "unknown key `more`"),
    ]


@pytest.mark.parametrize("value", [r'"\ud83d"', r'"\ud83d\u0041"', r'"\ude00\ud83d"'])
def test_half_a_surrogate_pair_is_an_error(check, value):
    ((code, place, message, _),) = check(meters(named(value)))
    assert (code, place.partition(":")[0]) == ("Y003", "4")
    assert message.startswith("invalid Unicode escape sequence")


@pytest.mark.parametrize("value", ["null", "~", ""])
@pytest.mark.parametrize("where", ["meter", "defaults"])
def test_null_is_the_default_time_window(world, run, value, where):
    """It is what the API returns, and in a meter it undoes the default of its file."""
    made = world("", {"meters": [existing("a", "A", "sum")]})
    head = "event_time_window: hour" if where == "meter" else f"event_time_window: {value}"
    entry = f"{named('A')}\n    event_time_window: {value}" if where == "meter" else named("A")
    made.file("meters.yaml", f"defaults:\n  {head}\n{meters(entry)}")
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


@pytest.mark.parametrize("word", ["'null'", "none"])
def test_a_word_for_no_time_window(check, word):
    ((code, _, _, hint),) = check(meters(f"{named('A')}\n    event_time_window: {word}"))
    assert code == "C012"
    assert "event_time_window" in hint
    assert "allow_unknown_values" not in hint


CONFLICT = """<<<<<<< HEAD
{ours}||||||| base
=======
{theirs}>>>>>>> feature/x
"""


@pytest.mark.parametrize("name", ["m.yaml", "reconciler.yaml"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_merge_conflict(check, name, end):
    """One error at the first marker, whatever YAML makes of the lines."""
    text = meters(named("A")) + CONFLICT.format(ours="  - a: 1\n", theirs="  - a: 2\n")
    found = check(text.replace("\n", end), name)
    assert [one[:2] for one in found] == [("Y018", "6:1")]
    assert "`<<<<<<< HEAD" in found[0][2]


def test_markers_inside_a_text_are_no_conflict(check):
    assert check(meters(named("|-\n      <<<<<<< HEAD"))) == []


def test_a_git_lfs_pointer(check):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    ((code, place, message, hint),) = check(pointer)
    assert (code, place) == ("Y019", "1:1")
    assert "Git LFS pointer" in message
    assert "git lfs pull" in hint


@pytest.mark.parametrize("indicator", ["|", ">", "|+", "|2"])
def test_the_final_line_break_of_a_block_scalar(check, indicator):
    """Named as such; the hint makes it valid."""
    text = meters(named(f"{indicator}\n      Calls"))
    ((code, place, message, hint),) = check(text)
    assert (code, place) == ("C014", "4:19")
    assert message == f"`display_name` ends with a line break, which `{indicator[0]}` keeps"
    assert hint == f"write `{indicator[0]}-` instead, or the text on one line"
    assert check(text.replace(f"{indicator}\n", f"{indicator[0]}-\n")) == []


def test_a_final_line_break_elsewhere(check):
    """In a word of a known set too; an escape in quotes is meant."""
    formula = "default_aggregation:\n      formula: |\n        sum"
    ((_, _, message, _),) = check(meters(named("A").replace(SUM, formula)))
    assert message == "`formula` ends with a line break, which `|` keeps"
    assert check(meters(named(r'"A\n"'))) == []
    ((_, _, message, _),) = check(meters(named("|\n      A\n      B")))
    assert "line break, which" not in message


UNCLOSED = {
    "the next value is quoted": (meters(named('"A', '"a"').replace(SUM, 'x: "y"')), "4:19"),
    "single quotes": (meters(named("'A", "a").replace(SUM, "x: 'y'")), "4:19"),
    "the next meter is quoted": (meters(named('"A'), named("B", '"b"')), "4:19"),
    "an empty text follows": (meters(named('"A').replace(SUM, 'x: ""')), "4:19"),
    "no other quote": (meters(named('"A')), "4:19"),
    "in a flow mapping": (
        'version: 1\nmeters:\n  - {event_name: "a, display_name: "A"}\n  - {event_name: "b"}\n',
        "3:18",
    ),
    "in JSON": ('{"version": 1,\n "meters": [{"event_name": "a,\n  "display_name": "A"}]}', "2:28"),
    "a key": ('{"version: 1,\n "meters": []}', "1:2"),
    "an apostrophe": (meters(named("'It's'")), "4:19"),
}


@pytest.mark.parametrize("kind", UNCLOSED)
def test_an_unclosed_quote_is_placed_where_it_opens(check, kind):
    text, place = UNCLOSED[kind]
    found = check(text)
    assert [one[:2] for one in found] == [("Y003", place)]
    assert f"the quote opened on line {place.partition(':')[0]} is" in found[0][2]
