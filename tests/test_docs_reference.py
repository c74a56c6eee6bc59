"""Nothing that a user can write is left out: every key of the files, every option of every verb."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.commands import COMMANDS
from reconciler.config.schema import read_schema

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
LINKED = [
    README,
    *((ROOT / name).read_text("utf-8") for name in re.findall(r"docs/\w+\.md", README)),
]


def keys(node: Any) -> Iterator[str]:
    """Every key that a schema knows, on every level."""
    if isinstance(node, dict):
        found = node.get("properties", {})
        yield from found
        for below in (
            *found.values(),
            *(value for key, value in node.items() if key != "examples"),
        ):
            yield from keys(below)
    elif isinstance(node, list):
        for below in node:
            yield from keys(below)


def reference() -> str:
    """The part of the README on the files."""
    return README[README.index("## Meter files") : README.index("## Commands")]


@pytest.mark.parametrize("name", ["meters", "project"])
def test_every_key_of_the_files_is_in_the_readme(name):
    """In an example, or by name in the text beside it."""
    found = set(keys(read_schema(name)))
    assert "version" in found
    written = set(re.findall(r"(?:^|[ {`-])([a-z_]+)(?::|`)", reference(), re.M))
    assert not found - written


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command, run):
    """In the README or on a page that it links to."""
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", run(command, "--help").out))
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(LINKED)))
    assert "--format" in options
    assert not options - documented - {"-h", "--help"}
