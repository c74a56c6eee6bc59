"""Which commits changed a declaration: told by meaning, from real repositories."""

from __future__ import annotations

import subprocess

import pytest
from history.checkout import SECOND, begun

from reconciler.history import declarations as commits
from reconciler.history.declarations import changes
from reconciler.report.history import DeclarationChange

SEATS = """\
version: 1
meters:
  - event_name: seats
    display_name: Seats
    default_aggregation: {formula: count}
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """An empty checkout."""
    return begun(tmp_path, monkeypatch)


def told(made, name="seats", folder=""):
    """What the commits did, oldest first; nothing was left out."""
    found, diagnostics = changes(str(made.folder / folder), name)
    assert diagnostics == ()
    return [(each.subject, each.turn, each.keys) for each in reversed(found)]


def test_a_commit_is_told_by_what_it_means(made):
    """A line that does not bear the name counts; comments, order and other meters do not."""
    made.file("meters.yaml", SEATS)
    first = made.commit("Declare seats", "Ada Lovelace")
    made.file("meters.yaml", f"# billing\n{SEATS}    status: active # x\n")
    made.commit("Say the default")
    made.file("meters.yaml", f"{SEATS}    status: inactive\n".replace("Seats", "Chairs"))
    made.commit("Retire")
    other = SEATS.replace("meters:", "meters:\n  - {event_name: other, status: inactive}")
    made.file("meters.yaml", f"{other}    display_name: x\n")
    made.commit("Write a key twice")
    made.file("meters.yaml", other.replace("inactive", "active"))
    made.commit("Change the other meter, and write the key once")
    made.file("meters.yaml", "# nothing to see\n" + other.replace("inactive", "active"))
    made.commit("Only a comment")
    made.file("meters.yaml", "version: 1\nmeters: []\n")
    made.commit("Remove all")
    assert told(made) == [
        ("Declare seats", DeclarationChange.DECLARED, ()),
        ("Say the default", DeclarationChange.CHANGED, ("status",)),
        ("Retire", DeclarationChange.CHANGED, ("display_name", "status")),
        ("Write a key twice", DeclarationChange.CHANGED, ("display_name", "status")),
        ("Remove all", DeclarationChange.REMOVED, ()),
    ]
    (*_, oldest), _ = changes(str(made.folder), "seats")
    assert (oldest.commit, oldest.author) == (first, "Ada Lovelace")
    assert (oldest.at, oldest.files) == (SECOND, ("meters.yaml",))


def test_an_entry_that_moves_as_it_is_does_not_count(made):
    """Renamed files and files that are split; only files below the project are looked at."""
    made.file("billing/a.yaml", SEATS)
    made.file("elsewhere/b.yaml", SEATS.replace("Seats", "Other"))
    made.commit("Declare")
    made.git("mv", "billing/a.yaml", "billing/b.yml")
    made.commit("Move")
    made.git("mv", "billing/b.yml", "billing/c.yaml")
    made.file("billing/c.yaml", SEATS.replace("Seats", "Chairs"))
    made.commit("Move and rename")
    moved = ("Move and rename", DeclarationChange.CHANGED, ("display_name",))
    assert told(made, folder="billing") == [("Declare", DeclarationChange.DECLARED, ()), moved]
    (latest, _), _ = changes(str(made.folder / "billing"), "seats")
    assert latest.files == ("c.yaml",)


NAMES = [
    "seats",
    "a.*b",
    "-Gseats",
    "--output=owned",
    "$(touch owned)",
    "a'b\"c\\d",
    ":(top)seats",
    "seats\nseats",
    "sièges 席",
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_of_meters_are_plain_text(made, name):
    """Nothing of a name is a pattern, an option or a command."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    made.file("meters.yaml", SEATS.replace("seats", f'"{quoted}"'))
    made.commit("Declare")
    assert told(made, name) == [("Declare", DeclarationChange.DECLARED, ())]
    assert told(made, name[:-1]) == []
    assert not list(made.folder.rglob("owned"))


