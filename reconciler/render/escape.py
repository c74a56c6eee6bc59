"""Escape plain text, so that no value can move, hide or recolour anything on a screen.

Nor can one become a command of the CI runner that reads the log: GitHub's runner takes `::name::`
at the start of a line and `##[name]` anywhere in it, Azure's `##vso[…]`, TeamCity `##teamcity[…]`.
"""

from __future__ import annotations

import re

from ..diagnostics.shorten import ADVICE, shorten

# Runners on .NET skip some characters when they compare; none of them is ASCII. What follows a
# value that ends in `##` may begin with a bracket.
COMMAND = re.compile(r"#(?=[^ -~]*#(?:[^\x00-@\[-`{-~]*\[|\Z))")
BROKEN = r"\x23"
_AT_START = re.compile(r"([^!-~]*):(?=[^ -~]*:)")


def clean(text: str) -> str:
    """Write out every control, bidirectional or invisible character of a text as an escape.

    A text that is longer than any advice is shortened.

    Line breaks are written out too: one value never becomes two lines. So is one character of
    what a CI runner would take for a command.
    """
    text = shorten(text, ADVICE)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    text = break_commands(text)
    if found := _AT_START.match(text):
        text = f"{found[1]}\\x3a{text[found.end() :]}"
    return text


def break_commands(text: str) -> str:
    """Write out a character of what a CI runner would take for a command anywhere in a line."""
    return COMMAND.sub(lambda _: BROKEN, text) if "#" in text else text


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
