"""Files that cannot or must not be read are one clear error each."""

import os
from pathlib import Path

import pytest
from config.loading import METERS, diagnose, write

from reconciler.config import load


def errors(path) -> list[tuple[str, str]]:
    """Return the code and the file of every diagnostic."""
    return [(one.code, os.path.basename(one.location.file)) for one in diagnose(path)]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A project, and a file outside of it."""
    write(tmp_path, {"outside/secret.yaml": "root:x:0:0 on: [", "project/a.yaml": METERS})
    return tmp_path / "project"


@pytest.mark.parametrize("name", ["nothing", "a.yaml/b", "", "a\0b", "x" * 5000])
def test_a_path_that_does_not_exist(folder, monkeypatch, name):
    """An empty path does not mean the current folder."""
    monkeypatch.chdir(folder)
    (diagnostic,) = diagnose(name)
    assert diagnostic.code in ("C001", "C003")
    assert "\0" not in str(diagnostic)


def test_a_folder_without_meter_files(folder):
    (folder / "a.yaml").unlink()
    assert errors(folder) == [("C002", "project")]


LINKS = [
    ("b.yaml", "../outside/secret.yaml", "C004"),
    ("reconciler.yaml", "../outside/secret.yaml", "C004"),
    ("b.yaml", "b.yaml", "C003"),
    ("b.yaml", "missing", "C003"),
    *(("meters", target, "C007") for target in ("../outside", ".", "real", "../project")),
]


@pytest.mark.parametrize(("name", "target", "code"), LINKS)
def test_a_link_that_must_not_be_followed(folder, name, target, code):
    """To a file outside, to nothing, or to any folder."""
    (folder / "real").mkdir()
    (folder / name).symlink_to(target)
    assert errors(folder) == [(code, name)]
    if name == "meters":
        write(folder, {"reconciler.yaml": "version: 1\nmeters: ['*.yaml']\n"})
        assert errors(folder) == []  # no pattern leads into it
    if code == "C004":
        assert errors(folder / name) == [(code, name)]


def test_the_emulator_keeps_nothing_outside(folder):
    (folder / "state").symlink_to(folder.parent / "outside")
    project = "version: 1\nmeters: [a.yaml]\naccounts: {x: {emulator: state/e.json}}\n"
    write(folder, {"reconciler.yaml": project})
    assert errors(folder) == [("C004", "reconciler.yaml")]


@pytest.mark.parametrize("beside", ["-other", "2", ".yaml", "x/y"])
def test_a_folder_whose_name_begins_alike_is_outside(beside, tmp_path):
    """`/project-other` is not in `/project`: neither files nor the emulator's state."""
    folder, other = tmp_path / "project", tmp_path / f"project{beside}"
    write(other, {"b.yaml": METERS.replace("a,", "b,")})
    write(folder, {"a.yaml": METERS})
    (folder / "b.yaml").symlink_to(other / "b.yaml")
    assert errors(folder) == [("C004", "b.yaml")]
    (folder / "b.yaml").unlink()
    (folder / "state").symlink_to(other)
    project = "version: 1\nmeters: [a.yaml]\naccounts: {x: {emulator: state/e.json}}\n"
    write(folder, {"reconciler.yaml": project})
    assert errors(folder) == [("C004", "reconciler.yaml")]


def test_a_linked_file_within_the_project_is_read_once(folder):
    (folder / "b.yaml").symlink_to("a.yaml")
    (account,) = load(folder).accounts
    assert [one.event_name for one in account.declared] == ["a"]


def test_folders_nested_deeper_than_python_recurses(folder, monkeypatch):
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


@pytest.mark.parametrize(("make", "name"), [(os.mkfifo, "b.yaml"), (os.mkdir, "reconciler.yaml")])
def test_what_is_not_a_regular_file(folder, make, name):
    """A pipe is not waited for, and a folder is not a missing project file."""
    make(folder / name)
    assert errors(folder) == [("C003", name)]


@pytest.mark.parametrize(("function", "name"), [("open", "b.yaml"), ("listdir", "closed")])
def test_a_file_or_folder_without_permission(folder, monkeypatch, function, name):
    """The system call is replaced, because root may read everything."""
    real = getattr(os, function)

    def refuse(path, *rest):
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    write(folder, {"b.yaml": METERS.replace("a,", "b,"), "closed/c.yaml": METERS})
    monkeypatch.setattr(os, function, refuse)
    assert ("C003", name) in errors(folder)


def test_a_file_over_10_mb_is_not_read_to_its_end(folder):
    write(folder, {"a.yaml": METERS.encode().ljust(10_000_000, b"\n")})
    assert errors(folder) == []
    write(folder, {"a.yaml": (b"# " + b"x" * 100) * 100_000})
    assert errors(folder) == [("Y013", "a.yaml")]


def test_a_misnamed_project_file(folder):
    write(folder, {"reconciler.yml": "version: 1\naccounts: {x: {api_key_env: X}}\n"})
    assert errors(folder) == [("C024", "reconciler.yml")]


def test_unprintable_file_names_are_escaped(folder):
    write(folder, {"\x1b[31m.yaml": "", os.fsdecode(b"\xff.yaml"): ""})
    assert [name for _, name in errors(folder)] == ["\\udcff.yaml", "\\x1b[31m.yaml"]


@pytest.mark.parametrize("project", [None, "version: 1\n"])
def test_the_meter_files_of_a_nested_project_are_not_read(tmp_path, project):
    """Unless the project file lists them."""
    inner = tmp_path / "teams" / "ai"
    files = {"reconciler.yaml": "version: 1\naccounts: {a: {api_key_env: A}}\n"}
    write(inner, files | {"m.yaml": "version: 1\nmeters: []\n"})
    (diagnostic,) = diagnose(tmp_path, {"reconciler.yaml": project} if project else None)
    assert (diagnostic.code, diagnostic.location.file) == ("C030", f"{inner}/reconciler.yaml")
    assert f"`reconciler plan {inner}`" in diagnostic.hint
    assert not diagnose(tmp_path, {"reconciler.yaml": "version: 1\nmeters: [teams/ai/m.yaml]\n"})
