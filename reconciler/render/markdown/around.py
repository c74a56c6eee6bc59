"""What surrounds a report that is posted as a comment: its commit, its job, links to its files."""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

from ...diagnostics.diagnostic import Location
from ..places import AS_GIVEN, Base
from .gfm import format_code

_LONGEST_PATH = 300


class Around(Struct, frozen=True):
    """The repository of a comment: `blob` is the address of its files at `commit`, `run` the job.

    Empty ones are not known. `base` relates the places of the report to the repository; `others`
    counts the accounts that have nothing to say and are left out.
    """

    blob: str = ""
    commit: str = ""
    run: str = ""
    base: Base = AS_GIVEN
    others: int = 0

    def link(self, location: Location, room: int) -> str:
        """Return a place as code; linked to its lines where it is a file of the repository."""
        shown = format_code(str(location), room)
        place = self.base.relate(location)
        path = quote(place.file.encode("utf-8", "replace"), safe="/") if place else ""
        inside = re.fullmatch(r"[^/].*", path) and not {".", "..", ""} & set(path.split("/"))
        if not self.blob or not inside or len(path) > _LONGEST_PATH:
            return shown
        return f"[{shown}]({self.blob}/{path}{f'#L{location.line}' if location.line else ''})"
