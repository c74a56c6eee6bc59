"""A file that is passed over must not look like the absence of its meters."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

POLICY = '{undeclared: deactivate, owns: ["*"], max_deactivations: 9}'
SEED = {"meters": [existing("seats", "Seats"), existing("calls", "Calls", "sum")]}
OTHER = f"version: 1\nmeters:\n  - {CALLS}\n"


@pytest.fixture
def project(world):
    """Two meter files, one of which is under test, and an account with both meters."""

    def build(patterns="[a.yaml, b.yaml]"):
        made = world(SEATS, SEED, policy=POLICY)
        text = (made.folder / "reconciler.yaml").read_text("utf-8")
        made.file("reconciler.yaml", text.replace('["meters.yaml"]', patterns))
        (made.folder / "meters.yaml").rename(made.folder / "a.yaml")
        made.file("b.yaml", OTHER)
        return made

    return build


def refused(run, made, *more):
    """The codes that refuse a plan: of the files, or of the guards; nothing is written."""
    ran = run("apply", made.folder, "--yes", "--format", "json", *more)
    assert made.posts() == []
    report = held(ran.out)
    accounts = [one for account in report["accounts"] for one in account["diagnostics"]]
    errors = [one for one in [*report["diagnostics"], *accounts] if one["level"] == "error"]
    return ran.code, errors


@pytest.mark.parametrize("name", ["b.YAML", "b.Yml", "B.yaml", "Sub/b.yaml"])
def test_a_name_that_differs_in_case(name, project, run):
    """From a pattern, in the file or in a folder."""
    patterns = "[a.yaml, b.yaml, sub/*.yaml, '[c-z].yaml']" if name[0] in "BS" else "['*.y*ml']"
    made = project(patterns)
    (made.folder / "sub").mkdir()
    made.file("sub/c.yaml", "version: 1\nmeters: []\n")
    made.file("z.yaml", "version: 1\nmeters: []\n")
    (made.folder / "Sub").mkdir(exist_ok=True)
    (made.folder / "b.yaml").rename(made.folder / name)
    code, errors = refused(run, made)
    assert (code, "C036" in [each["code"] for each in errors]) == (1, True)
    (at,) = [each["location"]["file"] for each in errors if each["code"] == "C036"]
    assert at == f"{made.folder}/{name}"


def test_a_pattern_that_distinguishes_case_is_taken_at_its_word(project, run):
    made = project('["[a-z].yaml"]')
    made.file("B.yaml", "not: read")
    assert run("plan", made.folder).code == 0


NEAR = [
    "reconciler.yml",
    "Reconciler.yml",
    "RECONCILER.YAML",
    ".reconciler.yaml",
    "_reconciler.yml",
]


@pytest.mark.parametrize(
    "name", [*NEAR, "_reconciler.yml", "reconciler.yaml.txt", "reconciler.yalm"]
)
@pytest.mark.parametrize("where", ["alone", "beside", "below"])
def test_a_misnamed_project_file(name, where, project, run):
    """Alone, beside a right one, or in a subfolder."""
    made = project()
    (made.folder / "sub").mkdir()
    if where == "alone":
        (made.folder / "reconciler.yaml").rename(made.folder / name)
    else:
        made.file(f"sub/{name}" if where == "below" else name, "version: 1\n")
        text = (made.folder / "reconciler.yaml").read_text("utf-8")
        made.file("reconciler.yaml", text.replace("b.yaml]", "b.yaml, '**/*.yaml']"))
    code, errors = refused(run, made)
    assert (code, {each["code"] for each in errors}) == (1, {"C024"})
    assert name in errors[0]["message"]


BACKUPS = ["reconciler.yaml.bak", "reconciler.yaml~", "reconciler.yml.orig"]


@pytest.mark.parametrize("name", BACKUPS)
def test_a_backup_is_no_project_file(name, project, run):
    """It is an error where it is all that is left; beside a project file it is not."""
    made = project()
    made.file(name, "version: 1\n")
    assert run("plan", made.folder).code == 0
    (made.folder / "reconciler.yaml").unlink()
    assert [each["code"] for each in refused(run, made)[1]] == ["C024"]


@pytest.mark.parametrize(
    "name", ["b.yaml.bak", ".b.yaml", "drafts/b.yaml", ".old/b.yml", "b.yaml~", "b.yaml.txt"]
)
def test_a_file_that_is_moved_away_does_not_deactivate_its_meters(name, project, run):
    """It is named, until the meter is declared inactive or the file is gone."""
    made = project("['[ab].yaml']")
    (made.folder / name).parent.mkdir(exist_ok=True)
    (made.folder / "b.yaml").rename(made.folder / name)
    code, (error,) = refused(run, made)
    assert (code, error["code"], error["event_name"]) == (3, "G013", "calls")
    assert name in error["message"]
    (made.folder / name).unlink()
    assert run("apply", made.folder, "--yes").code == 0
    assert len(made.posts()) == 1


def test_a_split_file_of_which_one_part_is_not_read(project, run):
    """Consent is to declare the meter inactive."""
    made = project("['[ab].yaml']")
    (made.folder / "b.yaml").unlink()
    text = (made.folder / "a.yaml").read_text("utf-8")
    made.file("a-calls.yaml", OTHER)
    assert refused(run, made)[0] == 3
    made.file("a.yaml", f"{text}  - {CALLS.replace('calls,', 'calls, status: inactive,', 1)}\n")
    assert run("apply", made.folder, "--yes").code == 0


def test_a_file_that_drops_out_of_the_patterns_of_one_account(project, run):
    """Another account still reads it."""
    made = project()
    text = (made.folder / "reconciler.yaml").read_text("utf-8")
    own = json.dumps({"meters": ["a.yaml"]})[1:-1]
    made.file("reconciler.yaml", text.replace("sandbox: {", f"sandbox: {{{own}, ", 1))
    made.add_account("other")
    code, (error,) = refused(run, made, "--account", "sandbox")
    assert (code, error["code"]) == (3, "G013")
    assert f"{made.folder}/b.yaml" in error["message"]


def test_another_name_in_a_file_that_is_not_read_refuses_nothing(project, run):
    made = project("['[ab].yaml']")
    (made.folder / "b.yaml").unlink()
    made.file("notes.yaml", OTHER.replace("calls,", "calls_v2,"))
    made.file(".b.yaml.swp", OTHER)
    made.file("report.json", OTHER)
    assert run("plan", made.folder).code == 0


@pytest.mark.parametrize(("is_folder", "code"), [(False, 1), (True, 0)])
def test_a_misnamed_project_file_above_is_an_error(is_folder, code, tmp_path, run):
    """A folder of that name is none."""
    above, project = tmp_path / "reconciler.yml", tmp_path / "billing"
    project.mkdir()
    (project / "meters.yaml").write_text("version: 1\nmeters: []\n")
    above.mkdir() if is_folder else above.write_text("version: 1\n")
    assert run("validate", project).code == code
