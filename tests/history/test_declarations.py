"""Which commits name a meter: read from real repositories."""

from __future__ import annotations

import pytest
from history.checkout import SECOND, begun

from reconciler.history import declarations
from reconciler.history.declarations import find_commits

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
    found, diagnostics = find_commits(str(made.folder / folder), name)
    assert diagnostics == ()
    return [(each.subject, str(each.turn), each.files) for each in reversed(found)]


def test_commits_are_found_by_the_lines_that_name_the_meter(made):
    """Other lines and longer names do not count."""
    made.file("meters.yaml", SEATS.replace("seats", "other"))
    made.commit("Declare another")
    made.file("meters.yaml", SEATS)
    first = made.commit("Declare seats", "Ada Lovelace")
    made.file("meters.yaml", SEATS.replace("Seats", "Chairs"))
    made.commit("Change its display_name")
    made.file("meters.yaml", SEATS + "  - {event_name: seats_2}\n  - {event_name: my.seats}\n")
    made.commit("Declare others")
    made.file("meters.yaml", SEATS.replace("seats", "seats  # by chair"))
    made.commit("Comment on its line")
    made.file("meters.yaml", "version: 1\nmeters: []\n")
    made.commit("Remove all")
    assert told(made) == [
        ("Declare seats", "added", ("meters.yaml",)),
        ("Comment on its line", "changed", ("meters.yaml",)),
        ("Remove all", "removed", ("meters.yaml",)),
    ]
    (*_, oldest), _ = find_commits(str(made.folder), "seats")
    assert (oldest.commit, oldest.author, oldest.at) == (first, "Ada Lovelace", SECOND + 3_600)


def test_only_yaml_files_of_the_project_count(made):
    """A file that is only moved does not."""
    made.file("billing/a.yaml", SEATS)
    made.file("billing/README.md", "seats")
    made.file("elsewhere/b.yaml", SEATS)
    made.commit("Declare")
    made.git("mv", "billing/a.yaml", "billing/b.yml")
    made.commit("Move")
    made.file("billing/README.md", "no seats")
    made.commit("Describe")
    made.git("rm", "-rq", "elsewhere")
    made.commit("Remove elsewhere")
    made.file(".gitattributes", "*.yml binary\n")
    made.git("rm", "-rq", "billing/b.yml")
    made.commit("Remove")
    assert told(made, folder="billing") == [
        ("Declare", "added", ("a.yaml",)),
        ("Remove", "removed", ("b.yml",)),
    ]


NAMES = [
    *("seats", "a.*b", "[a-z]", "(x|y)", "^a$", "-Gseats", "--output=owned", "$(touch owned)"),
    *('a"bc', ":(top)seats", "sièges 席", "a\\d+", "a{2}", "?+*"),
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_of_meters_are_plain_text(made, name):
    quoted = "'" + name.replace("'", "''") + "'"
    decoys = "# axxb x a ad add aa"
    made.file("meters.yaml", f"{decoys}\n")
    made.commit("Nothing")
    made.file("meters.yaml", f"{decoys}\n{SEATS.replace('seats', quoted)}")
    made.commit("Declare")
    assert told(made, name) == [("Declare", "added", ("meters.yaml",))]
    assert told(made, f"{name}x") == []
    assert not list(made.folder.rglob("owned"))


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b"])
def test_a_name_that_no_line_can_hold_has_no_commits(made, name):
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    assert told(made, name) == []


FILES = ["a b.yaml", "-rf.yaml", "ü/席.yaml", "*.yaml", ":(top).yaml", "b/x.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_hostile_names_of_files_are_plain_text(made, name):
    made.file(f"p/{name}", SEATS)
    made.commit("Declare")
    assert told(made, folder="p") == [("Declare", "added", (name,))]


def test_an_undecodable_file_name_is_quoted(made):
    made.file("\udcff\n.yaml", SEATS)
    made.commit("Declare")
    ((_, _, (name,)),) = told(made)
    assert name.isprintable()


SUBJECTS = ["", "+++ b/x", "0" * 40, "\x1b[31mred\x07", "x" * 5_000]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_hostile_subjects_authors_and_lines_are_plain_text(made, subject):
    """They look like other parts of the log."""
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    made.file("meters.yaml", f"{SEATS}# > seats\n# {subject}\n++ b/y seats\n\0\0 seats\n")
    made.commit(subject, author=subject[:100] or "Ada")
    assert told(made) == [
        ("Declare", "added", ("meters.yaml",)),
        (subject, "added", ("meters.yaml",)),
    ]


def test_without_a_checkout_or_a_commit_there_is_nothing(tmp_path, monkeypatch):
    (tmp_path / "meters.yaml").write_text(SEATS)
    assert find_commits(str(tmp_path), "seats") == ((), ())
    begun(tmp_path, monkeypatch)
    assert find_commits(str(tmp_path), "seats") == ((), ())


def test_a_shallow_clone_is_reported(made, tmp_path_factory):
    """Its oldest commit seems to add everything, and is left out."""
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    made.file("other.yaml", SEATS.replace("seats", "other"))
    made.commit("The edge")
    made.file("meters.yaml", SEATS.replace("seats", "seats #"))
    made.commit("Comment")
    clone = tmp_path_factory.mktemp("clone")
    made.git("clone", "--quiet", "--depth=2", made.folder.as_uri(), str(clone))
    found, diagnostics = find_commits(str(clone), "seats")
    assert [each.subject for each in found] == ["Comment"]
    assert [(p.code, "shallow" in p.message) for p in diagnostics] == [("J103", True)]


def test_a_partial_clone_is_reported_and_nothing_is_fetched(made, tmp_path_factory):
    made.git("config", "uploadpack.allowFilter", "true")
    for name in ("seats", "chairs"):
        made.file("meters.yaml", SEATS.replace("seats", name))
        made.commit(name)
    clone = tmp_path_factory.mktemp("clone")
    made.git("clone", "--quiet", "--filter=blob:none", made.folder.as_uri(), str(clone))
    before = set(clone.rglob("*"))
    found, (diagnostic,) = find_commits(str(clone), "seats")
    assert (found, diagnostic.code) == ((), "J102")
    assert set(clone.rglob("*")) == before


def test_a_very_long_history_is_cut_and_that_is_reported(made, monkeypatch):
    monkeypatch.setattr(declarations, "MOST", 2)
    for n in range(3):
        made.file("meters.yaml", SEATS.replace("seats", f"seats # {n}"))
        made.commit(str(n))
    found, diagnostics = find_commits(str(made.folder), "seats")
    assert [each.subject for each in found] == ["2", "1"]
    assert [diagnostic.code for diagnostic in diagnostics] == ["J103"]


def test_a_date_out_of_range_is_the_last_one_allowed(made):
    made.file("meters.yaml", SEATS)
    made.commit("Declare")
    raw = made.git("cat-file", "commit", "HEAD").replace(str(SECOND), "9" * 17)
    words = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    made.git("update-ref", "HEAD", made.git(*words, stdin=f"{raw}\n".encode()))
    (found,), _ = find_commits(str(made.folder), "seats")
    assert 0 <= found.at <= 253_402_300_799
