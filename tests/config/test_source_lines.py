"""Every diagnostic of a file has its source line, unless the line may hold a secret."""

import pytest

from reconciler.config import load
from reconciler.diagnostics.errors import ConfigError

METERS = (
    "version: 1\nmeters: [{event_name: a, display_name: A, default_aggregation: {formula: sum}}]\n"
)


def sources(folder, **files: str | bytes) -> dict[str, str | None]:
    """The source line of each diagnostic, by code."""
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.yaml").write_bytes(data)
    try:
        diagnostics = load(folder).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return {diagnostic.code: diagnostic.source for diagnostic in diagnostics}


@pytest.mark.parametrize(
    ("text", "code", "source"),
    [
        ("version: 1\r\nmeters: 7\r\n", "C009", "meters: 7"),
        ("\ufeffversion: 2", "C008", "version: 2"),
        (b"a: 1\nb: caf\xe9\n", "Y001", "b: caf\ufffd"),
        ("a: 1 # \a", "Y002", "a: 1 # \a"),
        ("a: [1,\n", "Y003", "a: [1,"),
        ("version: 1\nmeters: []\nmeters: []\n", "Y006", "meters: []"),
    ],
)
def test_the_line_is_as_it_is_in_the_file(tmp_path, text, code, source):
    """Of errors of the schema, the parser and the encoding."""
    assert sources(tmp_path, m=text)[code] == source


def test_diagnostics_across_files_have_their_line(tmp_path):
    """Of an event_name declared twice, and of a pattern without a match."""
    project = "version: 1\nmeters: [a.yaml, b.yaml, c.yaml]\n"
    found = sources(tmp_path, a=METERS, b=METERS, reconciler=project)
    assert found == {"C015": METERS.splitlines()[1], "C006": project.splitlines()[1]}


def test_without_a_line_there_is_no_source(tmp_path):
    """The location is a folder."""
    assert sources(tmp_path) == {"C002": None}


@pytest.mark.parametrize("secret", ["sk_live_51Habc", "sk_abc123", "rk_abc123", "whsec_abc123"])
def test_a_line_that_may_hold_a_secret_is_not_shown(tmp_path, secret):
    """Neither for the key itself nor for another error on the same line."""
    for text in (f"accounts: {{x: {{api_key: {secret}}}}}", f"accounts: 7 # {secret}"):
        found = sources(tmp_path, m=METERS, reconciler=f"version: 1\n{text}\n")
        assert found
        assert set(found.values()) == {None}
