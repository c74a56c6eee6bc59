"""ARCHITECTURE.md names only what exists, and its picture is that of the rules."""

import ast
import re
from pathlib import Path

import pytest
from test_architecture import ROOMS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/]+(?:\.schema)?\.(?:py|json))(?::(\w+))?`", PAGE)
FOLDERS = re.findall(r"`((?:\w+/)+)`", PAGE)


def locate(path: str) -> Path:
    """Return the place of a path of the page: in the package, else in the repository."""
    inside = ROOT / "reconciler" / path
    return inside if inside.exists() else ROOT / path


def names_of(path: Path) -> set[str]:
    """Return the functions, classes and constants that a module defines."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_every_file_and_name_exists(path, name):
    file = locate(path)
    assert file.is_file()
    assert not name or name in names_of(file)


def test_the_page_names_the_way_of_a_meter():
    """The check above would pass an empty page."""
    assert len({path for path, _ in NAMED}) > 30
    assert {name for _, name in NAMED} >= {"load", "make_plan", "decide", "apply_plan", "render"}


def test_every_folder_exists():
    assert [
        folder for folder in FOLDERS if folder != "reconciler/" and not locate(folder).is_dir()
    ] == []


def test_the_picture_is_the_list_of_rooms():
    """In the same order."""
    picture = PAGE.split("```")[1]
    assert tuple(re.findall(r"^(\w+)/? ", picture, re.M)) == ROOMS
