"""Places as code hosts want them: relative to the root of the repository, from wherever it ran."""

from __future__ import annotations

import posixpath

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.diagnostic import Diagnostic, Location


class Base(Struct, frozen=True):
    """Where a run was started, the folder of its project, and what its places are relative to.

    All three are absolute. `prefix` leads from `top` to the project: a symbolic link may hide that
    one is in the other.
    """

    start: str = "/"
    project: str = "/"
    top: str = "/"
    prefix: str = ""

    def relate(self, location: Location | None) -> Location | None:
        """Return a location relative to `top`; None for one outside, and for `top` itself."""
        if location is None:
            return None
        path = posixpath.join(self.start, location.file.replace("\\", "/"))
        if inside := _relate(path, self.project):
            file = posixpath.normpath(posixpath.join(self.prefix, inside))
            return replace(location, file=file)
        file = _relate(path, self.top)
        return replace(location, file=file) if file else None

    @property
    def project_file(self) -> str:
        """Where the project file is, or would be."""
        return posixpath.normpath(posixpath.join(self.prefix, "reconciler.yaml"))

    def relate_diagnostic(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a diagnostic with its location related; the message says it where that fails."""
        location = self.relate(diagnostic.location)
        if location or not diagnostic.location or diagnostic.location.file == ".":
            return replace(diagnostic, location=location)
        message = f"{diagnostic.location}: {diagnostic.message}"
        return replace(diagnostic, location=None, message=message)


AS_GIVEN = Base()
"""Leaves a relative place as it is."""


def _relate(path: str, folder: str) -> str:
    """Return a path relative to a folder that it is in, else nothing."""
    relative = posixpath.relpath(path, folder)
    return "" if relative == "." or relative.split("/")[0] == ".." else relative
