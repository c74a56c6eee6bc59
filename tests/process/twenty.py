"""A project of twenty lines that holds every kind, and the account that it finds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CREATES = tuple(f"new_{n}" for n in range(1, 7))
PAUSED = ("paused_1", "paused_2", "paused_3")  # the last two come back under another display_name
RENAMED = ("named_1", "named_2", "named_3")
REPLACED = {"again_1": "twin", "again_2": "renamed twin", "over_1": "new", "over_2": "new"}
RETIRED = "gone_1"
UNDECLARED = ("legacy_1", "legacy_2")  # owned by the project, and stopped for it
UNTOUCHED = ("same_1", "foreign_1")

POSTS = 26
GETS = 72
"""Requests of a run that nothing disturbs, those that write and those that read."""

POLICY = {"undeclared": "deactivate", "owns": ["legacy_*"], "max_deactivations": 7}


def settings(name: str, display_name: str = "Wanted", formula: str = "sum") -> Json:
    """A meter as files and seeds have it."""
    return {
        "event_name": name,
        "display_name": display_name,
        "default_aggregation": {"formula": formula},
    }


def declared() -> list[Json]:
    """The entries of the one meter file."""
    plain = (*CREATES, *PAUSED, *RENAMED, "same_1")
    return [
        *(settings(name) for name in plain),
        *({**settings(name), "retires": [f"mtr_{name}"]} for name in REPLACED),
        {**settings(RETIRED), "status": "inactive"},
    ]


def seed() -> Json:
    """The account before the first run: every id tells the name that it is of."""
    meters = [
        _meter("paused_1", status="inactive"),
        *(_meter(name, "Other", status="inactive") for name in PAUSED[1:]),
        *(_meter(name, "Other") for name in RENAMED),
        *(_meter(name, formula="count") for name in REPLACED),
        {**_meter("again_1", status="inactive"), "id": "mtr_again_1_twin"},
        {**_meter("again_2", "Other", status="inactive"), "id": "mtr_again_2_twin"},
        *(_meter(name) for name in (RETIRED, *UNTOUCHED)),
        *(_meter(name, "Legacy") for name in UNDECLARED),  # else they look like renamed ones
    ]
    return {"meters": meters}


def _meter(name: str, *words: str, status: str = "active", formula: str = "sum") -> Json:
    return {**settings(name, *words, formula=formula), "id": f"mtr_{name}", "status": status}


STOPPED = {f"mtr_{name}" for name in (*REPLACED, RETIRED, *UNDECLARED)}
"""The ids of all meters that the plan stops."""


def wanted() -> Counter[tuple[str, ...]]:
    """The account afterwards: name, display_name, formula, status and id (`new` for a new one)."""
    found = [
        *((name, "Wanted", "sum", "active", "new") for name in CREATES),
        *((name, "Wanted", "sum", "active", f"mtr_{name}") for name in (*PAUSED, *RENAMED)),
        *((name, "Wanted", "count", "inactive", f"mtr_{name}") for name in REPLACED),
        *((name, "Wanted", "sum", "active", f"mtr_{name}_twin") for name in ("again_1", "again_2")),
        *((name, "Wanted", "sum", "active", "new") for name in ("over_1", "over_2")),
        *((name, "Wanted", "sum", "inactive", f"mtr_{name}") for name in (RETIRED,)),
        *((name, "Legacy", "sum", "inactive", f"mtr_{name}") for name in UNDECLARED),
        *((name, "Wanted", "sum", "active", f"mtr_{name}") for name in UNTOUCHED),
    ]
    return Counter(found)


def found(meters: dict[str, Json]) -> Counter[tuple[str, ...]]:
    """The account as it is, in the terms of `wanted`."""
    known = {meter["id"] for meter in seed()["meters"]}
    return Counter(
        (
            meter["event_name"],
            meter["display_name"],
            meter["default_aggregation"]["formula"],
            meter["status"],
            meter["id"] if meter["id"] in known else "new",
        )
        for meter in meters.values()
    )


def write(
    folder: Path, url: str, meters: list[Json] | None = None, policy: Json = POLICY, **account: Any
) -> None:
    """A project's files, the twenty lines by default; unless `rate_limit` is given, no pace."""
    entry = {"api_key_env": "SANDBOX_KEY", "api_base": url, "rate_limit": 1000, **account}
    project = {
        "version": 1,
        "meters": ["meters.yaml"],
        "accounts": {"sandbox": entry},
        "policy": policy,
    }
    (folder / "reconciler.yaml").write_text(json.dumps(project), "utf-8")
    found = {"version": 1, "meters": declared() if meters is None else meters}
    (folder / "meters.yaml").write_text(json.dumps(found), "utf-8")
