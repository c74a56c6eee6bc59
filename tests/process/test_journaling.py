"""The journal on the real path: complete after every ending, and no request without it."""

from __future__ import annotations

import re
import sys
from collections import Counter

import pytest
from process import twenty
from process.children import apply
from process.limits import little_room, powerless

from reconciler.emulator import Settings
from reconciler.history import journal


def complete(stand, ended):
    """Who and which plan first, each request twice, each line once, the exit code last."""
    entries = stand.journal()
    assert (entries[0]["kind"], entries[-1]["kind"]) == ("run", "end")
    (account,) = ended.document["accounts"]
    assert entries[0]["plan_id"] == account["plan_id"]
    assert entries[0]["account"]["id"] == account["account"]["id"]
    assert entries[0]["user"]
    assert entries[-1]["exit_code"] == ended.code
    kinds = Counter(entry["kind"] for entry in entries)
    assert kinds["request"] == kinds["response"]
    reported = {e["event_name"]: e["status"] for e in entries if e["kind"] == "result"}
    assert reported == ended.results
    ids = {entry["request_id"] for entry in entries if entry["kind"] == "response"}
    assert ids <= {entry.request_id for entry in stand.server.log.posts}


def test_after_success(stand):
    """Every request with its id, every line with its outcome."""
    ended = apply(stand.folder).end()
    assert ended.code == 0
    complete(stand, ended)
    assert len(stand.journal()) == 1 + 2 * twenty.POSTS + 19 + 1


def test_after_a_500_that_came_after_the_effect(stand):
    """It records the indeterminate answer, and that the change is done."""
    stand.server.arm("500:after:post=13")
    ended = apply(stand.folder).end()
    assert ended.code == 0
    complete(stand, ended)
    (doubted,) = [entry for entry in stand.journal() if entry.get("result") == "indeterminate"]
    assert (doubted["status"], doubted["replayed"]) == (500, False)
    assert ended.results[doubted["event_name"]] == "done"


@pytest.mark.long
@pytest.mark.full  # after a refusal the lists are given time to catch up
def test_after_a_failure(stand):
    """The compensation of a replacement is there too, and what was not sent for it."""
    stand.server.state.settings = Settings(name_scope="all")
    ended = apply(stand.folder).end()
    assert ended.code == 5
    complete(stand, ended)
    assert Counter(ended.results.values()) == {"done": 14, "failed": 1, "skipped": 4}
    sent = [
        (e["operation"], e.get("undoes"), e["result"])
        for e in stand.journal()
        if e["kind"] == "response"
    ]
    assert [operation for operation, *_ in sent[-3:]] == ["deactivate", "create", "reactivate"]
    assert [result for *_, result in sent[-3:]] == ["confirmed", "rejected", "confirmed"]
    assert sent[-1][1] is not None
    assert stand.meters["mtr_over_1"]["status"] == "active"


def link_to_elsewhere(stand):
    stand.state_folder.mkdir()
    (stand.folder / "elsewhere").touch()
    (stand.state_folder / journal.NAME).symlink_to(stand.folder / "elsewhere")


def folder_of_another_user(stand):
    stand.state_folder.mkdir(mode=0o500)


def file_of_another_user(stand):
    stand.state_folder.mkdir()
    (stand.state_folder / journal.NAME).touch(mode=0o400)


def file_in_the_way(stand):
    stand.state_folder.write_text("")


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize(
    "trouble", [link_to_elsewhere, folder_of_another_user, file_of_another_user, file_in_the_way]
)
def test_without_a_journal_nothing_is_sent_unless_it_was_asked_for(stand, trouble):
    """A clear error before the first request, exit 1; with --no-journal the run goes on."""
    trouble(stand)
    ended = apply(stand.folder, setup=powerless).end()
    assert (ended.code, ended.document["exit_code"]) == (1, 1)
    (diagnostic,) = ended.document["accounts"][0]["diagnostics"]
    assert diagnostic["code"] == "J001"
    assert "--no-journal" in diagnostic["hint"]
    assert stand.posts == 0

    ended = apply(stand.folder, "--no-journal", setup=powerless).end()
    assert ended.code == 0
    assert twenty.found(stand.meters) == twenty.wanted()


def test_a_disk_that_fills_up_prevents_only_unsent_requests(stand):
    """What was sent is reported and was recorded before; the next run does the rest."""
    ended = apply(stand.folder, setup=little_room).end()
    assert (ended.code, ended.document["exit_code"]) == (5, 5)
    codes = [diagnostic["code"] for diagnostic in ended.document["accounts"][0]["diagnostics"]]
    assert "J003" in codes
    entries, _ = journal.read(stand.state_folder)
    intended = {entry["key"] for entry in entries if entry["kind"] == "request"}
    sent = {entry.key for entry in stand.server.log.posts}
    assert sent
    begun = {re.sub(r"-(\d+)-1$", lambda n: f"-{int(n[1]) + 1}-1", key) for key in intended}
    assert sent <= intended | begun, "only what finishes a line goes out without a note"
    assert set(ended.results.values()) <= {"done", "failed", "skipped"}

    assert apply(stand.folder).end().code == 0
    assert twenty.found(stand.meters) == twenty.wanted()
    assert max(stand.effects.values()) == 1


def test_no_journal_is_kept_where_none_is_wanted(stand):
    """Nor is its folder made."""
    assert apply(stand.folder, "--no-journal").end().code == 0
    assert not stand.state_folder.exists()
