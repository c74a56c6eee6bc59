"""Places are relative to the repository, whatever folder a run is started in."""

from __future__ import annotations

import json
import os
import re
from xml.etree import ElementTree

import pytest
from cli.world import SEATS, existing

FORMATS = ("github", "sarif", "junit")
WRONG = "version: 1\nmeters:\n  - {event_name: seats, displayname: Seats}\n"


def files(text, format_):
    """The files that an output places something in."""
    match format_:
        case "github":
            return set(re.findall(r"file=([^,:]*)", text))
        case "sarif":
            (run,) = json.loads(text)["runs"]
            places = [place for found in run["results"] for place in found["locations"]]
            return {place["physicalLocation"]["artifactLocation"]["uri"] for place in places}
    return {case.get("file") for case in ElementTree.fromstring(text).iter("testcase")} - {None}


@pytest.fixture
def project(tmp_path):
    """The project of a monorepo, with an error in a meter file: billing/meters/a.yaml."""
    folder = tmp_path / "repo" / "billing"
    (folder / "meters").mkdir(parents=True)
    (folder / "reconciler.yaml").write_text('version: 1\nmeters: ["meters/*.yaml"]\n')
    (folder / "meters" / "a.yaml").write_text(WRONG)
    return folder


STARTS = [
    ("repo", ["billing"]),
    ("repo/billing", []),
    ("repo/billing", ["."]),
    ("repo/billing/meters", [".."]),
    ("repo/billing/meters", ["a.yaml"]),
    ("repo", ["./billing/../billing"]),
    (".", ["-C", "repo", "billing"]),
    (".", ["-C", "repo/billing"]),
    (".", ["{project}"]),
    ("repo", ["link"]),
    ("elsewhere", ["{project}"]),
    ("elsewhere", ["-C", "{project}"]),
]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("start", "words"), STARTS)
@pytest.mark.parametrize("kind", ["folder", "file", "workspace", "none"])
def test_places_are_relative_to_the_repository(
    kind, start, words, format_, project, run, monkeypatch, tmp_path
):
    """A `.git`, a worktree's `.git` file, the workspace of a job; else the project's folder."""
    match kind:
        case "folder":
            (project.parent / ".git").mkdir()
        case "file":
            (project.parent / ".git").write_text("gitdir: /elsewhere\n")
        case "workspace":
            monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    (tmp_path / "elsewhere").mkdir()
    (project.parent / "link").symlink_to("billing")
    monkeypatch.chdir(tmp_path / start)
    shown = [word.format(project=project) for word in words]
    ran = run("validate", *shown, "--format", format_, "--out", f"{format_}={tmp_path / 'out'}")
    assert ran.code == 1
    place = "meters/a.yaml" if kind == "none" else "billing/meters/a.yaml"
    assert files(ran.out, format_) == {place}
    assert files((tmp_path / "out").read_text("utf-8"), format_) == {place}


def test_the_fingerprint_is_the_same_from_every_folder(project, run, monkeypatch, tmp_path):
    """Else code scanning would close an alert and open another."""
    (project.parent / ".git").mkdir()
    known = set()
    for start in ("repo", "repo/billing", "."):
        monkeypatch.chdir(tmp_path / start)
        ran = run("validate", project.relative_to(tmp_path / start), "--format", "sarif")
        (result, *_) = json.loads(ran.out)["runs"][0]["results"]
        known.add(result["partialFingerprints"]["primaryLocationLineHash"])
    assert len(known) == 1


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_changes_and_findings_are_placed_alike(command, format_, world, run, monkeypatch):
    """Of a meter that differs, in a project given by its whole path."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs", "sum")]})
    (made.folder / ".git").mkdir()
    monkeypatch.chdir("/")
    extra = ["--yes"] if command == "apply" else []
    ran = run(command, made.folder, *extra, "--format", format_)
    assert files(ran.out, format_) == {"meters.yaml"}


@pytest.mark.parametrize("format_", ["github", "sarif"])
def test_a_place_outside_is_a_part_of_the_message(format_, world, run, tmp_path_factory):
    """A code host has no such file."""
    made = world(SEATS)
    outside = tmp_path_factory.mktemp("outside") / "plan.json"
    outside.write_text("{}")
    for path in (str(outside), os.path.relpath(outside)):
        ran = run("apply", made.folder, "--plan", path, "--format", format_)
        assert ran.code == 1
        assert not any(name.startswith(("/", "..")) for name in files(ran.out, format_))
        assert f"{path}: not a saved plan" in ran.out.replace("%3A", ":")
