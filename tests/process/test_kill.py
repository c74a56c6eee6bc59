"""The promise: a run that is killed at any moment is finished by the next one."""

from __future__ import annotations

import json
import signal
import threading

import pytest
from process import twenty
from process.children import TIMEOUT, Child, apply

from reconciler.emulator import Phase
from reconciler.history import journal

SAMPLE = {
    (1, Phase.BEFORE),  # the first create
    (4, Phase.AFTER),
    (9, Phase.AFTER),  # a reactivation or its rename
    (13, Phase.BEFORE),  # an update
    (
        16,
        Phase.BEFORE,
    ),  # an inactive duplicate is reactivated in place of the old meter
    (19, Phase.BEFORE),  # the rename of such a duplicate
    (21, Phase.BEFORE),  # a meter is to be created in place of what has just been stopped
    (25, Phase.AFTER),  # a deactivation
}
MOMENTS = [
    *(
        pytest.param("POST", n, phase, marks=() if (n, phase) in SAMPLE else pytest.mark.full)
        for n in range(1, twenty.POSTS + 1)
        for phase in Phase
    ),
    *(
        pytest.param("GET", n, Phase.AFTER, marks=pytest.mark.full)
        for n in range(1, twenty.GETS + 1)
    ),
]


def succeeded(stand, ended):
    """The account is as declared, and got there without doing anything twice or unasked."""
    assert ended.code == 0, ended
    assert ended.document["exit_code"] == 0
    assert twenty.found(stand.meters) == twenty.wanted()
    assert max(stand.effects.values()) == 1
    stops = {id_ for id_, kind in stand.effects if kind == "billing.meter.deactivated"}
    assert stops == twenty.STOPPED
    intended = {entry["key"] for entry in stand.journal(killed=True) if entry["kind"] == "request"}
    assert {entry.key for entry in stand.server.log.posts} <= intended


def test_an_undisturbed_run_does_every_line_once(stand):
    """What the others are measured by: each kind is there, and the number of requests."""
    ended = apply(stand.folder).end()
    succeeded(stand, ended)
    assert (stand.posts, len(stand.server.log)) == (twenty.POSTS, twenty.POSTS + twenty.GETS)
    counts = ended.document["summary"]
    assert sum(counts[kind] for kind in counts if kind not in ("refused", "ignored")) == 21
    for kind in ("create", "reactivate", "update", "replace", "deactivate"):
        assert counts[kind] >= 3


@pytest.mark.parametrize(("method", "number", "phase"), MOMENTS)
def test_a_run_killed_at_any_request_is_finished_by_the_next(stand, method, number, phase):
    """Converges, doubles nothing, stops nothing else; the journal can be read.

    Killed before a request, the request never arrives; killed after it, its answer is lost.
    A run that has left nothing anywhere needs no other: the next is an undisturbed one.
    """
    on_disk, untouched = [], left(stand)

    def kill(_, moment):
        first.slay()
        if method == "POST":
            on_disk.extend(
                entry for entry in stand.journal(killed=True) if _key(entry) == moment.request.key
            )
        if phase is Phase.BEFORE:
            stand.lose(moment)

    killed = stand.at(number, phase, kill, method)
    first = apply(stand.folder)
    ended = first.end()
    assert (ended.code, ended.out) == (-signal.SIGKILL, "")
    assert killed.wait(TIMEOUT)
    assert [entry["kind"] for entry in on_disk] == ["request"] * (method == "POST")

    if left(stand) != untouched:
        succeeded(stand, apply(stand.folder).end())


def left(stand):
    """What a run finds: the account, stored answers and events too, and every file."""
    with stand.server.lock:
        ledger = stand.server.state.ledger
        account = json.dumps([ledger.export(), [*ledger.replies]], sort_keys=True)
    files = {path: path.is_file() and path.read_bytes() for path in stand.folder.rglob("*")}
    return account, files


def _key(entry):
    return entry.get("key", "")


@pytest.mark.parametrize("number", [1, 21], ids=["create", "second half of a replacement"])
def test_what_a_killed_run_had_sent_may_arrive_during_the_next(stand, number):
    """The next run's own request is refused by the API, its meter found to be as wanted."""
    overtaken, landed = threading.Event(), threading.Event()
    plans = []

    def hold(at, moment):
        if moment.request.method != "POST":
            return
        plan = moment.request.key.rsplit("-", 2)[0]
        if (at, moment.phase) == (number, Phase.BEFORE):
            plans.append(plan)
            first.slay()
            assert overtaken.wait(TIMEOUT)
        elif at == number:
            landed.set()
        elif plans and plan not in plans:
            overtaken.set()
            assert landed.wait(TIMEOUT)

    stand.hook = hold
    first = apply(stand.folder)
    assert first.end().code == -signal.SIGKILL

    second = apply(stand.folder).end()

    succeeded(stand, second)
    assert list(second.results.values()).count("already") == 1


def test_a_line_that_the_kill_cut_off_is_said_by_history_and_ends_nothing(stand):
    """A torn last line costs that line only."""
    killed = stand.at(5, Phase.AFTER, lambda *_: first.slay())
    first = apply(stand.folder)
    first.end()
    assert killed.wait(TIMEOUT)
    path = stand.state_folder / journal.NAME
    path.write_bytes(path.read_bytes()[:-7])

    assert apply(stand.folder).end().code == 0

    told = Child("history", stand.folder, "--format", "json").end()
    document = told.document
    assert (told.code, document["complete"]) == (0, False)
    assert [diagnostic["code"] for diagnostic in document["diagnostics"]] == ["J002"]
    assert [run["exit_code"] for run in document["runs"]] == [None, 0]
