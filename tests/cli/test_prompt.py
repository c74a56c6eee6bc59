"""The question before an apply: on a real terminal, and where standard output goes elsewhere."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading

import pytest
from cli.world import SEATS, existing
from published import held

from reconciler.cli.console import Console
from reconciler.emulator import Phase

TIMEOUT = 30
QUESTION = "Only 'yes' will be accepted: "


class Desk:
    """A process on a pseudo-terminal, and everything that it has shown."""

    def __init__(self, *words: object, out: int | None = None, plain: bool = True) -> None:
        self._master, slave = pty.openpty()
        self.seen, self.grown = "", threading.Condition()
        self.child = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *map(str, words), *(["--no-color"] * plain)],
            stdin=slave,
            stdout=slave if out is None else out,
            stderr=slave,
        )
        os.close(slave)

    def read(self, until: str | None = None) -> str:
        """What the screen shows when these words have come, or all at the end."""
        while until is None or until not in self.seen:
            assert select.select([self._master], [], [], TIMEOUT)[0], self.seen
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the process has ended
                data = b""
            if not data:
                assert until is None, self.seen
                break
            with self.grown:
                self.seen += data.decode()
                self.grown.notify_all()
        return self.seen.replace("\r\n", "\n")

    def type(self, line: str) -> None:
        os.write(self._master, line.encode())

    def end(self) -> int:
        self.read()
        os.close(self._master)
        return self.child.wait(TIMEOUT)


def renamed(world):
    return world(SEATS, {"meters": [existing("seats", "Chairs")]})


def test_a_declined_plan_is_shown_once(world):
    """The plan before the question is the first part of the document."""
    made = renamed(world)
    desk = Desk("apply", made.folder)
    desk.read(QUESTION)
    desk.type("no\n")
    code, seen = desk.end(), desk.read(QUESTION)
    assert code == 1
    assert seen.count('"Chairs" → "Seats"') == 1
    assert seen.count("Nothing was changed") == 1
    assert "Cancelled. Nothing was changed in Stripe.\n" in seen.partition(QUESTION)[2]
    assert made.posts() == []


def test_an_interrupted_question_says_that_nothing_was_written(world):
    """Ctrl-C at the prompt: the account that was asked about is not forgotten."""
    made = renamed(world)
    desk = Desk("apply", made.folder)
    desk.read(QUESTION)
    desk.child.send_signal(signal.SIGINT)
    code, seen = desk.end(), desk.read(QUESTION)
    assert code == 130
    assert seen.count('"Chairs" → "Seats"') == 1
    after = seen.partition(QUESTION)[2]
    assert after.startswith("\nApply for sandbox (acct_1EmulatedAccount, test mode)\n")
    assert "U102: interrupted before the first request: nothing was written" in after
    assert made.posts() == []


def test_a_signal_that_does_not_interrupt_the_question_is_handled_before_the_answer(monkeypatch):
    """As one that arrives just before the wait for it begins: here, another thread receives it."""
    monkeypatch.setattr("reconciler.threads.LONGEST_WAIT", 0.01)
    handled, in_time = threading.Event(), []
    master, slave = pty.openpty()

    def type_later():
        handled.wait(0.02)  # until the main thread waits
        signal.raise_signal(signal.SIGUSR1)
        in_time.append(handled.wait(5))
        os.write(master, b"yes\n")

    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    typist = threading.Thread(target=type_later)
    try:
        with os.fdopen(slave) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            typist.start()
            assert Console().ask("Go on? ") == "yes"
    finally:
        typist.join()
        signal.signal(signal.SIGUSR1, before)
        os.close(master)
    assert in_time == [True]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_progress_under_unbuffered_streams_loses_no_result(unbuffered, world, monkeypatch):
    """Log lines and the message about a signal appear while progress is shown."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    monkeypatch.setenv("TERM", "xterm")
    made = renamed(world)

    def reached(moment):
        if moment.request.method == "POST" and moment.phase is Phase.BEFORE:
            desk.child.send_signal(signal.SIGINT)
            with desk.grown:  # the main thread reads
                assert desk.grown.wait_for(lambda: "Stopping: " in desk.seen, TIMEOUT)

    made.server.reached = reached
    desk = Desk("apply", made.folder, "--yes", "-v", plain=False)
    assert desk.end() == 130
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", desk.seen)
    assert re.search(r"POST/v1/billing/meters/\w+:200,req_\w+", "".join(seen.split()))
    assert "→ done" in seen
    assert "E900" not in seen


