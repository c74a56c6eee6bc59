"""Two signals, however close to each other: one whole document, and exit code 130."""

from __future__ import annotations

import re
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cli.fleet_world import NAMES, names
from cli.world import CALLS, SEATS, existing
from process.children import TIMEOUT, Child, apply
from published import held

from reconciler.emulator import Phase

FORMATS = pytest.mark.parametrize("format_", ["json", "text"])
FIRST = ("40", "1500")  # lines: at the start of the run, while files are read
GAPS = (0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.03)  # seconds
AT_EVERY_LINE = """
import itertools, os, signal, sys
from reconciler.__main__ import main
import reconciler.cli.commands.validate, reconciler.cli.main, reconciler.config.loader
import reconciler.render.json, reconciler.render.text
from reconciler.cli.signals import hold_signals

hold_signals()
folder, format_, step, *lines = sys.argv[1:]

def interrupted(first, second):
    "Validate with a signal before these lines of Python; return what is left, and the exit code."
    read, write = os.pipe()
    if not os.fork():
        os.dup2(write, 1)
        seen = itertools.count()
        def trace(frame, event, _):
            if "reconciler" not in frame.f_code.co_filename:
                return None
            if event == "line" and (number := next(seen)) in (first, second):
                signal.raise_signal(signal.SIGINT if number == first else signal.SIGTERM)
            return trace
        sys.settrace(trace)
        code = main(["validate", folder, "--format", format_])
        sys.settrace(None)
        sys.stdout.flush()
        os._exit(code)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    return os.waitstatus_to_exitcode(os.wait()[1]), text

for first in map(int, lines):
    for second in range(first + 1, first + 1 + 12 * int(step), int(step)):
        code, text = interrupted(first, second)
        print(code, len(text), text.count('"format_version"') + text.count("error U102"))
"""

WHILE_A_CLUSTER_CLOSES = """
import contextlib, signal, sys
from reconciler.__main__ import main
from reconciler.cli.fleet import apply
from reconciler.cli.signals import hold_signals

@contextlib.contextmanager
def place_work(address, work, *_, **__):
    yield work
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)

hold_signals()
apply.place_work = place_work
main(["apply", "--yes", "--account", "*", "--format", "json", "--out", "json=report.json"])
"""


def one_document(text, format_):
    """Whether this is the document of an interrupted run, once and whole.

    The account may have been read ahead without having been begun.
    """
    if format_ == "json":
        return held(text)["exit_code"] == 130
    return text.count("U102") + text.count("A014") == 1 and text.endswith("\n")


@FORMATS
@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_there_is_one_document_whatever_the_gap(world, gap, format_, method):
    """While the account is read the first signal ends the run, while it is written the second."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    arrived, over, waited = threading.Event(), threading.Event(), []

    def hang(moment):
        if moment.request.method == method and moment.phase is Phase.BEFORE:
            arrived.set()
            waited.append(over.wait(TIMEOUT))

    made.server.reached = hang
    child = apply(made.folder, format_=format_)
    try:
        assert arrived.wait(TIMEOUT)
        child.process.send_signal(signal.SIGINT)
        select.select([], [], [], gap)
        child.process.send_signal(signal.SIGTERM)
        ended = child.end()
    finally:
        over.set()
    assert False not in waited  # the response was not waited for
    assert (ended.code, one_document(ended.out, format_)) == (130, True), ended
    assert "Traceback" not in ended.err


def blocked_signals(process):
    """The signals that each thread of a process blocks, as a mask; some end meanwhile."""
    masks = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            status = (task / "status").read_text()
            masks[int(task.name)] = int(re.search(r"SigBlk:\t(\w+)", status)[1], 16)
    return masks


@pytest.mark.parametrize(("accounts", "method"), [(1, "GET"), (1, "POST"), (3, "GET")])
def test_only_the_main_thread_receives_signals(world, accounts, method):
    """Another one could be given both, and nothing would interrupt what the main thread awaits."""
    asked = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    made = world(f"{SEATS}\n{CALLS}", account_id="acct_1EmulatedAccount")
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    entry = project.splitlines()[-1]
    for n in range(1, accounts):
        project += entry.replace("sandbox", f"other{n}").replace("acct_1", f"acct_{n}Not") + "\n"
    made.file("reconciler.yaml", project)
    arrived, over = threading.Semaphore(0), threading.Event()

    def hang(moment):
        if (moment.phase, moment.request.method) == (Phase.BEFORE, method):
            arrived.release()
            over.wait(TIMEOUT)

    made.server.reached = hang
    child = apply(made.folder, "--account", "*")
    try:
        assert all(arrived.acquire(timeout=TIMEOUT) for _ in range(max(2, accounts)))
        ends = time.monotonic() + TIMEOUT
        while (blocked := blocked_signals(child.process.pid))[child.process.pid] & asked:
            assert time.monotonic() < ends  # the main thread blocks them while it starts another
    finally:
        over.set()
        child.end()
    del blocked[child.process.pid]
    assert len(blocked) >= 2
    assert {mask & asked for mask in blocked.values()} == {asked}


@FORMATS
@pytest.mark.parametrize("step", [1, 23])
def test_there_is_one_document_wherever_the_second_signal_arrives(tmp_path, step, format_):
    """Before every line of Python after the first one, and at many points up to the end."""
    (tmp_path / "meters.yaml").write_text(f"version: 1\nmeters: [{SEATS}]\n")
    child = subprocess.run(
        [sys.executable, "-c", AT_EVERY_LINE, str(tmp_path), format_, str(step), *FIRST],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    found = {tuple(line.split()) for line in child.stdout.splitlines()}
    assert len(child.stdout.splitlines()) == 24, child.stderr
    assert {(code, documents) for code, _, documents in found} == {("130", "1")}, found
    assert "Traceback" not in child.stderr


def test_accounts_that_are_done_are_reported_while_a_cluster_is_closed(fleet):
    """On standard output, and in every file."""
    child = subprocess.run(
        [sys.executable, "-c", WHILE_A_CLUSTER_CLOSES],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        cwd=fleet.folder,
    )
    assert child.returncode == 130, child.stderr
    for text in (child.stdout, (fleet.folder / "report.json").read_text("utf-8")):
        document = held(text)
        assert names(document) == list(NAMES)
        assert {each["exit_code"] for each in document["accounts"]} == {0}
        assert all(each["configuration"] for each in document["accounts"])


@pytest.mark.full
@pytest.mark.long
def test_a_reader_that_never_comes_does_not_hold_the_process(tmp_path):
    """The document is longer than a pipe: after the second signal its reader has five seconds."""
    meters = ", ".join(f"{{event_name: m{n}, nope: {n}}}" for n in range(900))
    (tmp_path / "meters.yaml").write_text(f"version: 1\nmeters: [{meters}]\n")
    child = Child("validate", tmp_path, "--format", "json")
    assert child.process.stdout
    assert select.select([child.process.stdout], [], [], TIMEOUT)[0], "the document has begun"
    for each in (signal.SIGINT, signal.SIGTERM):  # two of one kind may arrive as one
        child.process.send_signal(each)
    assert child.process.wait(TIMEOUT) == 130
    child.end()


def test_an_interruption_that_a_builtin_reports_as_a_bug_is_one(run, monkeypatch):
    """Python calls the handler of a second signal with the exception of the first set, at times."""

    def fail(_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise SystemError("next returned a result with an exception set") from interrupt

    monkeypatch.setattr("reconciler.cli.main._read", fail)
    ran = run("plan")
    assert (ran.code, ran.out.count("U102"), ran.err) == (130, 1, "")
