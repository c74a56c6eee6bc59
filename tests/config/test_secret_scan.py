"""An API key in a file is an error of its own, and is never repeated."""

import pytest

from reconciler.config import load
from reconciler.diagnostics.errors import ConfigError

SECRET = "51Habc" + "DEF" * 6
METERS = "version: 1\nmeters:\n  - {event_name: a, display_name: A, %s}\n"
SUM = "default_aggregation: {formula: sum}"


def diagnostics(folder, project: str | None = None, meters: str = METERS % SUM):
    (folder / "m.yaml").write_text(meters)
    if project is not None:
        (folder / "reconciler.yaml").write_text(project)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.diagnostics)
    return [(p.code, p.location.line, p.location.column) for p in caught.value.diagnostics]


@pytest.mark.parametrize(
    "prefix", ["sk_live", "sk_test", "rk_live", "rk_test", "sk_org", "sk_org_live"]
)
@pytest.mark.parametrize("key", ["api_key_env", "api_key"])
def test_a_key_in_the_project_file(tmp_path, prefix, key):
    """Where the name of its variable is wanted, or under a key that does not exist: one error."""
    project = f"version: 1\naccounts:\n  x:\n    {key}: {prefix}_{SECRET}\n"
    assert diagnostics(tmp_path, project) == [("C016", 4, 7 + len(key))]


@pytest.mark.parametrize("key", ["sk_abc123", "rk_" + SECRET])
def test_what_looks_like_a_key_is_no_name_of_a_variable(tmp_path, key):
    """Keys of a kind we have not seen are not repeated either."""
    project = f"version: 1\naccounts: {{x: {{api_key_env: {key}}}}}\n"
    assert diagnostics(tmp_path, project) == [("C016", 2, 29)]


TEXTS = {
    "comment": (METERS % SUM + f"# rk_live_{SECRET}\n", [("C016", 4, 3)]),
    "broken file": (f"a: [\n# sk_test_{SECRET}\n", [("C016", 2, 3), ("Y003", 2, 35)]),
    "unknown key": (METERS % f"{SUM}, sk_live_{SECRET}: 1", [("C016", 3, 75)]),
    "unknown value": (METERS % f"default_aggregation: {{formula: sk_live_{SECRET}}}", None),
    "event_name": ((METERS % SUM).replace("e: a", f"e: sk_live_{SECRET}"), [("C016", 3, 18)]),
    "not utf-8": (f"# sk_live_{SECRET}\n# \udcff\n", None),
    "duplicate key": (f"sk_live_{SECRET}: 1\nsk_live_{SECRET}: 2\nversion: 1\n", None),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_key_anywhere_in_a_file(tmp_path, text, expected):
    """In comments, names and broken files: whoever reads the file has it."""
    (tmp_path / "m.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert SECRET not in str(caught.value) + repr(caught.value.diagnostics)
    found = [(p.code, p.location.line, p.location.column) for p in caught.value.diagnostics]
    assert "C016" in [code for code, *_ in found]
    assert expected is None or found == expected


@pytest.mark.parametrize("name", ["risk_test_calls", "task_live_jobs", "sk_calls", "disk_org_gb"])
def test_names_that_only_look_like_it(tmp_path, name):
    """A word that happens to end in `sk` is none, nor is one without a mode."""
    (tmp_path / "m.yaml").write_text((METERS % SUM).replace("e: a", f"e: {name}"))
    assert load(tmp_path).diagnostics == ()


def test_a_file_full_of_keys_is_reported_in_no_time(tmp_path):
    """A hundred are enough to know."""
    found = diagnostics(tmp_path, meters=f"# sk_live_{SECRET}\n" * 100_000)
    assert [code for code, *_ in found] == ["C016"] * 100 + ["Y004"]
