"""Two jobs on one account at once: what one has done the other finds done, or yields to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from process import twenty
from process.children import TIMEOUT, Child, apply
from process.test_kill import succeeded

from reconciler.emulator import Phase

ONE, OTHER = "sk_test_one", "sk_test_other"


def saved(folder: Path) -> Path:
    """A plan of the folder, kept in a file."""
    path = folder / "plan.json"
    assert Child("plan", folder, "--save", path, "--quiet").end().code == 0
    return path


def job(moment):
    """The key of the job that a request belongs to."""
    return moment.request.headers["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("milliseconds", [0, pytest.param(10, marks=pytest.mark.full)])
def test_a_plan_that_two_jobs_apply_at_once_is_done_once(stand, milliseconds):
    """Both have found it fresh; every line is done once, and both tell that it is so."""
    plan = saved(stand.folder)
    stand.server.arm(f"latency={milliseconds}ms")
    ready = {ONE: threading.Event(), OTHER: threading.Event()}

    def meet(_, moment):
        if moment.request.method == "POST":
            ready[job(moment)].set()
            assert all(event.wait(TIMEOUT) for event in ready.values())

    stand.hook = meet
    jobs = [apply(stand.folder, "--plan", plan, key=key) for key in ready]
    for ended in [each.end() for each in jobs]:
        succeeded(stand, ended)
        assert set(ended.results.values()) <= {"done", "already"}
    runs = {(entry["run"], entry["plan_id"]) for entry in stand.journal()}
    assert len(runs) == 2
    assert len({plan_id for _, plan_id in runs}) == 1


def test_a_plan_that_another_job_is_half_through_is_done_already_or_stale(stand):
    """Wherever the other job is, this one doubles nothing: it ends with 0 or 4."""
    plan = saved(stand.folder)
    late = []

    def join(at, moment):
        if (at, moment.request.method, moment.phase) == (20, "POST", Phase.AFTER):
            late.append(apply(stand.folder, "--plan", plan, key=OTHER).end())

    stand.hook = join
    succeeded(stand, apply(stand.folder, "--plan", plan, key=ONE).end())
    assert [ended.code for ended in late] == [4]
    again = apply(stand.folder, "--plan", plan, key=OTHER).end()
    succeeded(stand, again)
    assert set(again.results.values()) == {"already"}


COUNTED = {"default_aggregation": {"formula": "count"}}


@pytest.mark.parametrize(
    ("name", "wish", "held"),
    [
        ("gone_1", {}, ("GET", "/mtr_gone_1", b"")),
        ("paused_1", {}, ("GET", "/mtr_paused_1", b"")),
        ("over_1", COUNTED, ("GET", "/mtr_over_1", b"")),
        ("new_1", {}, ("POST", "/meters", b"event_name=new_1&")),
    ],
)
def test_of_two_plans_the_one_that_comes_late_to_a_meter_yields(stand, tmp_path, name, wish, held):
    """Before a meter is deactivated or reactivated it is read; a create is refused by the API."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    wanted = {**twenty.settings(name, "Theirs"), **wish}
    twenty.write(folder, stand.server.url, [wanted], policy={})
    method, path, body = held
    theirs = []

    def overtake(_, moment):
        request = moment.request
        here = request.path.endswith(path) and request.method == method and body in request.body
        if here and moment.phase is Phase.BEFORE and job(moment) == ONE and not theirs:
            theirs.append(apply(folder, key=OTHER).end())

    stand.hook = overtake
    ended = apply(stand.folder, key=ONE).end()

    assert [each.code for each in theirs] == [0]
    assert (ended.code, ended.document["exit_code"]) == (5, 5)
    assert ended.results[name] == "stale"
    assert set(ended.results.values()) <= {"done", "stale", "skipped"}
    (left,) = [
        m for m in stand.meters.values() if (m["event_name"], m["status"]) == (name, "active")
    ]
    assert left["display_name"] == "Theirs"
    assert max(stand.effects.values()) == 1
