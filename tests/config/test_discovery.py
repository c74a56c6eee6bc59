"""Files that cannot or must not be read: a clear error each, never a traceback or a wait."""

import os
from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.diagnostics.errors import ConfigError

METERS = """\
version: 1
meters:
  - {event_name: a, display_name: A, default_aggregation: {formula: sum}}
"""


def faults(path) -> list[tuple[str, str]]:
    """Code and file of every problem."""
    try:
        diagnostics = load(path).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return [(p.code, os.path.basename(p.location.file)) for p in diagnostics if p.location]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A project, beside something that is none of its business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.yaml").write_text("root:x:0:0 on: [")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.yaml").write_text(METERS)
    return tmp_path / "project"


@pytest.mark.parametrize("name", ["nothing", "a.yaml/b", "", "a\0b", "x" * 5000])
def test_a_path_that_does_not_exist(folder, monkeypatch, name):
    """One error that names it; an empty path is no other word for the current folder."""
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError) as caught:
        load(name)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code in ("C001", "C003")
    assert "\0" not in str(diagnostic)


def test_a_folder_without_meter_files(folder):
    """More often a wrong path than a wish for no meters."""
    (folder / "a.yaml").unlink()
    assert faults(folder) == [("C002", "project")]


def test_a_file_linked_from_outside(folder):
    """Refused without being opened."""
    (folder / "b.yaml").symlink_to(folder.parent / "outside" / "secret.yaml")
    assert faults(folder) == [("C004", "b.yaml")]
    assert faults(folder / "b.yaml") == [("C004", "b.yaml")]


@pytest.mark.parametrize("target", ["../outside", ".", "real", "../project"])
def test_a_linked_folder(folder, target):
    """Refused where a pattern leads into it, and only there: outside, inside or in a circle."""
    (folder / "real").mkdir()
    (folder / "meters").symlink_to(target)
    assert faults(folder) == [("C007", "meters")]
    (folder / "reconciler.yaml").write_text("version: 1\nmeters: ['*.yaml']\n")
    assert faults(folder) == []


def test_a_project_file_linked_from_outside(folder):
    """The policy is part of what is reviewed."""
    (folder / "reconciler.yaml").symlink_to(folder.parent / "outside" / "secret.yaml")
    assert faults(folder) == [("C004", "reconciler.yaml")]


def test_the_emulator_keeps_nothing_outside(folder):
    """Neither through a link to a folder nor through one to a file."""
    (folder / "state").symlink_to(folder.parent / "outside")
    project = "version: 1\nmeters: [a.yaml]\naccounts: {x: {emulator: state/e.json}}\n"
    (folder / "reconciler.yaml").write_text(project)
    assert faults(folder) == [("C004", "reconciler.yaml")]


def test_a_linked_file_within_the_project_is_read_once(folder):
    """A file that is reached twice declares its meters once."""
    (folder / "b.yaml").symlink_to("a.yaml")
    (account,) = load(folder).accounts
    assert [one.event_name for one in account.declared] == ["a"]


def test_folders_nested_deeper_than_python_recurses(folder, monkeypatch):
    """The walk is not recursive."""
    monkeypatch.chdir(folder)
    for _ in range(600):
        os.mkdir("d")
        os.chdir("d")
    Path("m.yaml").write_text(METERS.replace("a,", "b,"))
    (account,) = load(folder).accounts
    assert [one.event_name for one in account.declared] == ["a", "b"]
    Path("m.yaml").unlink()
    for _ in range(600):  # pytest's own removal of old folders recurses
        os.chdir("..")
        os.rmdir("d")


@pytest.mark.parametrize("target", ["b.yaml", "missing"])
def test_a_link_that_leads_nowhere(folder, target):
    """Said of the link, which is where somebody has to do something."""
    (folder / "b.yaml").symlink_to(target)
    assert faults(folder) == [("C003", "b.yaml")]


def test_a_pipe_is_not_waited_for(folder):
    """Only regular files are read."""
    os.mkfifo(folder / "b.yaml")
    assert faults(folder) == [("C003", "b.yaml")]


def test_a_folder_named_like_the_project_file(folder):
    """Not taken for no project file, which would have another policy hold."""
    (folder / "reconciler.yaml").mkdir()
    assert faults(folder) == [("C003", "reconciler.yaml")]


def test_a_file_without_permission(folder, monkeypatch):
    """Also where the tests run as root, whom nothing is forbidden."""
    real = os.open

    def refuse(path, flags, *rest):
        if str(path).endswith("b.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest)

    (folder / "b.yaml").write_text("unread")
    monkeypatch.setattr(os, "open", refuse)
    assert faults(folder) == [("C003", "b.yaml")]


def test_a_folder_without_permission(folder, monkeypatch):
    """Meters in it would look like meters that are no longer declared."""
    real = os.listdir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    (folder / "closed").mkdir()
    monkeypatch.setattr(os, "listdir", refuse)
    assert faults(folder) == [("C003", "closed")]


def test_a_file_over_10_mb_is_not_read_to_its_end(folder):
    """Nor is one byte beneath the limit refused."""
    comment = b"# " + b"x" * 100
    (folder / "a.yaml").write_bytes(METERS.encode().ljust(10_000_000, b"\n"))
    assert faults(folder) == []
    (folder / "a.yaml").write_bytes(comment * 100_000)
    assert faults(folder) == [("Y013", "a.yaml")]


def test_a_misnamed_project_file(folder):
    """Its accounts and its policy would not hold."""
    (folder / "reconciler.yml").write_text("version: 1\naccounts: {x: {api_key_env: X}}\n")
    assert faults(folder) == [("C024", "reconciler.yml")]


def test_a_file_name_that_no_terminal_should_see(folder):
    """Escapes and bytes that are no text are shown as such."""
    (folder / "\x1b[31m.yaml").write_text("")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.yaml")).write_text("")
    names = [name for _, name in faults(folder)]
    assert names == ["\\udcff.yaml", "\\x1b[31m.yaml"]


@pytest.mark.parametrize("project", [None, "version: 1\n"])
def test_a_project_below_is_not_read_as_meters(tmp_path, project):
    """One error: where it stands, and how it is run; named meter files of it are read."""
    inner = tmp_path / "teams" / "ai"
    inner.mkdir(parents=True)
    (inner / "reconciler.yaml").write_text("version: 1\naccounts: {a: {api_key_env: A}}\n")
    (inner / "m.yaml").write_text("version: 1\nmeters: []\n")
    if project:
        (tmp_path / "reconciler.yaml").write_text(project)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.location.file) == ("C030", f"{inner}/reconciler.yaml")
    assert f"`reconciler plan {inner}`" in diagnostic.hint
    (tmp_path / "reconciler.yaml").write_text("version: 1\nmeters: [teams/ai/m.yaml]\n")
    assert load(tmp_path).diagnostics == ()
