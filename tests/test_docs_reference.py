"""Everything a user can write is documented: every key of the files, every option of a command."""

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
    *(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md")),
]


def keys(node: Any) -> Iterator[str]:
    """Yield every key of a schema, on every level."""
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


@pytest.mark.parametrize("name", ["meters", "project"])
def test_every_key_of_the_files_is_documented(name):
    """On the page on configuration, in an example or by name."""
    page = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
    found = set(keys(read_schema(name)))
    assert "version" in found
    written = set(re.findall(r"(?:^|[ {`-])([a-z_]+)(?::|`)", page, re.M))
    assert not found - written


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command, run):
    """In the README or on a page of the site."""
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", run(command, "--help").out))
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(LINKED)))
    assert "--format" in options
    assert not options - documented - {"-h", "--help"}
