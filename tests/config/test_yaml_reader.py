"""Read YAML with libyaml and with the parser in Python: same values, same errors."""

import pytest
import yaml

from reconciler.config.yaml import reader
from reconciler.diagnostics.errors import ConfigError


@pytest.fixture(params=["libyaml", "pure"])
def _reader(request, monkeypatch):
    """Both parsers; PyYAML may be built without libyaml."""
    if request.param == "libyaml":
        assert reader._Loader is yaml.CSafeLoader
    else:
        monkeypatch.setattr(reader, "_Loader", yaml.SafeLoader)


def errors(text: str | bytes) -> list[tuple[str, int, int]]:
    try:
        diagnostics = reader.read(
            text if isinstance(text, bytes) else text.encode(), "m.yaml"
        ).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return [(p.code, p.location.line, p.location.column) for p in diagnostics]


LAUGHS = "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

UNREADABLE = {
    "empty": ("", ("Y004", 1, 1)),
    "comments only": ("# nothing\n", ("Y004", 2, 1)),
    "an empty document": ("---\n", ("Y004", 2, 1)),
    "latin-1": (b"a: 1\nb: caf\xe9\n", ("Y001", 2, 7)),
    "utf-16": ("a: 1".encode("utf-16"), ("Y001", 1, 1)),
    "encoded surrogate": (b"a: \xed\xa0\x80", ("Y001", 1, 4)),
    "NUL": ("a: x\0y", ("Y002", 1, 5)),
    "bell in a comment": ("a: 1 # \a", ("Y002", 1, 8)),
    "right-to-left override": ("a: 1\r\nb: é\u202e", ("Y002", 2, 5)),
    "line separator": ("a: x\u2028y", ("Y002", 1, 5)),
    "after an empty line": ("\na: x\u2028y", ("Y002", 2, 5)),
    "after an empty line of old Macs": ("\ra: x\u2028y", ("Y002", 2, 5)),
    "mark inside": ("a: \ufeff", ("Y002", 1, 4)),
    "directive": ("# c\n%YAML 1.2\n---\na: 1\n", ("Y015", 2, 1)),
    "tab": ("a:\n\tb: 1\n", ("Y003", 2, 1)),
    "two colons": ("a: b: c", ("Y003", 1, 5)),
    "open bracket": ("a: [1,\n", ("Y003", 1, 7)),
    "open quote": ("a: 1\nb: 'x\n\n", ("Y003", 2, 4)),
    "reserved sign": ("a: @x", ("Y003", 1, 4)),
    "wrong indentation": ("a:\n  - 1\n b: 2\n", ("Y003", 3, 2)),
    "undefined alias": ("a: *b", ("Y009", 1, 4)),
    "alias of itself": ("a: &a [1, *a]", ("Y009", 1, 11)),
    "alias of what is no more": ("a: &a 1\nb: &a [*a]", ("Y009", 2, 8)),
    "too deep": ("[" * 900, ("Y011", 1, 66)),
    "too deep in blocks": ("- " * 100_000, ("Y011", 1, 131)),
    "billion laughs": (f"a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n{LAUGHS}", ("Y010", 5, 40)),
    "too large": (b"# " + b"x" * 10_000_000, ("Y013", 0, 0)),
}


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("text", "error"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_parsed_is_one_error(text, error):
    """The columns of the two parsers may differ."""
    code, line, _ = error
    assert [(c, ln) for c, ln, _ in errors(text)] == [(code, line)]
    if reader._Loader is yaml.CSafeLoader:
        assert errors(text) == [error]


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 2_000, "- " * 100_000, "? " * 2_000])
def test_the_limit_of_libyaml_is_reported_as_ours(text):
    """The column depends on the version of libyaml."""
    with pytest.raises(ConfigError) as caught:
        reader.read(text.encode(), "m.yaml")
    diagnostic = caught.value.diagnostics[-1]
    assert (diagnostic.code, diagnostic.message) == ("Y011", "nested more than 64 levels deep")
    assert diagnostic.hint == "flatten the structure"
    assert diagnostic.location.line == 1


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\UFFFFFFFF", "\\U00110000"])
def test_an_escape_of_no_character_is_rejected(escape):
    (fault,) = errors(f'a: "{escape}"')
    assert fault[0] in ("Y002", "Y003")


