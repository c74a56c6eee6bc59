"""The job that a step of the Action is part of: its inputs, its event, and its files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..diagnostics.codes import usage
from ..diagnostics.errors import UsageError

COMMANDS = ("validate", "plan", "apply", "drift")
"""The commands that the Action runs: those whose reports can be posted."""

_OURS = ("--format", "--out", "--account", "--plan", "--save", "--approved")
_HINTS = {
    "--plan": "a job of the pull request could have written the file: give --expect HASH instead",
    "--account": "use the input `account`",
}


def _list_options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each word up to a `=`, and what follows: the rest of the word or the next one."""
    for word, value in zip_longest(words, words[1:], fillvalue=""):
        name, given, text = word.partition("=")
        yield name, text if given else value


class Job(Struct, frozen=True, dict=True):
    """The environment of a step, as the runner sets it."""

    environ: Mapping[str, str]

    @cached_property
    def command(self) -> str:
        """The command to run; raises UsageError for one that the Action does not run."""
        command = self._input("command")
        if command in COMMANDS:
            return command
        message = f"the input `command` is {command!r}, not one of {', '.join(COMMANDS)}"
        raise UsageError(usage.BAD_OPTIONS(message))

    @cached_property
    def path(self) -> str:
        """The project folder or one of its files, relative to the workspace."""
        return self._input("path") or "."

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """The names or patterns of accounts, given one a line or with spaces between."""
        return tuple(self._input("account").split())

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Further options, split as a shell splits words; nothing is expanded.

        Raises UsageError for those that the Action sets itself, and for an empty --expect, which
        is what an output of a failed job gives.
        """
        try:
            words = shlex.split(self._input("args"))
        except ValueError as error:
            message = f"the input `args` cannot be split into words: {error}"
            raise UsageError(usage.BAD_OPTIONS(message)) from None
        for name, value in _list_options(words):
            if name in _OURS:
                hint = _HINTS.get(name, "the Action sets it")
                message = f"the input `args` holds {name}"
                raise UsageError(usage.BAD_OPTIONS(message, hint=hint))
            if name == "--expect" and not value.strip():
                hint = "is the output of an earlier job empty?"
                raise UsageError(usage.BAD_OPTIONS("--expect has no plan_hash", hint=hint))
        return tuple(words)

    @property
    def comments(self) -> bool:
        """Whether the report is to be posted."""
        return self._input("comment") == "true"

    @property
    def selection(self) -> list[str]:
        """The words of a command line that say what to work on."""
        return [self.path, *(word for name in self.accounts for word in ("--account", name))]

    @cached_property
    def expected_hash(self) -> str:
        """The plan_hash that --expect gives in the arguments; empty without."""
        return dict(_list_options(self.arguments)).get("--expect", "").strip()

    @property
    def decides_itself(self) -> bool:
        """Whether the workflow says what is approved: a hash, or whatever is merged."""
        return any(name in ("--expect", "--yes") for name, _ in _list_options(self.arguments))

    @cached_property
    def event(self) -> Mapping[str, Any]:
        """The payload of the event; empty where there is none."""
        try:
            text = Path(self.environ.get("GITHUB_EVENT_PATH", "")).read_text("utf-8")
            found = json.loads(text)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def has_no_secrets(self) -> bool:
        """Whether GitHub gives the job no secrets and a token that only reads."""
        pull = self.event.get("pull_request")
        if not pull or self.environ.get("GITHUB_EVENT_NAME") != "pull_request":
            return False
        origin = (pull.get("head", {}).get("repo") or {}).get("full_name")
        bot = self.environ.get("GITHUB_ACTOR") == "dependabot[bot]"
        return bot or origin != self.environ.get("GITHUB_REPOSITORY")

    def _input(self, name: str) -> str:
        return self.environ.get(f"INPUT_{name.upper()}", "").strip()
