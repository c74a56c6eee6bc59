"""Files that a run writes: whole, in the right place, refused before anything is done."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from cli.world import SEATS, existing
from published import held

from reconciler.cli import files

CHAIRS = {"meters": [existing("seats", "Chairs")]}


def test_several_formats_from_one_run(world, run):
    """The same report everywhere, and standard output besides."""
    made = world(SEATS, CHAIRS)
    out = made.folder / "report.json"
    ran = run("plan", made.folder, "--out", f"json={out}", "--out", f"text={out}.txt")
    assert held(out.read_text())["exit_code"] == 0
    assert out.with_name("report.json.txt").read_text() == ran.out


def test_errors_reach_the_files_too(world, run):
    """A job that only keeps the file learns why there is no plan."""
    made = world(SEATS)
    made.file("meters.yaml", "version: 7\n")
    out = made.folder / "report.json"
    assert run("plan", made.folder, "--out", f"json={out}").code == 1
    assert held(out.read_text())["diagnostics"]


@pytest.mark.parametrize(
    ("option", "place"),
    [("--out=json=", "missing/file"), ("--out=json=", "folder"), ("--save=", "missing/file")],
)
def test_a_place_that_cannot_take_a_file_ends_the_run_before_it_begins(option, place, world, run):
    """A usage error with code E002; no request is sent."""
    made = world(SEATS, CHAIRS)
    (made.folder / "folder").mkdir()
    ran = run("plan", made.folder, f"{option}{made.folder / place}")
    assert ran.code == 64
    assert "error E002" in ran.out
    assert not list(made.server.log)


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that takes no more data."""

    def full(*_: object):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_an_explanation_that_cannot_be_written_is_no_success(run, tmp_path, full_disk):
    """The missing file is reported on standard output and by the exit code."""
    ran = run("explain", "G001", "--out", f"json={tmp_path / 'g001.json'}")
    assert ran.code == 1
    assert ran.out.startswith("G001: ")
    assert "E002: cannot be written: No space left" in " ".join(ran.out.split())


def test_a_report_that_cannot_be_written_exits_1(world, run, full_disk):
    """The apply is reported on standard output; the missing file makes it exit 1."""
    made = world(SEATS, CHAIRS)
    out = made.folder / "report.json"
    ran = run("apply", made.folder, "--yes", "--no-journal", "--out", f"json={out}")
    assert ran.code == 1
    assert "No space left on device" in ran.out
    assert "→ done" in ran.out
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "meters.yaml",
        "reconciler.yaml",
    ]


def test_an_old_file_is_replaced_and_keeps_its_links(world, run):
    """A symbolic link stays one; what it points to is the new report."""
    made = world(SEATS, CHAIRS)
    real, link = made.file("real.json", "old"), made.folder / "link.json"
    link.symlink_to(real)
    run("plan", made.folder, "--out", f"json={link}")
    assert link.is_symlink()
    held(real.read_text())


