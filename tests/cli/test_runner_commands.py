"""A name never becomes a command of the CI runner that reads the log."""

from __future__ import annotations

import json
import re

import pytest
from cli.world import existing

SHOUTS = (
    "##[error]shout",
    "##vso[task.setvariable variable=a]shout",
    "##teamcity[message text='shout']",
    "##\ufe0f[warning]shout",  # what .NET skips when it compares
    "::error::shout",
    "\u034f::stop-commands::shout",
)
NAMES = [*SHOUTS, " ".join(["::add-mask::shout"] * 5), "ends in ##"]  # wherever a line wraps
FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "codequality", "github")
_ANYWHERE = re.compile(r"##(vso|teamcity)?\[")
_IGNORED = re.compile(r"[\u034f\ufe00-\ufe0f]")


def commands(text: str) -> list[str]:
    """The lines that are a command: of GitHub's or Azure's runner, or of TeamCity's."""
    lines = [_IGNORED.sub("", line) for line in text.splitlines()]
    return [
        line
        for line in lines
        if _ANYWHERE.search(line) or (line.strip().startswith("::") and "::" in line.strip()[2:])
    ]


def strings(node: object) -> list[str]:
    """Every text in a JSON document."""
    match node:
        case dict():
            return [*node, *(text for each in node.values() for text in strings(each))]
        case list():
            return [text for each in node for text in strings(each)]
        case str():
            return [node]
    return []


def seed(names=NAMES, formula="count"):
    """A meter for each name; `formula` is that of the first, declared as count."""
    meters = [existing(f"e{n} {name}", name) for n, name in enumerate(names)]
    return {"meters": [meters[0] | {"default_aggregation": {"formula": formula}}, *meters[1:]]}


def declared(names=NAMES):
    """The same meters under other names that shout as well."""
    meters = [
        {
            "event_name": f"e{n} {name}",
            "display_name": f"{name} {name}",
            "default_aggregation": {"formula": "count"},
        }
        for n, name in enumerate(names)
    ]
    return "\n".join(map(json.dumps, meters))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("command", ["plan", "drift", "apply --yes --skip-refused"])
def test_no_name_is_a_command_of_a_runner(command, format_, world, run):
    """On standard output, in a file and on standard error."""
    made = world(declared(), seed(formula="sum"))
    out = made.folder / "out"
    ran = run(
        *command.split(), made.folder, "-vv", "--format", format_, "--out", f"{format_}={out}"
    )
    assert "shout" in ran.out
    for text in (ran.out, out.read_text("utf-8"), ran.err):
        found = commands(text)
        if format_ == "github" and text is not ran.err:
            ours = re.compile(r"::(error|warning|notice) (file|title)=")
            assert all(map(ours.match, found))
            assert not any(map(_ANYWHERE.search, found))
        else:
            assert found == []


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize("name", ["::error::shout", *NAMES])
def test_no_name_in_a_list_is_a_command(name, format_, world, run):
    """An event_name is at the start of a line there."""
    made = world(seed={"meters": [existing(name, name)]})
    ran = run("list", made.folder, "--format", format_)
    assert commands(ran.out) == []
    if format_ == "json":
        (account,) = json.loads(ran.out)["accounts"]
        assert account["meters"][0]["display_name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_json_carries_the_same_texts(name, world, run):
    """Its escapes are JSON's own, in a report and in a saved plan."""
    made = world(declared([name]), seed([name]))
    saved = made.folder / "plan.json"
    ran = run("plan", made.folder, "--save", saved, "--format", "json")
    for text in (ran.out, saved.read_text("utf-8")):
        assert commands(text) == []
        assert f"{name} {name}" in strings(json.loads(text))
    assert run("apply", made.folder, "--plan", saved, "--no-journal").code == 0


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("shout", SHOUTS)
def test_no_text_of_a_file_is_a_command(shout, format_, world, run):
    """In an error and in the source line beside it."""
    made = world("")
    made.file("meters.yaml", f'version: 1\nmeters: []\n"{shout}": "{shout} {shout}"\n')
    ran = run("validate", made.folder, "--format", format_)
    assert ran.code == 1
    found = [line for line in commands(ran.out) if not line.startswith("::error file=")]
    assert found == []


@pytest.mark.parametrize("shout", SHOUTS)
def test_no_word_of_the_command_line_is_a_command(shout, world, run, tmp_path):
    """Branch names and the like get there."""
    made = world("")
    for words in (("plan", made.folder, "--account", shout), (shout,), ("plan", tmp_path / shout)):
        ran = run(*words)
        assert ran.code in (1, 64)
        assert commands(ran.out + ran.err) == []


def test_the_carets_stay_below_the_text_that_they_are_about(world, run):
    """A source line is as long as what is shown of it."""
    made = world("")
    made.file("meters.yaml", 'version: 1\nmeters: []\n"##[x]": {a: "##["}\nmetres: 1\n')
    out = run("validate", made.folder).out
    shown, carets = out.partition("   3 | ")[2].splitlines()[:2]
    assert len(carets.rstrip()) - len("     | ") == shown.index(":")
