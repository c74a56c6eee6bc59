"""The account is read while its meter files are: nothing else differs, and files come first."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.cli.console import Console
from reconciler.cli.read_ahead import ReadAhead
from reconciler.stripe import pagination
from reconciler.stripe.client import METERS

CHAIRS = {"meters": [existing("seats", "Chairs")]}
INVALID = SEATS.replace("count", "median")
COMMANDS = pytest.mark.parametrize("command", [["plan"], ["drift"], ["apply", "--yes"]])


@pytest.fixture
def in_turn(monkeypatch):
    """The files are read before the account, as where it is not the only one of the run."""
    monkeypatch.setattr(ReadAhead, "_begin", lambda *_: None)


def without_ids(text):
    return re.sub(r"(mtr_test|req)_\w+|plan \w+|plan_id.*", "ID", text)


@COMMANDS
def test_what_is_read_ahead_is_read_once(command, world, run, request):
    """The same report as in turn, and, for each list in pairs, one more request."""
    found, sent = [], []
    for is_ahead in (True, False):
        if not is_ahead:
            request.getfixturevalue("in_turn")
        made = world(SEATS, CHAIRS)
        ran = run(*command, made.folder)
        found.append((ran.code, without_ids(ran.out)))
        sent.append(Counter((entry.method, without_ids(entry.path)) for entry in made.server.log))
    assert found[0] == found[1]
    assert sent[0] - sent[1] == {("GET", METERS): 2 if command[0] == "apply" else 1}
    assert not sent[1] - sent[0]


def test_a_thread_that_reads_need_not_wait_for_the_one_that_parses(world, run):
    """Python's own interval is 5 ms, for each system call; it is set again at the end."""
    made, intervals, before = world(SEATS, CHAIRS), [], sys.getswitchinterval()
    made.at(lambda: intervals.append(sys.getswitchinterval()), "GET")
    assert run("plan", made.folder).code == 0
    assert intervals == [pytest.approx(0.0005)]
    assert sys.getswitchinterval() == before


@COMMANDS
def test_an_invalid_file_is_reported_before_an_account_that_cannot_be_read(
    command, world, run, monkeypatch
):
    """And nothing is written."""
    made = world(INVALID, CHAIRS)
    monkeypatch.setenv("SANDBOX_KEY", "sk_test_wrong")
    made.server.arm("500:method=GET")
    ran = run(*command, made.folder, "--format", "json")
    report = held(ran.out)
    assert (ran.code, report["accounts"]) == (1, [])
    assert {said["code"][0] for said in report["diagnostics"]} == {"C"}
    assert made.posts() == []


@COMMANDS
def test_an_account_that_cannot_be_read_is_reported(command, world, run, monkeypatch):
    made = world(SEATS, CHAIRS)
    made.server.arm("401:method=GET")
    ran = run(*command, made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, [said["code"] for said in account["diagnostics"]]) == (6, ["S003"])
    monkeypatch.delenv("SANDBOX_KEY")
    ran = run(*command, made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, [said["code"] for said in account["diagnostics"]]) == (6, ["S001"])


def test_only_the_account_of_the_run_is_read(world, run):
    """Not one of several that none was chosen of."""
    made = world(SEATS, CHAIRS)
    made.add_account("other")
    assert run("plan", made.folder).code == 64
    assert not made.server.log
    assert run("plan", made.folder, "--account", "sand*").code == 0
    assert made.server.log


@pytest.mark.parametrize(
    ("words", "others", "read"),
    [
        ([], 0, True),
        (["--account", "sand*"], 0, True),
        (["--account", "other"], 0, False),
        (["--account", "sandbox"], 1, True),
        (["--account", "sand*"], 1, False),
        (["--account", "sandbox", "--account", "other"], 1, False),
        (["--shard", "1/2"], 0, False),
        (["--resume", "earlier.json"], 0, False),
        (["--dask", "127.0.0.1:8786"], 0, False),
    ],
)
def test_an_account_is_read_ahead_if_it_is_the_only_one_and_read_here(
    words, others, read, world, run, monkeypatch
):
    """Not one of many, nor what a worker reads, or an earlier run has read."""
    begun = []
    monkeypatch.setattr(ReadAhead, "_begin", lambda _, account: begun.append(account.name))
    monkeypatch.setitem(sys.modules, "distributed", None)
    made = world(SEATS, CHAIRS)
    if others:
        made.add_account("other")
    made.file(
        "earlier.json", run("plan", made.folder, "--account", "sandbox", "--format", "json").out
    )
    begun.clear()
    monkeypatch.chdir(made.folder)
    run("plan", *words)
    assert begun == (["sandbox"] if read else [])


@pytest.mark.parametrize(("is_ahead", "most"), [(True, 8), (False, 7)])
def test_every_page_is_shown_on_a_terminal(is_ahead, most, world, run, monkeypatch, request):
    """Those that a thread reads as well, and never after the document."""
    if not is_ahead:
        request.getfixturevalue("in_turn")
    monkeypatch.setattr(Console, "shows_progress", property(lambda _: True))
    monkeypatch.setattr(pagination, "PER_PAGE", 2)
    made = world(SEATS, {"meters": [existing(f"m{n}", f"M {n}") for n in range(9)]})
    ran = run("plan", made.folder)
    pages = re.findall(r"sandbox: reading meters, page (\d)", ran.err)
    assert (ran.code, pages) == (0, [str(n + 1) for n in range(most)])
    assert ran.err.endswith("\r\x1b[K")


def test_a_run_that_ends_early_reads_no_further(world, run):
    """What hangs is not waited for."""
    made = world(INVALID, CHAIRS)
    over = threading.Event()
    made.server.reached = lambda _: over.wait(10)
    try:
        assert run("plan", made.folder).code == 1
    finally:
        over.set()


def test_the_account_is_as_its_files_say(world, run):
    """The session begins before the declarations are known."""
    made = world(f"{SEATS}\n{CALLS}", CHAIRS)
    ran = run("apply", made.folder, "--yes")
    assert (ran.code, len(made.posts())) == (0, 2), ran.out
