"""A project with many accounts, each with an emulator of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Ran, Run
from published import held

SEATS = "{event_name: seats, display_name: Seats, default_aggregation: {formula: count}}"
NAMES = tuple("abcdef")


@dataclass(frozen=True, slots=True)
class Fleet:
    """A folder, and the command line in it."""

    folder: Path
    run: Run

    def write(self, *names: str, meters: str = SEATS, **broken: str) -> None:
        """Write the project: an account for each name; `broken` ones have no key."""
        entries = {name: {"emulator": f".reconciler/{name}.json"} for name in names}
        entries |= {name: {"api_key_env": key} for name, key in broken.items()}
        listed = "".join(f"  {name}: {json.dumps(each)}\n" for name, each in entries.items())
        project = f'version: 1\nmeters: ["meters.yaml"]\naccounts:\n{listed}'
        (self.folder / "reconciler.yaml").write_text(project, "utf-8")
        (self.folder / "meters.yaml").write_text(f"version: 1\nmeters:\n  - {meters}\n", "utf-8")

    def all(self, command: str, *words: object) -> Ran:
        """Run a command on all accounts; apply without a question."""
        sure = ["--yes"] if command == "apply" and "--plan" not in words else []
        return self.run(command, self.folder, "--account", "*", *sure, *words)

    def report(self, name: str, command: str, *words: object) -> Path:
        """Run a command on all accounts, and return the file with its report."""
        file = self.folder / f"{name}.json"
        self.all(command, *words, "--out", f"json={file}")
        held(file.read_text("utf-8"))
        return file

    def merge(self, *words: object) -> Ran:
        """Join reports."""
        return self.run("merge", *words)


def names(document: dict[str, Any]) -> list[str]:
    """The accounts of a report, in order."""
    return [each["account"]["name"] for each in document["accounts"]]


def codes(document: dict[str, Any]) -> list[str]:
    """The codes of the diagnostics of a run."""
    return [each["code"] for each in document["diagnostics"]]