def test_a_confirmed_plan_is_shown_with_its_results(world):
    """After `yes` the results follow."""
    desk = Desk("apply", renamed(world).folder)
    desk.read(QUESTION)
    desk.type("yes\n")
    assert desk.end() == 0
    assert "→ done" in desk.read(QUESTION).partition(QUESTION)[2]


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_declined_document_is_whole_where_it_goes_elsewhere(format_, world, tmp_path):
    """The plan is shown on the terminal, and the file has the whole document."""
    made, kept = renamed(world), tmp_path / "document"
    with kept.open("wb") as out:
        desk = Desk("apply", made.folder, "--format", format_, out=out.fileno())
        desk.read(QUESTION)
        desk.type("no\n")
        assert desk.end() == 1
    assert desk.read(QUESTION).count('"Chairs" → "Seats"') == 1
    document = kept.read_text("utf-8")
    if format_ == "json":
        (account,) = held(document)["accounts"]
        assert [change["event_name"] for change in account["changes"]] == ["seats"]
    else:
        assert document.startswith("Apply for sandbox")
        assert '"Chairs" → "Seats"' in document


def test_an_interrupted_question_keeps_the_plan_in_the_document(world, run, monkeypatch):
    """The changes, the account and its id, and that nothing was sent."""
    made = renamed(world)
    monkeypatch.setattr(Console, "interactive", property(lambda _: True))

    def interrupted(*_: object) -> str:
        made.interrupt(signal.SIGINT)
        return ""

    monkeypatch.setattr(Console, "ask", interrupted)
    ran = run("apply", made.folder, "--format", "json")
    assert (ran.code, made.posts()) == (130, [])
    (account,) = held(ran.out)["accounts"]
    assert account["account"]["id"] == "acct_1EmulatedAccount"
    assert [change["event_name"] for change in account["changes"]] == ["seats"]
    (said,) = account["diagnostics"]
    assert said["message"] == "interrupted before the first request: nothing was written"


def run_beside(*words: object, **streams: object) -> subprocess.CompletedProcess[str]:
    """A process that has a terminal on some of its streams only."""
    command = [sys.executable, "-m", "reconciler", *map(str, words)]
    return subprocess.run(command, text=True, timeout=TIMEOUT, **streams)


@pytest.mark.parametrize("hidden", ["stdin", "stderr"])
def test_a_question_that_cannot_be_seen_or_answered_is_not_asked(hidden, world):
    """A usage error at once, instead of a wait for an answer; a `yes` typed ahead is not read."""
    made = renamed(world)
    master, slave = pty.openpty()
    os.write(master, b"yes\n")
    streams = {"stdin": slave, "stderr": slave}
    streams[hidden] = subprocess.DEVNULL if hidden == "stdin" else subprocess.PIPE
    ran = run_beside("apply", made.folder, stdout=subprocess.PIPE, **streams)
    os.close(slave)
    os.close(master)
    assert (ran.returncode, made.posts()) == (64, [])
    assert "apply needs a terminal, --yes or --plan FILE" in ran.stdout


def test_a_plan_is_shown_on_the_terminal_of_the_question(world):
    """Standard output is another terminal: it gets the whole document, the question its plan."""
    made = renamed(world)
    master, slave = pty.openpty()
    desk = Desk("apply", made.folder, out=slave)
    os.close(slave)
    asked = desk.read(QUESTION)
    assert asked.count('"Chairs" → "Seats"') == 1
    desk.type("no\n")
    assert desk.end() == 1
    document = os.read(master, 65_536).decode()
    os.close(master)
    assert document.startswith("Apply for sandbox")
    assert '"Chairs" → "Seats"' in document
