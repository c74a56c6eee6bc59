"""Everything a user can write is documented: every key of the files, every option of a command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tables import described, expect

from reconciler.cli.arguments import Options, Parser
from reconciler.cli.commands import COMMANDS, find_command
from reconciler.config.schema import read_schema
from reconciler.diagnostics.catalogue import CATALOGUE
from reconciler.render import FORMATS

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


def tables_of_options(name: str) -> Iterator[str]:
    """Yield the help of a command and the table of the options that are its own."""
    command = find_command([name])
    shared = {action.dest for action in Parser("", "", Options, ()).list_actions()}
    parser = Parser(name, command.about, command.options, command.formats)
    rows = [action for action in parser.list_actions() if action.dest not in shared]
    yield from ("", f"### {name}", "", command.about)
    if rows:
        yield from ("", "| option | meaning |", "|---|---|", *map(option_row, rows))


def option_row(action: argparse.Action) -> str:
    value = action.metavar or "\\|".join(action.choices or ())
    words = " ".join(filter(None, ["/".join(action.option_strings), value]))
    meaning = str(action.help).replace("|", "\\|")
    return f"| `{words}` | {meaning} |".replace("'*'", "`'*'`").replace("'ai_*'", "`'ai_*'`")


def test_the_tables_of_options_are_those_of_the_parser(golden):
    every = (
        option_row(action) for action in Parser("", "", Options, tuple(FORMATS)).list_actions()
    )
    head = ["", "Of every command:", "", "| option | meaning |", "|---|---|", *every]
    lines = [*head, *(line for name in COMMANDS for line in tables_of_options(name)), "", ""]
    expect("commands", "\n".join(lines), golden, ROOT / "docs/reference/commands.md")


def tables_of_keys(name: str, file: str) -> Iterator[str]:
    """Yield the tables of the objects of a schema."""
    schema = read_schema(name)
    yield from ("", f"## {file}")
    objects = {"top level": schema, **schema["$defs"]}
    for title, each in objects.items():
        found = each.get("items", each)
        if "properties" in found and title != "override":  # which has the keys of a meter
            described_as = {"description": each.get("description", ""), **found}
            yield from described(title, described_as, schema["$defs"])


def test_the_tables_of_files_are_the_schemas(golden):
    files = {"meters": "Meter files", "project": "The project file"}
    lines = [line for name, file in files.items() for line in tables_of_keys(name, file)]
    expect("files", "\n".join([*lines, "", ""]), golden, ROOT / "docs/reference/files.md")


def test_the_messages_of_the_incidents_are_those_of_the_catalogue():
    page = (ROOT / "docs/how-to/handle-an-incident.md").read_text("utf-8")
    shown = dict(re.findall(r"^\| ([A-Z]\d{3}) \| ([^|]+) \|", page, re.M))
    assert len(shown) > 30
    assert shown == {code: CATALOGUE[code].title for code in shown}


def test_the_pages_name_existing_codes_only():
    """Also in running text, as in (P108)."""
    for page in (ROOT / "docs").rglob("*.md"):
        named = set(re.findall(r"\(([A-Z]\d{3})(?:, ([A-Z]\d{3}))?\)", page.read_text("utf-8")))
        assert {code for pair in named for code in pair if code} <= set(CATALOGUE), page.name
