"""Whatever is in the files: a project or a ConfigError, never anything else."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.config import load
from reconciler.config.schema import read_schema
from reconciler.diagnostics.diagnostic import Diagnostic, Level
from reconciler.diagnostics.errors import ConfigError
from reconciler.model.project import Project


def keys(node: Any) -> Iterator[str]:
    """Every key that a schema knows, at whatever level."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from keys(inner)


KEYS = st.sampled_from(sorted({*keys(read_schema("meters")), *keys(read_schema("project")), "x"}))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
    | KEYS
    | st.sampled_from(["sum", "by_id", "hour", "deactivate", "24h", "../x", "**", "https://x", "."])
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            KEYS | SCALARS.filter(lambda s: not isinstance(s, bytes)), inner, max_size=5
        )
    ),
    max_leaves=25,
)
SIGNS = [*"|:{}[],'\"#`@~?>- \n\t\x00\ufeff\u2028é👩a", "\r\n", "  ", "- ", ": ", "---\n", "...\n"]
WORDS = [
    "version: 1\n",
    "meters:",
    "accounts:",
    "event_name: ",
    "on",
    "0o7",
    "\\ud800",
    "%YAML 1.2\n",
]
PIECES = st.sampled_from([*SIGNS, *WORDS, "&a ", "*a", "<<: ", "!!str ", "!x "])


def check(**files: bytes) -> None:
    """Loads a folder with these files; every error has a place in one of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / f"{file}.yaml").write_bytes(data)
        diagnostics, project = result(folder)
        assert (project is None) == any(
            diagnostic.level is Level.ERROR for diagnostic in diagnostics
        )
        for diagnostic in diagnostics:
            str(diagnostic).encode()
            assert diagnostic.location
            assert diagnostic.location.file.startswith(name)


def result(folder: Path) -> tuple[tuple[Diagnostic, ...], Project | None]:
    """The problems of a folder, and its project if there is one."""
    try:
        project = load(folder)
    except ConfigError as error:
        return error.diagnostics, None
    return project.diagnostics, project


@given(st.binary(max_size=200), st.binary(max_size=200))
@example(b"\xff\xfe", b"\xef\xbb\xbf")
def test_any_bytes(project, meters):
    """Not UTF-8, not YAML, not anything."""
    check(reconciler=project)
    check(m=meters)


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["m", "reconciler"]))
def test_any_text_that_is_made_of_yaml(text, name):
    """Every sign that means something to YAML, in any order."""
    check(**{name: text.encode("utf-8", "surrogatepass")})


@given(
    TREES
    | st.fixed_dictionaries({"version": st.just(1)}, optional={"meters": TREES, "defaults": TREES})
)
def test_any_structure_as_a_meter_file(tree: Any):
    """Right keys in wrong places, wrong types, odd keys."""
    check(m=yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@given(
    TREES
    | st.fixed_dictionaries(
        {"version": st.just(1)},
        optional={
            "meters": TREES,
            "accounts": st.dictionaries(KEYS, TREES, max_size=3),
            "policy": TREES,
        },
    )
)
def test_any_structure_as_a_project_file(tree: Any):
    """The same for accounts and policies."""
    meters = b"version: 1\nmeters: []\n"
    check(m=meters, reconciler=yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))