READABLE = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", [("Y006", 3, 1)]),
    "nested duplicate": ("a: {b: 1, b: 2, b: 3}", [("Y006", 1, 11), ("Y006", 1, 17)]),
    "merge key": ("a: &a {x: 1}\nb: {<<: *a, x: 2}", [("Y007", 2, 5)]),
    "list as key": ("? [a, on]\n: 1\n", [("Y014", 1, 3)]),
    "mapping as key": ("{a: 1}: {a: 1}\n", [("Y014", 1, 1)]),
    "alias as key": ("a: &a x\n*a : 1\n", [("Y014", 2, 1)]),
    "tag": ("a: !!python/object/apply:os.system [x]", [("Y008", 1, 4)]),
    "tag on a key": ("!!str a: 1", [("Y008", 1, 1)]),
    "second document": ("a: 1\n---\nb: [", [("Y005", 2, 1)]),
    "CRLF": ("a: 1\r\nb:\r\n  - x\r\na: 2\r\n", [("Y006", 4, 1)]),
    "byte order mark": ("\ufeffa: 1\na: 2", [("Y006", 2, 1)]),
    "wide characters": ("{é: 1, 👩: 2, é: 3}", [("Y006", 1, 14)]),
    "quoted merge": ("'<<': 1", []),
}


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("text", "expected"), READABLE.values(), ids=READABLE)
def test_errors_that_do_not_stop_the_parser(text, expected):
    """The rest of the file is read."""
    assert errors(text) == expected


@pytest.mark.usefixtures("_reader")
def test_locations():
    """Counted from 1, the end exclusive; a block ends with its last entry."""
    text = "a: {b: [1, 'x y']}\n\nc:\n  - d: on  # no\n    e:\n\n# end\nf: |\n  x\n"
    document = reader.read(text.encode(), "m")
    spans = {
        path: (location.line, location.column, location.end_line, location.end_column)
        for path in document.places
        for location in [document.locate(path)]
    }
    assert spans == {
        (): (1, 1, 10, 1),
        ("a",): (1, 4, 1, 19),
        ("a", "b"): (1, 8, 1, 18),
        ("a", "b", 0): (1, 9, 1, 10),
        ("a", "b", 1): (1, 12, 1, 17),
        ("c",): (4, 3, 5, 7),
        ("c", 0): (4, 5, 5, 7),
        ("c", 0, "d"): (4, 8, 4, 10),
        ("c", 0, "e"): (5, 7, 5, 7),
        ("f",): (8, 4, 10, 1),
    }
    # What is not in the file is located at what is around it.
    assert document.locate(("c", 0, "none")) == document.locate(("c", 0))
    assert document.locate(("a", "b", 7)) == document.locate(("a", "b"))
    assert document.words == {("a", "b", 0): "1", ("c", 0, "d"): "on", ("c", 0, "e"): ""}
    assert document.value == {"a": {"b": [1, "x y"]}, "c": [{"d": "on", "e": None}], "f": "x\n"}


def test_values_inside_an_alias_are_located_at_the_anchor():
    document = reader.read(b"a: &a {x: [1]}\nb: [*a, *a]\n", "m")
    assert document.value["b"] == [{"x": [1]}, {"x": [1]}]
    assert str(document.locate(("b", 1))) == "m:2:9"
    assert str(document.locate(("b", 1, "x", 0))) == "m:1:12"
    assert str(document.locate_key(("b", 1, "x"))) == "m:1:8"


@pytest.mark.usefixtures("_reader")
def test_too_many_values_are_rejected(monkeypatch):
    monkeypatch.setattr(reader, "MAX_VALUES", 100)
    assert errors("[" + "1," * 98 + "1]") == []
    assert errors("[" + "1," * 100 + "1]") == [("Y012", 1, 200)]


def test_a_thousand_errors_end_the_parsing():
    codes = [code for code, *_ in errors("a: 1\n" * 5000)]
    assert codes == ["Y006"] * 1000 + ["C028"]
