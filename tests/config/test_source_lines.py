"""Every diagnostic of a file has its source line, unless the line may hold a secret."""

import pytest
from config.loading import METERS, diagnose


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
    """For errors of the schema, the parser and the encoding."""
    assert {one.code: one.source for one in diagnose(tmp_path, {"m.yaml": text})}[code] == source


def test_diagnostics_across_files_have_their_line(tmp_path):
    """For a duplicate event_name and a pattern without a match; a folder has no line."""
    assert [(one.code, one.source) for one in diagnose(tmp_path)] == [("C002", None)]
    project = "version: 1\nmeters: [a.yaml, b.yaml, c.yaml]\n"
    files = {"a.yaml": METERS, "b.yaml": METERS, "reconciler.yaml": project}
    found = {one.code: one.source for one in diagnose(tmp_path, files)}
    assert found == {"C015": METERS.splitlines()[2], "C006": project.splitlines()[1]}


@pytest.mark.parametrize("secret", ["sk_live_51Habc", "sk_abc123", "rk_abc123", "whsec_abc123"])
@pytest.mark.parametrize("line", ["accounts: {x: {api_key: %s}}", "accounts: 7 # %s"])
def test_a_line_that_may_hold_a_secret_is_not_shown(tmp_path, secret, line):
    """Neither for the key itself nor for another error on the same line."""
    project = f"version: 1\n{line % secret}\n"
    found = diagnose(tmp_path, {"m.yaml": METERS, "reconciler.yaml": project})
    assert {one.source for one in found} == {None}
