"""Ctrl-C and SIGTERM during an apply: nothing new is sent, and the report tells everything."""

from __future__ import annotations

import fcntl
import select
import signal
import threading
from collections import Counter

import pytest
from process import twenty
from process.children import TIMEOUT, Child, apply
from process.test_kill import succeeded

from reconciler.emulator import Phase

BOTH = (
    pytest.param(signal.SIGINT, id="INT"),
    pytest.param(signal.SIGTERM, id="TERM", marks=pytest.mark.full),
)
EITHER = pytest.mark.parametrize("number", BOTH)
KINDS = ("request", "response", "not_sent")
WORKERS = 8
PIPE = 4096  # bytes that fit into the smallest pipe


def interrupted(stand, ended):
    """Exit 130, one document, a result for each change; only what was sent is recorded."""
    assert ended.code == 130, ended
    assert ended.document["exit_code"] == 130
    assert "Traceback" not in ended.err
    statuses = Counter(ended.results.values())
    assert sum(statuses.values()) == 19, "one outcome for every line that writes"
    entries = stand.journal()
    keys = {kind: {e["key"] for e in entries if e["kind"] == kind} for kind in KINDS}
    assert keys["request"] == keys["response"] | keys["not_sent"]
    assert keys["response"] == {entry.key for entry in stand.server.log.posts}
    reported = {e["event_name"]: e["status"] for e in entries if e["kind"] == "result"}
    assert reported.items() <= ended.results.items()
    return statuses


@pytest.mark.parametrize(
    ("number", "phase"), [(signal.SIGINT, Phase.BEFORE), (signal.SIGTERM, Phase.AFTER)]
)
def test_requests_in_progress_are_waited_for_and_reported(stand, number, phase):
    """During parallel creates: each thread finishes its request."""
    arrived = []

    def stop(*_):
        child.stop(number)
        arrived.append(stand.posts)

    stand.at(2, phase, stop)
    child = apply(stand.folder)

    statuses = interrupted(stand, child.end())

    assert stand.posts - arrived[0] < WORKERS
    assert statuses["done"] == stand.posts == len(stand.effects)
    assert statuses["skipped"] == 19 - stand.posts
    stand.hook = lambda *_: None
    succeeded(stand, apply(stand.folder).end())


@EITHER
def test_a_replacement_that_has_begun_is_finished(stand, number):
    """Stopped between its halves it would leave a name without an active meter."""
    stand.at(20, Phase.AFTER, lambda *_: child.stop(number))
    child = apply(stand.folder)
    ended = child.end()

    statuses = interrupted(stand, ended)

    assert stand.posts == 21
    assert ended.results["over_1"] == "done"
    assert statuses == {"done": 15, "skipped": 4}
    stand.hook = lambda *_: None
    succeeded(stand, apply(stand.folder).end())


@EITHER
def test_a_pause_between_two_tries_ends_at_once(stand, number):
    """Nothing is under way: the process waits to repeat what a rate limit has refused."""
    path = "/v1/billing/meters/mtr_named_2"
    stand.server.arm(f"429:method=POST:path={path}:reason=global-rate")
    refused = threading.Event()
    stand.hook = lambda _, moment: refused.set() if moment.request.path == path else None
    child = apply(stand.folder)
    assert refused.wait(TIMEOUT)
    child.process.send_signal(number)

    ended = child.end()

    assert set(interrupted(stand, ended)) == {"done", "skipped"}
    assert ended.results["named_2"] == "skipped"
    stand.server.disarm()
    succeeded(stand, apply(stand.folder).end())


@EITHER
@pytest.mark.parametrize("format_", ["json", "text"])
def test_the_second_signal_ends_at_once_and_loses_nothing_that_matters(stand, number, format_):
    """The request under way is not waited for; the next run finds what became of it."""

    def twice(*_):
        child.stop(number)
        child.process.send_signal(number)
        child.process.wait(TIMEOUT)

    hung_up = stand.at(16, Phase.BEFORE, twice)
    child = apply(stand.folder, format_=format_)
    ended = child.end()

    assert ended.code == 130
    assert ended.out.count("U102") == 1
    assert "what was sent may have had its effect" in " ".join(ended.out.split())
    assert "Traceback" not in ended.err
    assert hung_up.wait(TIMEOUT)
    stand.hook = lambda *_: None
    succeeded(stand, apply(stand.folder).end())


@EITHER
@pytest.mark.parametrize("format_", ["json", "text"])
def test_a_signal_before_the_first_write_ends_with_nothing_written(stand, number, format_):
    """While the account is read."""
    stand.at(1, Phase.BEFORE, lambda *_: child.process.send_signal(number), "GET")
    child = apply(stand.folder, format_=format_)
    ended = child.end()
    assert ended.code == 130
    assert ended.out.count("U102") == 1
    assert "Traceback" not in ended.err
    assert stand.posts == 0
    assert not stand.state_folder.exists()


@EITHER
def test_a_signal_during_the_closing_look_leaves_the_report_whole(stand, number):
    """Each change is done and reported; only the verification is missing."""
    stand.at(twenty.GETS, Phase.BEFORE, lambda *_: child.process.send_signal(number), "GET")
    child = apply(stand.folder)
    ended = child.end()
    assert interrupted(stand, ended) == {"done": 19}
    assert twenty.found(stand.meters) == twenty.wanted()


@EITHER
@pytest.mark.parametrize(("command", "unbuffered"), [("plan", "1"), ("apply", "1"), ("apply", "")])
def test_a_signal_while_the_report_is_read_does_not_cut_it_off(
    stand, number, command, unbuffered, monkeypatch
):
    """Read slowly, as by a pager: the document is whole, and the exit code unchanged."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)  # as many images of CI have it
    agreed = ["--yes"] if command == "apply" else []
    child = Child(command, stand.folder, *agreed, "--format", "json", fresh=True)
    assert child.process.stdout
    fcntl.fcntl(child.process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
    assert select.select([child.process.stdout], [], [], TIMEOUT)[0], "the report has begun"
    child.process.send_signal(number)

    ended = child.end()

    assert len(ended.out) > PIPE
    assert "Traceback" not in ended.err
    assert ended.document["exit_code"] == ended.code == 0


@pytest.mark.parametrize(
    ("name", "codes"),
    [("over_1", ["U102", "A005"]), ("named_1", ["U102"])],
    ids=["replace", "update"],
)
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_a_second_signal_in_a_replacement_says_how_to_reactivate(stand, phase, name, codes):
    """The old meter is inactive, or may be: the document has the recovery command."""

    def interrupt_twice(*_):
        child.stop(signal.SIGTERM)
        child.process.send_signal(signal.SIGTERM)
        child.process.wait(TIMEOUT)

    over = stand.at(1, phase, interrupt_twice)
    child = apply(stand.folder, "--only", name)
    ended = child.end()
    assert over.wait(TIMEOUT)
    assert ended.code == 130
    assert [each["code"] for each in ended.document["diagnostics"]] == codes
    command = "/v1/billing/meters/mtr_over_1/reactivate"
    assert (command in ended.out) is ("A005" in codes)
