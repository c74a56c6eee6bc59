"""Whatever the files contain, the result is a project or a ConfigError."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from config import loading
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.config import load
from reconciler.config.schema import read_schema
from reconciler.diagnostics.diagnostic import Level
from reconciler.diagnostics.errors import ConfigError


def keys(node: Any) -> Iterator[str]:
    """List every key of a schema, at all levels."""
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
WORDS = ["version: 1\n", "meters:", "accounts:", "event_name: ", "on", "0o7", "\\ud800"]
PIECES = st.sampled_from([*SIGNS, *WORDS, "&a ", "*a", "<<: ", "!!str ", "!x ", "%YAML 1.2\n"])


def check(**files: bytes) -> None:
    """Load a folder with these files; every error has a location in one of them."""
    with tempfile.TemporaryDirectory() as name:
        loading.write(Path(name), {f"{file}.yaml": data for file, data in files.items()})
        try:
            diagnostics = load(name).diagnostics
        except ConfigError as error:
            diagnostics = error.diagnostics
            assert any(one.level is Level.ERROR for one in diagnostics)
        else:
            assert not any(one.level is Level.ERROR for one in diagnostics)
        for diagnostic in diagnostics:
            str(diagnostic).encode()
            assert diagnostic.location
            assert diagnostic.location.file.startswith(name)


@given(st.binary(max_size=200), st.binary(max_size=200))
@example(b"\xff\xfe", b"\xef\xbb\xbf")
def test_any_bytes(project, meters):
    check(reconciler=project)
    check(m=meters)


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["m", "reconciler"]))
def test_any_text_of_yaml_syntax(text, name):
    check(**{name: text.encode("utf-8", "surrogatepass")})


FILES = {
    "meters": {"meters": TREES, "defaults": TREES},
    "project": {
        "meters": TREES,
        "accounts": st.dictionaries(KEYS, TREES, max_size=3),
        "policy": TREES,
    },
}


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
def test_any_structure(kind: str, data: st.DataObject):
    """Known keys in wrong places, wrong types, unknown keys."""
    known = st.fixed_dictionaries({"version": st.just(1)}, optional=FILES[kind])
    text = yaml.safe_dump(data.draw(TREES | known), allow_unicode=True).encode("utf-8", "replace")
    files = {"m": b"version: 1\nmeters: []\n"} | {"m" if kind == "meters" else "reconciler": text}
    check(**files)
