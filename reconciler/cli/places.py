"""Find what the places of a run are relative to: its repository, else its project."""

from __future__ import annotations

import os
from pathlib import Path

from ..diagnostics.errors import ConfigError
from ..render.places import AS_GIVEN, Base


def find_base(path: str, workspace: str) -> Base:
    """Return the base of places in a project; `workspace` is that of a job in GitHub Actions.

    The workspace counts where no folder around the project has a `.git`, as in a container.
    """
    try:
        start = Path.cwd()
        project = Path(_find_project(path))
        real = project.resolve()
    except OSError:  # the current folder is gone
        return AS_GIVEN
    top = find_repository(real) or _find_workspace(real, workspace) or real
    return Base(
        start=start.as_posix(),
        project=project.as_posix(),
        top=top.as_posix(),
        prefix=real.relative_to(top).as_posix(),
    )


def _find_project(path: str) -> str:
    from ..config.discovery import start_from  # only some formats need it

    try:
        return start_from(path).folder.root
    except ConfigError:
        return os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path))


def find_repository(folder: Path) -> Path | None:
    """Return the root of the repository that a folder is in."""
    around = (folder, *folder.parents)
    return next((each for each in around if os.path.lexists(each / ".git")), None)


def _find_workspace(folder: Path, workspace: str) -> Path | None:
    if not workspace:
        return None
    top = Path(workspace).resolve()
    return top if folder.is_relative_to(top) else None
