"""Print `name==version` for the oldest version that pyproject.toml allows of each dependency.

The lines are constraints for pip. They cover what the tool needs and what its tests need.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)>=([0-9]+(?:\.[0-9]+)*)(?:,.*)?")


def oldest(project: Mapping[str, Any]) -> Iterator[str]:
    """Yield the constraints for a `[project]` table.

    Raises ValueError for a requirement that does not start with a lower bound: the run with the
    oldest versions would get the newest one of it.
    """
    for requirement in (*project["dependencies"], *project["optional-dependencies"]["test"]):
        found = _REQUIREMENT.fullmatch(requirement)
        if not found:
            raise ValueError(f"{requirement!r} does not start with `name>=version`")
        yield f"{found[1]}=={found[2]}"


if __name__ == "__main__":
    text = Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8")
    print("\n".join(oldest(tomllib.loads(text)["project"])))
