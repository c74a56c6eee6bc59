"""A folder with a project in it, and the emulator behind its account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from reconciler.emulator import Server

SEATS = "{event_name: seats, display_name: Seats, default_aggregation: {formula: count}}"
CALLS = "{event_name: calls, display_name: Calls, default_aggregation: {formula: sum}}"


def existing(
    name: str, display_name: str, formula: str = "count", **more: object
) -> dict[str, object]:
    """A meter of a seed."""
    return {
        "event_name": name,
        "display_name": display_name,
        "default_aggregation": {"formula": formula},
        **more,
    }


@dataclass(frozen=True, slots=True)
class World:
    """Files on one side, an account on the other."""

    folder: Path
    server: Server

    def write(self, meters: str, policy: str = "{}", **account: object) -> None:
        """One meter file (its entries in flow style), and a project file with one account."""
        entry = {"api_key_env": "SANDBOX_KEY", "api_base": self.server.url, **account}
        project = (
            f'version: 1\nmeters: ["meters.yaml"]\npolicy: {policy}\n'
            f"accounts:\n  sandbox: {json.dumps(entry)}\n"
        )
        self.file("reconciler.yaml", project)
        listed = "".join(f"  - {line}\n" for line in meters.splitlines() if line.strip())
        self.file("meters.yaml", f"version: 1\nmeters:{chr(10) + listed if listed else ' []'}\n")

    def add_account(self, name: str, api_key_env: str = "NOT_SET") -> None:
        """Another account of the project, by default without a key."""
        project = (self.folder / "reconciler.yaml").read_text("utf-8")
        self.file("reconciler.yaml", f"{project}  {name}: {{api_key_env: {api_key_env}}}\n")

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def posts(self) -> list[str]:
        """The paths of every POST that the account has seen."""
        return [entry.path for entry in self.server.log.posts]
