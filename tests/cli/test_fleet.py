"""Many connected accounts of one entry: side by side, in order, group after group."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from builders.fleet import FleetWorld, fleet_world, name_accounts
from cli.world import existing
from published import held

from reconciler.cli.console import Console
from reconciler.cli.fleet.run import FleetRun
from reconciler.emulator import Phase
from reconciler.fleet.engine import Fleet as Engine
from reconciler.history import journal
from reconciler.stripe import pagination

COMMANDS = [["plan"], ["apply", "--yes"], ["drift"]]
THREE = name_accounts(3)
COUNT_CALLS = [existing("calls", "Calls", "count")]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch, clock) -> Iterator[Callable[..., FleetWorld]]:
    """`fleet(ids, connected, ...)`: a project in a folder, its platform served over HTTP."""
    monkeypatch.setenv("PLATFORM_KEY", "sk_test_emulator")
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def build(ids=THREE, connected: object = "all", meters=None, **entry: Any):
            made = stack.enter_context(fleet_world(tmp_path, ids, clock, meters or {}))
            made.write(connected, **entry)
            return made

        yield build


def ends(ran) -> dict[str, int]:
    """The exit code of each account, in the order of the report."""
    accounts = held(ran.out)["accounts"]
    return {
        each["account"]["name"].removeprefix("partners/"): each["exit_code"] for each in accounts
    }


def codes(ran) -> dict[str, list[str]]:
    """The codes of the diagnostics of each account."""
    accounts = held(ran.out)["accounts"]
    return {
        each["account"]["name"].removeprefix("partners/"): [d["code"] for d in each["diagnostics"]]
        for each in accounts
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("connected", "pattern", "chosen"),
    [
        (["acct_0002", "acct_0001"], "partners", ["acct_0002", "acct_0001"]),
        ({"file": "accounts.txt"}, "*", ["acct_0003", "acct_0001"]),
        ("all", "partners/*", THREE),
        ("all", "partners/acct_0002", ["acct_0002"]),
        (["acct_0001", "acct_0003"], "*_0003", ["acct_0003"]),
    ],
)
def test_an_entry_stands_for_its_connected_accounts(
    command, connected, pattern, chosen, fleet, run
):
    """A list, a file and the platform's own list; in their order, each with its own id."""
    made = fleet(connected=connected)
    made.file("accounts.txt", "\ufeff# partners\r\nacct_0003  # first\r\n\r\nacct_0001\r\n")
    ran = run(*command, "--account", pattern, "--format", "json")
    document = held(ran.out)
    assert [each["account"]["id"] for each in document["accounts"]] == chosen
    assert ran.code == (2 if command == ["drift"] else 0)
    wrote = command[0] == "apply"
    assert made.active() == {id_: int(wrote and id_ in chosen) for id_ in THREE}


def test_the_platform_is_listed_once_and_read_once(fleet, run):
    """Whatever the number of accounts; the other requests are those that each account needs."""
    made = fleet(name_accounts(12))
    assert run("plan", "--account", "partners").code == 0
    paths = Counter(entry.path for entry in made.server.log)
    meters = paths.pop("/v1/billing/meters")
    assert paths == {"/v1/accounts": 1, "/v1/account": 1}
    assert meters % 12 == 0


def test_all_pages_of_connected_accounts_are_listed(fleet, run):
    """A page has a hundred."""
    made = fleet(name_accounts(101))
    assert len(ends(run("plan", "--account", "partners", "--format", "json"))) == 101
    paths = [entry.path for entry in made.server.log]
    assert paths.count("/v1/accounts") == 2


@pytest.mark.parametrize("concurrency", ["1", "8"])
def test_broken_accounts_stop_no_other_and_the_next_run_has_nothing_to_do(concurrency, fleet, run):
    """One without permission, one with other settings, one that answers with errors."""
    ids = name_accounts(12)
    _check_broken(fleet, run, ids, ["--concurrency", concurrency])


@pytest.mark.full
@pytest.mark.long
def test_a_thousand_accounts_of_which_three_are_broken(fleet, run):
    """The same with 64 side by side."""
    _check_broken(fleet, run, name_accounts(1000), ["--concurrency", "64"])


