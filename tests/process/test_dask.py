"""A fleet on a Dask cluster of several processes, of which some are killed."""

from __future__ import annotations

import os
import signal

from builders.fleet import name_accounts
from cli.world import existing
from process.children import Child
from process.dask_world import KEY, NEEDS_DASK, OTHER_KEY, at_post, codes, ends

pytestmark = NEEDS_DASK


def test_a_fleet_converges_although_a_worker_is_killed(build):
    """Three broken accounts are reported, the accounts of the lost worker are run again."""
    ids = name_accounts(40)
    denied, blocked, gone = ids[1], ids[4], "acct_gone"
    listed = [*ids[:7], gone, *ids[7:]]
    world = build(ids, listed, meters={blocked: [existing("calls", "Calls", "count")]})
    fleet, first_worker = world.fleet, world.dask.workers[0]
    fleet.server.arm(f"403:account={denied}")
    at_post(fleet, 3, lambda: os.kill(first_worker, signal.SIGKILL))

    first = world.run("apply", "--yes")
    expected = {id_: {denied: 6, blocked: 3, gone: 6}.get(id_, 0) for id_ in listed}
    assert ends(first) == expected
    assert list(ends(first)) == listed
    assert first.code == 6
    assert any("A016" in found for found in codes(first).values())
    assert fleet.active() == {id_: int(id_ != denied) for id_ in ids}
    with fleet.server.lock:
        ledgers = list(fleet.server.state.ledgers.items())[1:]
    assert {id_: len(ledger.meters) for id_, ledger in ledgers} == fleet.active()

    fleet.server.reached = lambda _: None
    posts = len(fleet.server.log.posts)
    second = world.run("apply", "--yes")
    assert ends(second) == expected
    assert len(fleet.server.log.posts) == posts
    journal = (fleet.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")
    for text in (first.out, first.err, second.out, journal, world.dask.log.read_text("utf-8")):
        assert KEY not in text
        assert OTHER_KEY not in text


def test_plans_are_saved_and_drift_is_found(build):
    """The other commands, and a folder of plans that workers made and apply."""
    ids = name_accounts(5)
    world = build(ids)
    plans = world.fleet.folder / "plans"
    assert world.run("plan", "--save", f"{plans}/").code == 0
    assert len(list(plans.glob("*.json"))) == 5
    drift = world.run("drift")
    assert (drift.code, set(ends(drift).values())) == (2, {2})
    ended = Child(
        "apply",
        "-C",
        world.fleet.folder,
        "--plan",
        plans,
        "--dask",
        world.dask.address,
        "--format",
        "json",
        dask=True,
    ).end()
    assert (ended.code, world.fleet.active()) == (0, dict.fromkeys(ids, 1))


def test_a_key_that_workers_do_not_have_is_named(build):
    """The environment of this process has it, and it is not sent."""
    world = build(name_accounts(2), key=None)
    ended = world.run("plan")
    (first, *_) = ended.document["accounts"][0]["diagnostics"]
    assert (ended.code, first["code"]) == (6, "S001")
    assert "PLATFORM_KEY is not set on the Dask worker tcp://127.0.0.1:" in first["message"]
    assert list(world.fleet.server.log) == []


def test_a_lost_scheduler_leaves_a_report_of_every_account(build):
    """What is in progress is unknown, the rest was not begun; the next run does it."""
    ids = name_accounts(30)
    world = build(ids)
    at_post(world.fleet, 2, world.dask.kill)
    ended = world.run("apply", "--yes", "--concurrency", "4")
    found = codes(ended)
    assert (ended.code, list(found)) == (5, ids)
    unknown = [id_ for id_ in ids if "A015" in found[id_]]
    assert 1 <= len(unknown) <= 4
    assert sum("A014" in each for each in found.values()) >= 30 - 4 - 4
    assert {ends(ended)[id_] for id_ in unknown} == {5}


def test_after_a_signal_accounts_in_progress_are_finished(build):
    """No further one is begun, and the report has all of them."""
    ids = name_accounts(30)
    world = build(ids)
    children: list[Child] = []
    at_post(world.fleet, 1, lambda: children[0].stop(signal.SIGINT))
    children.append(world.start("apply", "--yes", "--concurrency", "4"))
    ended = children[0].end()
    found = ends(ended)
    assert (ended.code, list(found)) == (130, ids)
    done = [id_ for id_, code in found.items() if code == 0]
    assert 1 <= len(done) <= 8
    assert world.fleet.active() == {id_: int(id_ in done) for id_ in ids}


def test_a_scheduler_that_does_not_answer_is_an_error(build):
    """Nothing is sent to any account."""
    world = build(name_accounts(2))
    world.dask.kill()
    ended = world.run("plan")
    assert (ended.code, ended.document["diagnostics"][0]["code"]) == (1, "E008")
    assert list(world.fleet.server.log) == []
