"""An API key in a file is an error of its own, and is never repeated."""

import pytest
from config.loading import diagnose, places

SECRET = "51Habc" + "DEF" * 6
METERS = "version: 1\nmeters:\n  - {event_name: a, display_name: A, %s}\n"
SUM = "default_aggregation: {formula: sum}"


def check(folder, **files: str) -> list[tuple[str, int, int]]:
    """Return the places of the diagnostics, which must not contain the secret."""
    written = {
        f"{name}.yaml": text.encode("utf-8", "surrogateescape") for name, text in files.items()
    }
    found = diagnose(folder, {"m.yaml": METERS % SUM} | written)
    assert SECRET not in "".join(map(str, found)) + repr(found)
    return places(folder)


@pytest.mark.parametrize(
    "prefix", ["sk_live", "sk_test", "rk_live", "rk_test", "sk_org", "sk_org_live"]
)
@pytest.mark.parametrize("key", ["api_key_env", "api_key"])
def test_a_key_in_the_project_file(tmp_path, prefix, key):
    """As the name of its variable, or under a key that does not exist: one error."""
    project = f"version: 1\naccounts:\n  x:\n    {key}: {prefix}_{SECRET}\n"
    assert check(tmp_path, reconciler=project) == [("C016", 4, 7 + len(key))]


@pytest.mark.parametrize("key", ["sk_abc123", "rk_" + SECRET])
def test_a_key_of_an_unknown_kind_is_not_the_name_of_a_variable(tmp_path, key):
    project = f"version: 1\naccounts: {{x: {{api_key_env: {key}}}}}\n"
    assert check(tmp_path, reconciler=project) == [("C016", 2, 29)]


TEXTS = {
    "comment": (METERS % SUM + f"# rk_live_{SECRET}\n", [("C016", 4, 3)]),
    "broken file": (f"a: [\n# sk_test_{SECRET}\n", [("C016", 2, 3), ("Y003", 2, 35)]),
    "unknown key": (METERS % f"{SUM}, sk_live_{SECRET}: 1", [("C016", 3, 75)]),
    "unknown value": (METERS % f"default_aggregation: {{formula: sk_live_{SECRET}}}", None),
    "event_name": ((METERS % SUM).replace("e: a", f"e: sk_live_{SECRET}"), [("C016", 3, 18)]),
    "two declarations": (
        (METERS % SUM + METERS.splitlines()[2] % SUM).replace("e: a", f"e: sk_live_{SECRET}"),
        None,
    ),
    "not a list": (METERS % f"{SUM}, retires: sk_live_{SECRET}", None),
    "not quoted": (METERS % f"{SUM}, display_name: ~, status: rk_test_{SECRET}", None),
    "not utf-8": (f"# sk_live_{SECRET}\n# \udcff\n", None),
    "duplicate key": (f"sk_live_{SECRET}: 1\nsk_live_{SECRET}: 2\nversion: 1\n", None),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_key_anywhere_in_a_file(tmp_path, text, expected):
    """In comments, names and broken files."""
    found = check(tmp_path, m=text)
    assert "C016" in [code for code, *_ in found]
    assert expected is None or found == expected


def test_a_key_in_the_name_of_a_folder(tmp_path):
    """A hint would otherwise repeat it, in a command that can be copied."""
    inner = tmp_path / f"sk_live_{SECRET}"
    inner.mkdir()
    (inner / "reconciler.yaml").write_text("version: 1\naccounts: {a: {api_key_env: A}}\n")
    found = diagnose(tmp_path, {"m.yaml": METERS % SUM})
    assert found
    assert SECRET not in "".join(each.message + each.hint for each in found)


@pytest.mark.parametrize("name", ["risk_test_calls", "task_live_jobs", "sk_calls", "disk_org_gb"])
def test_names_that_only_look_like_a_key(tmp_path, name):
    assert check(tmp_path, m=(METERS % SUM).replace("e: a", f"e: {name}")) == []


def test_a_file_full_of_keys_is_reported_quickly(tmp_path):
    """Up to a limit of 100."""
    found = check(tmp_path, m=f"# sk_live_{SECRET}\n" * 100_000)
    assert [code for code, *_ in found] == ["C016"] * 100 + ["Y004"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_takes_no_column(tmp_path, mark):
    """Editors do not show it."""
    text = f"{mark}# sk_live_{SECRET}\n{METERS % SUM}"
    assert check(tmp_path, m=text)[0] == ("C016", 1, 3)