def _check_broken(fleet, run, ids, options):
    denied, blocked, failing = ids[1], ids[4], ids[7]
    made = fleet(ids, meters={blocked: COUNT_CALLS})
    made.server.arm(f"403:account={denied}", f"500:account={failing}")
    words = ["apply", "--yes", "--account", "partners", *options, "--format", "json"]
    first = run(*words)
    codes = {denied: 6, blocked: 3, failing: 1}
    ended = ends(first)
    assert list(ended.items()) == [(id_, codes.get(id_, 0)) for id_ in ids]
    assert first.code == 1
    assert made.active() == {id_: int(id_ not in (denied, failing)) for id_ in ids}
    posts = len(made.server.log.posts)
    assert posts == len(ids) - 3
    second = run(*words)
    assert ends(second) == ended
    assert len(made.server.log.posts) == posts


def test_a_broken_account_works_again_in_the_next_run(fleet, run):
    """Nothing remembers that it failed."""
    made = fleet()
    made.server.arm("403:account=acct_0002")
    words = ["apply", "--yes", "--account", "partners", "--format", "json"]
    assert run(*words).code == 6
    made.server.disarm()
    assert run(*words).code == 0
    assert made.active() == dict.fromkeys(THREE, 1)


def test_an_account_that_is_not_connected_is_its_own_failure(fleet, run):
    """A rejected or deauthorized account answers with 403."""
    fleet(connected=["acct_0001", "acct_gone", "acct_0002"])
    ran = run("apply", "--yes", "--account", "partners", "--format", "json")
    assert ends(ran) == {"acct_0001": 0, "acct_gone": 6, "acct_0002": 0}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_accounts_that_cannot_be_listed_are_the_failure_of_their_entry(command, fleet, run):
    """The other entries are worked on."""
    made = fleet()
    text = made.folder.joinpath("reconciler.yaml").read_text("utf-8")
    other = {"api_key_env": "PLATFORM_KEY", "api_base": made.server.url}
    made.file("reconciler.yaml", f"{text}  sandbox: {json.dumps(other)}\n")
    made.server.arm("403:path=/v1/accounts")
    ran = run(*command, "--account", "*", "--format", "json")
    assert (ends(ran)["partners"], list(ends(ran))) == (6, ["partners", "sandbox"])
    assert ran.code == 6
    assert ends(ran)["sandbox"] == (2 if command == ["drift"] else 0)


def test_a_platform_without_accounts_is_an_error(fleet, run):
    """An empty list would look like a fleet that is in order."""
    fleet([])
    assert codes(run("plan", "--account", "partners", "--format", "json")) == {"partners": ["C047"]}


def test_an_account_of_another_entry_is_not_listed_again(fleet, run):
    """Two entries would undo each other's changes."""
    made = fleet()
    text = made.folder.joinpath("reconciler.yaml").read_text("utf-8")
    other = {"api_key_env": "KEY", "api_base": made.server.url, "stripe_account": "acct_0002"}
    made.file("reconciler.yaml", f"{text}  canary: {json.dumps(other)}\n")
    ran = run("plan", "--account", "partners", "--format", "json")
    assert (ran.code, codes(ran)) == (1, {"partners": ["C017"]})


def test_a_fleet_is_selected_on_purpose(fleet, run):
    """Neither all of it by default, nor an account that it does not have."""
    fleet()
    for words in ([], ["--account", "partners/acct_9"], ["--account", "partner"]):
        ran = run("plan", *words, "--format", "json")
        document = held(ran.out)
        assert (ran.code, document["diagnostics"][0]["code"]) == (64, "U005")
        assert "partners/*" in document["diagnostics"][0]["hint"]