def test_a_pipe_is_written_to_and_not_replaced(world, run, tmp_path):
    """Its reader gets the report, and it is still a pipe afterwards."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        run("plan", world(SEATS, CHAIRS).folder, "--out", f"json={tmp_path / 'pipe'}")
        assert held(os.read(reader, 2**16).decode())["command"] == "plan"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_device_is_written_to_and_not_replaced(world, run, tmp_path):
    """A null device of the test's own: whatever a mistake does to it, the machine's is safe."""
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.stat(os.devnull).st_rdev)
        os.close(os.open(device, os.O_WRONLY))
    except PermissionError:
        pytest.skip("devices can be neither made nor opened here")
    ran = run("plan", world(SEATS, CHAIRS).folder, "--out", f"json={device}")
    assert ran.code == 0
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_saved_plan_is_for_its_owner(world, run):
    """It holds meters and prices of the account, and what apply will do."""
    made = world(SEATS, CHAIRS)
    saved = made.folder / "plan.json"
    run("plan", made.folder, "--save", saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_a_refused_plan_is_saved_too(world, run):
    """Reviewers may want to see it; applying it is refused as well."""
    made = world(SEATS, {"meters": [existing("seats", "Seats", "sum")]})
    saved = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 3
    assert run("apply", made.folder, "--plan", saved).code == 3


def test_a_saved_plan_is_applied_as_it_was_approved(world, run):
    """Done once, `already` the second time; --expect holds for it too."""
    made = world(SEATS, CHAIRS, account_id="acct_1EmulatedAccount")
    saved = made.folder / "plan.json"
    planned = held(run("plan", made.folder, "--save", saved, "--format", "json").out)
    (account,) = planned["accounts"]
    wrong = run("apply", made.folder, "--plan", saved, "--expect", "0" * 64)
    right = run("apply", made.folder, "--plan", saved, "--expect", account["plan_hash"])
    again = run("apply", made.folder, "--plan", saved)
    assert (wrong.code, right.code, again.code) == (3, 0, 0)
    assert "→ already" in again.out
    assert len(made.posts()) == 1


@pytest.mark.parametrize("data", [b"{}", b"\xff", b""], ids=["empty", "bytes", "nothing"])
def test_a_file_that_is_no_plan_is_an_error(data, world, run):
    """1, with a code, and nothing was sent."""
    made = world(SEATS, CHAIRS)
    saved = made.folder / "plan.json"
    saved.write_bytes(data)
    assert run("apply", made.folder, "--plan", saved).code == 1
    assert run("apply", made.folder, "--plan", made.folder / "none").code == 1
    assert not list(made.server.log)


@pytest.mark.parametrize(("options", "kept"), [([], True), (["--no-journal"], False)])
def test_the_journal_is_kept_unless_it_is_not_wanted(options, kept, world, run):
    """In .reconciler/ of the project, where anything was sent."""
    made = world(SEATS, CHAIRS)
    assert run("apply", made.folder, "--yes", *options).code == 0
    journal = made.folder / ".reconciler" / "journal.jsonl"
    assert journal.exists() == kept


class Killed(BaseException):
    """Whatever ends a run: Ctrl-C, a bug, a lack of memory."""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Killed()])
def test_a_draft_is_never_left_behind(error, tmp_path, monkeypatch):
    """The old file is unchanged, and no draft remains."""
    (tmp_path / "plan").write_text("old")

    def fails(*_: object):
        raise error

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises((files.FileError, Killed)):
        files.Target(str(tmp_path / "plan"), 0o666).write("new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_link_in_the_place_of_a_draft_is_not_followed(tmp_path, monkeypatch):
    """Its name is unpredictable, and an existing link is an error."""
    drafts = []
    real = os.open

    def planted(path: object, flags: int, mode: int = 0o777) -> int:
        drafts.append(os.fspath(path))
        os.symlink(tmp_path / "elsewhere", drafts[-1])
        return real(path, flags, mode)

    monkeypatch.setattr(files.os, "open", planted)
    for _ in range(2):
        with pytest.raises(files.FileError, match="File exists"):
            files.Target(str(tmp_path / "plan"), 0o666).write("secret")
    assert not (tmp_path / "elsewhere").exists()
    assert len(set(drafts)) == 2
    assert str(os.getpid()) not in "".join(drafts).removeprefix(str(tmp_path))


@pytest.mark.parametrize("option", ["--out=json=", "--save="])
@pytest.mark.parametrize(
    "name",
    [
        "reconciler.yaml",
        "meters.yaml",
        "link.yaml",
        "./hard.yaml",
        ".reconciler/journal.jsonl",
        ".reconciler/new.json",
        "link.json",
        "new.YML",
    ],
)
@pytest.mark.parametrize("sound", ["sound", "meters broken", "project wrong", "project broken"])
def test_no_document_takes_the_place_of_what_the_run_reads(option, name, sound, world, run):
    """U009, and no file is changed, also in a project with errors."""
    made = world(SEATS, CHAIRS)
    (made.folder / ".reconciler").mkdir()
    made.file(".reconciler/journal.jsonl", "")
    made.file("seed.json", "{}")
    local = "accounts: {local: {emulator: state.json, seed: seed.json}}\n"
    wrong = "metres: 1\n" if sound == "project wrong" else ""
    made.file("reconciler.yaml", f"version: 1\n{wrong}{local}")
    if sound == "project broken":
        made.file("reconciler.yaml", "version: [\n")
    if sound == "meters broken":
        made.file("meters.yaml", "meters: [\n")
    (made.folder / "link.yaml").symlink_to("meters.yaml")
    (made.folder / "link.json").symlink_to("meters.yaml")
    os.link(made.folder / "meters.yaml", made.folder / "hard.yaml")
    before = contents(made.folder)
    ran = run("plan", made.folder, f"{option}{made.folder}/{name}")
    assert ran.code == 64
    assert "error U009" in ran.out
    assert contents(made.folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_document_does_not_take_the_place_of_the_plan_or_of_another(world, run):
    """Neither of the plan that is applied, nor of the one that is saved, by whatever name."""
    made = world(SEATS, CHAIRS)
    saved = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    before = saved.read_bytes()
    over = f"json={made.folder}/./plan.json"
    ran = run("apply", made.folder, "--plan", saved, "--out", over)
    assert (ran.code, saved.read_bytes()) == (64, before)
    assert "error U009" in ran.out
    ran = run("plan", made.folder, "--save", saved, "--out", over)
    assert (ran.code, saved.read_bytes()) == (64, before)
    assert "error U004" in ran.out
    assert not made.posts()


def test_a_plan_may_be_saved_again(world, run):
    """The file is replaced, and keeps its mode."""
    made = world(SEATS, CHAIRS)
    saved = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    saved.chmod(0o640)
    assert run("plan", made.folder, "--save", saved).code == 0
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_to_a_file_elsewhere_is_refused(exists, world, run, tmp_path_factory):
    """A pull request could hold such a link; one to a file beside it is followed."""
    made, elsewhere = world(SEATS, CHAIRS), tmp_path_factory.mktemp("elsewhere") / "file"
    if exists:
        elsewhere.write_text("mine")
    (made.folder / "out.json").symlink_to(elsewhere)
    ran = run("plan", made.folder, "--out", f"json={made.folder / 'out.json'}")
    assert (ran.code, "error U009" in ran.out) == (64, True)
    assert elsewhere.exists() == exists
    assert not list(made.server.log)


def test_the_summary_of_a_github_step_is_appended_to(world, run, monkeypatch):
    """Earlier commands of the step have written to it; any other file is replaced."""
    made = world(SEATS, CHAIRS)
    summary, other = made.file("summary.md", "# Before\n"), made.file("other.md", "# Before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    link = made.folder / "link.md"
    link.symlink_to("summary.md")
    text = ""
    for name in (summary, os.path.relpath(summary), made.folder / "." / "summary.md", link):
        run("plan", made.folder, "--out", f"markdown={name}", "--out", f"markdown={other}")
        text += other.read_text()
        assert summary.read_text() == "# Before\n" + text


def test_the_summary_of_a_github_step_is_begun_where_there_is_none(world, run, monkeypatch):
    """A runner makes the file; elsewhere the variable may be left over."""
    made = world(SEATS, CHAIRS)
    summary = made.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for _ in range(2):
        assert run("plan", made.folder, "--out", f"markdown={summary}").code == 0
    assert summary.read_text().count("## Plan for") == 2


@pytest.mark.parametrize("option", ["--out=json=", "--save="])
@pytest.mark.parametrize("links", [["loop"], ["one", "two"]])
def test_a_link_to_itself_is_refused_before_the_first_request(links, option, world, run):
    """There is nothing to write to, and nothing behind it to replace."""
    made = world(SEATS, CHAIRS)
    for link, target in zip(links, [*links[1:], links[0]], strict=True):
        (made.folder / link).symlink_to(target)
    ran = run("plan", made.folder, f"{option}{made.folder / links[0]}")
    assert (ran.code, "error E002" in ran.out) == (64, True)
    assert not list(made.server.log)


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_a_descriptor_that_cannot_be_written_is_refused_before_the_first_request(name, world, run):
    """One that is not open, and one that is open for reading."""
    made = world(SEATS, CHAIRS)
    reader, writer = os.pipe()
    os.close(writer)
    for number in (reader, writer):
        ran = run("plan", made.folder, "--out", f"json={name.format(number)}")
        assert (ran.code, "error E002" in ran.out) == (64, True)
    os.close(reader)
    assert not list(made.server.log)


def test_a_fifo_gets_the_document_once_it_is_read(world, run):
    """It is opened before the first request, and stays a FIFO."""
    made = world(SEATS, CHAIRS)
    fifo = made.folder / "fifo"
    os.mkfifo(fifo)
    read = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # so that the virtual clock can't win
    reader.start()
    ran = run("plan", made.folder, "--out", f"json={fifo}")
    reader.join(10)
    os.close(descriptor)
    assert (ran.code, held(read[0])["exit_code"]) == (0, 0)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_fifo_without_a_reader_is_given_up_after_five_seconds(world, run, clock):
    """A usage error; no request is sent."""
    made = world(SEATS, CHAIRS)
    os.mkfifo(made.folder / "fifo")
    ran = run("plan", made.folder, "--out", f"json={made.folder / 'fifo'}")
    assert (ran.code, "no process reads this pipe" in ran.out) == (64, True)
    assert sum(clock.slept) == pytest.approx(5, abs=0.1)
    assert not list(made.server.log)


def test_an_open_descriptor_is_written_to(world, run):
    """As in `--out json=/dev/fd/3`, which is also what `>(command)` becomes."""
    reader, writer = os.pipe()
    ran = run("explain", "G001", "--out", f"json=/dev/fd/{writer}")
    os.close(writer)
    with open(reader, encoding="utf-8") as stream:
        assert json.load(stream)["codes"][0]["code"] == "G001"
    assert ran.code == 0


def test_standard_output_by_name_carries_one_document(run):
    """/dev/stdout is `-`."""
    assert held(run("explain", "G001", "--out", "json=/dev/stdout").out)["codes"]
    assert run("explain", "--format", "text", "--out", "json=/dev/stdout").code == 64


def test_a_hard_link_to_a_source_or_another_document_is_that_file(world, run):
    """By another name, and without a link to follow."""
    made = world(SEATS, CHAIRS)
    saved = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    os.link(saved, made.folder / "other.json")
    before = contents(made.folder)
    for words in (["apply", "--plan", saved], ["plan", "--save", saved]):
        ran = run(words[0], made.folder, *words[1:], f"--out=json={made.folder}/other.json")
        assert (ran.code, contents(made.folder)) == (64, before)
    assert not list(made.posts())