FILES = ["a b.yaml", "-rf.yaml", 'q"\n\t.yml', "ü/席.yaml", "*.yaml", ":(top).yaml", "x\\.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_hostile_names_of_files_are_plain_text(made, name):
    """Line breaks, quotes, globs."""
    made.file(f"p/{name}", SEATS)
    made.commit("Declare")
    (found,), _ = changes(str(made.folder / "p"), "seats")
    assert found.files == (name,)


SUBJECTS = ["", ":100644 100644 a b M", "0" * 40, "\x1b[31mred\x07", "x" * 5_000]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_hostile_subjects_and_authors_are_plain_text(made, subject):
    """They look like other parts of the log; the commit before is found all the same."""
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    made.file("meters.yaml", SEATS.replace("Seats", "Chairs"))
    made.commit(subject, author=subject[:100] or "Ada")
    assert [each[0] for each in told(made)] == ["Declare", subject]


def test_a_file_name_that_is_no_text_is_shown_as_such(made):
    """Git and the disk take any bytes."""
    made.file("\udcff.yaml", SEATS)
    made.commit("Declare")
    (found,), _ = changes(str(made.folder), "seats")
    assert found.files == ("\ufffd.yaml",)


def test_a_version_that_cannot_be_read_declares_nothing(made):
    """So the commit that broke it is told, and the one that mended it."""
    for subject, content in (("Declare", SEATS), ("Break", "meters: ["), ("Mend", SEATS)):
        made.file("meters.yaml", content)
        made.commit(subject)
    assert [each[1] for each in told(made)] == [
        DeclarationChange.DECLARED,
        DeclarationChange.REMOVED,
        DeclarationChange.DECLARED,
    ]


def _branches(made, side, here):
    """Two branches with one file each has changed; the merge is left to the caller."""
    spread = SEATS + "\n" * 9 + "  - {event_name: other, display_name: O}\n"
    made.file("meters.yaml", spread)
    made.commit("Declare")
    made.git("checkout", "--quiet", "-b", "side")
    made.file("meters.yaml", spread.replace(*side))
    made.commit("On the side")
    made.git("checkout", "--quiet", "main")
    made.file("meters.yaml", spread.replace(*here))
    made.commit("Here")
    return spread


def test_a_merge_that_only_merges_is_not_told(made):
    """Both branches touched the file; the entry is as one of them had it."""
    _branches(made, ("Seats", "Chairs"), ("O}", "P}"))
    made.git("merge", "--quiet", "--no-commit", "side", GIT_AUTHOR_NAME="A", **_COMMITTER)
    made.commit("Merge")
    assert [each[0] for each in told(made)] == ["Declare", "On the side"]


def test_a_merge_that_says_something_of_its_own_is_told(made):
    """A conflict that was settled in a third way."""
    spread = _branches(made, ("Seats", "Chairs"), ("Seats", "Stools"))
    with pytest.raises(subprocess.CalledProcessError):
        made.git("merge", "--quiet", "side", **_COMMITTER)
    made.file("meters.yaml", spread.replace("Seats", "Benches"))
    made.commit("Merge")
    found = {each[0]: each[1:] for each in told(made)}
    assert set(found) == {"Declare", "On the side", "Here", "Merge"}
    assert found["Merge"] == (DeclarationChange.CHANGED, ("display_name",))


_COMMITTER = {"GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.com"}


def test_outside_of_a_checkout_nothing_is_said(tmp_path):
    """Nor in one without a commit."""
    (tmp_path / "meters.yaml").write_text(SEATS)
    assert changes(str(tmp_path), "seats") == ((), ())


def test_a_checkout_without_a_commit_has_no_past(made):
    """What is not committed yet is no commit."""
    made.file("meters.yaml", SEATS)
    assert changes(str(made.folder), "seats") == ((), ())


def test_a_shallow_clone_is_said_and_its_edge_declares_nothing(made, tmp_path_factory):
    """The commit at which it is cut off seems to declare everything; its author did not."""
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    made.file("other.yaml", SEATS.replace("seats", "other"))
    made.commit("The edge")
    made.file("meters.yaml", SEATS.replace("Seats", "Chairs"))
    made.commit("Rename")
    clone = tmp_path_factory.mktemp("clone")
    made.git("clone", "--quiet", "--depth=2", made.folder.as_uri(), str(clone))
    found, diagnostics = changes(str(clone), "seats")
    assert [each.subject for each in found] == ["Rename"]
    assert [(p.code, "shallow" in p.message) for p in diagnostics] == [("J103", True)]


def test_a_partial_clone_is_said_and_nothing_is_fetched(made, tmp_path_factory):
    """The earlier version of the file is still at its origin, and stays there."""
    made.git("config", "uploadpack.allowFilter", "true")
    for name in ("Seats", "Chairs"):
        made.file("meters.yaml", SEATS.replace("Seats", name))
        made.commit(name)
    clone = tmp_path_factory.mktemp("clone")
    made.git("clone", "--quiet", "--filter=blob:none", made.folder.as_uri(), str(clone))
    before = set(clone.rglob("*"))
    found, (diagnostic,) = changes(str(clone), "seats")
    assert (found, diagnostic.code) == ((), "J102")
    assert "not allowed" in diagnostic.message
    assert set(clone.rglob("*")) == before


def test_a_very_long_history_is_cut_and_that_is_said(made, monkeypatch):
    """The latest commits are those that matter."""
    monkeypatch.setattr(commits, "MOST", 2)
    words = tuple("--max-count=2" if w.startswith("--max-count") else w for w in commits._LOG)
    monkeypatch.setattr(commits, "_LOG", words)
    for name in ("Seats", "Chairs", "Stools"):
        made.file("meters.yaml", SEATS.replace("Seats", name))
        made.commit(name)
    found, diagnostics = changes(str(made.folder), "seats")
    assert [each.subject for each in found] == ["Stools", "Chairs"]
    assert [diagnostic.code for diagnostic in diagnostics] == ["J103"]


def test_a_date_beyond_any_calendar_is_the_last_one_there_is(made):
    """Nothing keeps a committer's clock from being wrong."""
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    raw = made.git("cat-file", "commit", "HEAD").replace(str(SECOND), "9" * 17)
    words = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    made.git("update-ref", "HEAD", made.git(*words, stdin=f"{raw}\n".encode()))
    (found,), _ = changes(str(made.folder), "seats")
    assert 0 <= found.at <= 253_402_300_799