def test_groups_are_applied_one_after_another(fleet, run):
    """The canary comes first, whatever the order of the file."""
    made = fleet(more='groups: [["partners/acct_0003"], ["partners/acct_000[12]"]]\n')
    wrote: list[str] = []

    def reached(moment):
        if (moment.request.method, moment.phase) == ("POST", Phase.BEFORE):
            wrote.append(moment.request.headers["stripe-account"])

    made.server.reached = reached
    ran = run("apply", "--yes", "--account", "partners", "--format", "json")
    assert list(ends(ran)) == THREE
    assert (ran.code, wrote[0], sorted(wrote)) == (0, "acct_0003", THREE)


@pytest.mark.parametrize(
    ("fault", "code", "left"), [("403", 6, 6), ("500:after:method=POST:path=/none", 0, 0)]
)
def test_no_group_is_begun_after_a_failure(fault, code, left, fleet, run):
    """Accounts in no group come last; those not begun say so, and nothing of them was read."""
    made = fleet(more='groups: [["partners/acct_0002"]]\n')
    made.server.arm(f"{fault}:account=acct_0002")
    ran = run("apply", "--yes", "--account", "partners", "--format", "json")
    assert ends(ran) == {"acct_0001": left, "acct_0002": code, "acct_0003": left}
    assert ran.code == code
    if code:
        assert codes(ran)["acct_0001"] == ["A014"]
        again = run("apply", "--yes", "--account", "partners").out
        assert again.count("Not begun: nothing was read or changed.") == 2
        assert made.active() == dict.fromkeys(THREE, 0)


def test_groups_do_not_hold_back_plan_and_drift(fleet, run):
    """They write nothing."""
    made = fleet(more='groups: [["partners/acct_0002"]]\n')
    made.server.arm("403:account=acct_0002")
    for command, end in (("plan", 0), ("drift", 2)):
        ran = run(command, "--account", "partners", "--format", "json")
        assert ends(ran) == {"acct_0001": end, "acct_0002": 6, "acct_0003": end}


def test_a_plan_of_one_connected_account_can_be_saved_and_applied(fleet, run):
    """The saved plan names it, and finds it again."""
    made = fleet()
    assert run("plan", "--account", "partners/acct_0002", "--save", "it.plan").code == 0
    assert run("apply", "--plan", "it.plan").code == 0
    assert made.active() == {"acct_0001": 0, "acct_0002": 1, "acct_0003": 0}
    made.write(["acct_0001"])
    ran = run("apply", "--plan", "it.plan", "--format", "json")
    assert (ran.code, held(ran.out)["diagnostics"][0]["code"]) == (3, "G009")


def test_other_commands_take_one_connected_account(fleet, run):
    """And all of them where they take many."""
    made = fleet(meters={"acct_0002": COUNT_CALLS})
    listed = json.loads(run("list", "--account", "partners", "--format", "json").out)
    assert [len(each["meters"]) for each in listed["accounts"]] == [0, 1, 0]
    ran = run("compare", "partners/acct_0001", "partners/acct_0002")
    assert ran.code == 2
    assert run("ready", "--account", "partners/acct_0002").code == 0
    made.write(meters="{event_name: other, display_name: O, default_aggregation: {formula: sum}}")
    imported = run("import", "--account", "partners/acct_0002", "--into", "meters.yaml")
    assert imported.code == 0
    assert "calls" in made.folder.joinpath("meters.yaml").read_text("utf-8")


def test_offline_commands_take_the_entry_as_one_account(fleet, run):
    """They send nothing, whether the accounts are listed or not."""
    made = fleet()
    for connected in ("all", THREE):
        made.write(connected)
        for words in (["validate"], ["validate", "--account", "partners/acct_0001"]):
            ran = run(*words, "--format", "json")
            document = held(ran.out)
            assert [each["account"]["name"] for each in document["accounts"]] == ["partners"]
            assert (ran.code, document["declared"]) == (0, 1)
    assert run("generate", "--format", "python").code == 0
    assert list(made.server.log) == []


def test_doctor_examines_the_key_of_the_platform(fleet, run):
    """Or one connected account that is named."""
    fleet()
    for words, name in (
        ([], "partners"),
        (["--account", "partners/acct_0003"], "partners/acct_0003"),
    ):
        document = json.loads(run("doctor", *words, "--format", "json").out)
        assert [each["account"]["name"] for each in document["accounts"]] == [name]
        assert document["exit_code"] == 0


def test_the_platform_rate_limit_holds_over_all_accounts(fleet, run, clock):
    """Ten requests a second, after a burst of five: 2 of each account, and 2 of the platform."""
    fleet(name_accounts(40), platform_rate_limit=10)
    before = clock.monotonic()
    assert run("plan", "--account", "partners").code == 0
    waits = sum(clock.slept)
    assert clock.monotonic() > before
    assert waits >= (82 - 5) / 10 - 1


@pytest.mark.parametrize(("first", "second"), [(10, 40), (40, 10), (10, None)])
def test_entries_with_the_same_key_are_one_platform(first, second, fleet, run, clock):
    """The lowest of their limits holds for all of their accounts, and its id is read once."""
    ids = name_accounts(40)
    made = fleet(ids, ids[:20], platform_rate_limit=first)
    text = made.folder.joinpath("reconciler.yaml").read_text("utf-8")
    other = {"api_key_env": "PLATFORM_KEY", "api_base": made.server.url}
    other |= {"connected_accounts": ids[20:]}
    other |= {"platform_rate_limit": second} if second else {}
    made.file("reconciler.yaml", f"{text}  others: {json.dumps(other)}\n")
    assert run("plan", "--account", "*").code == 0
    paths = Counter(entry.path for entry in made.server.log)
    assert paths["/v1/account"] == 1
    assert sum(clock.slept) >= (81 - 5) / 10 - 1


def test_progress_on_a_terminal_counts_accounts_and_names_the_failed(fleet, run, monkeypatch):
    """In lines that are replaced, on standard error."""
    made = fleet(name_accounts(6))
    made.server.arm("403:account=acct_0002")
    monkeypatch.setattr(Console, "shows_progress", property(lambda _: True))
    monkeypatch.setattr("reconciler.cli.progress._REDRAW", 0.0)
    ran = run("plan", "--account", "partners", "--concurrency", "2")
    assert "6 of 6 accounts done, 1 failed, 0 running" in ran.err
    assert "failed: partners/acct_0002 (6)" in ran.err
    assert "accounts done" not in ran.out


@pytest.mark.parametrize(
    ("word", "what"), [("0", "between 1 and 256"), ("x", "whole number"), ("257", "between 1")]
)
def test_concurrency_is_a_number(word, what, fleet, run):
    """A usage error otherwise."""
    fleet()
    ran = run("plan", "--account", "partners", "--concurrency", word)
    assert (ran.code, what in " ".join(ran.out.split())) == (64, True)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_run_goes_on_with_the_threads_that_the_system_has(most, fleet, run, monkeypatch):
    """Some accounts write already when the next thread cannot be started."""
    made, working, start = fleet(name_accounts(12)), [], Thread.start

    def start_some(thread):
        work = getattr(thread, "_target", None)
        works = getattr(work, "__func__", None) is Engine._take_accounts
        reads = getattr(work, "__module__", "") == pagination.__name__
        if reads or len(working) + works > most:
            raise RuntimeError("can't start new thread")
        working.extend([thread] * works)
        start(thread)

    monkeypatch.setattr(Thread, "start", start_some)
    ran = run("apply", "--yes", "--account", "partners", "--format", "json")
    assert (ran.code, set(ends(ran).values()), len(working)) == (0, {0}, most)
    assert made.active() == dict.fromkeys(name_accounts(12), 1)


def test_an_account_that_is_stopped_before_its_first_change_has_no_run_in_the_journal(
    fleet, run, monkeypatch
):
    """A run without an end is one that was killed."""
    made = fleet()

    def stop(self, _):
        if not self.context.stop():
            os.kill(os.getpid(), signal.SIGINT)
        while not self.context.stop():
            time.sleep(0.001)  # the main thread receives it
        return True

    monkeypatch.setattr(FleetRun, "confirm", stop)
    ran = run("apply", "--yes", "--account", "partners", "--format", "json")
    assert ran.code == 130
    assert made.active() == dict.fromkeys(THREE, 0)
    assert journal.read(made.folder / ".reconciler") == ((), ())
