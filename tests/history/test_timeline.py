"""One time line from three sources: in order, without repetition, with origins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import held
from render.reports import HOSTILE, texts

from reconciler.history.timeline import build_timeline
from reconciler.model.event import Event
from reconciler.model.project import AccountRef
from reconciler.render import render
from reconciler.report.history import (
    DeclarationChange,
    History,
    PastChange,
    PastCommit,
    PastRequest,
    PastRun,
    Source,
)

PLAN = "0123456789abcdef0123456789abcdef"
KEY = f"reconciler-cccccccccccc-{PLAN}-1-1"
T = 1_790_000_000


def run(*requests, **line):
    """A run about one name."""
    on_result = PastChange(event_name="seats", requests=requests, **line)
    account = AccountRef("sandbox", "acct_1", False)
    return PastRun(
        run="a",
        account=account,
        began=T,
        plan_id=PLAN,
        commit="c" * 40,
        user="ada",
        changes=(on_result,),
    )


def request(operation="deactivate", at=T, key=KEY, result="confirmed", **more):
    return PastRequest(key=key, operation=operation, at=at, result=result, **more)


def event(what="deactivated", at=T, request=None, key=None, meter="mtr_1", **previous):
    return "sandbox", Event(
        id=f"evt_{what}_{at}",
        type=f"billing.meter.{what}",
        created=at,
        object={"id": meter, "event_name": "seats", "display_name": "Seats"},
        previous_attributes=previous,
        request_id=request,
        idempotency_key=key,
    )


def commit(at=T, turn=DeclarationChange.ADDED, **more):
    on_result = {"commit": "d" * 40, "author": "Ada", "subject": "Declare", "files": ("m.yaml",)}
    return PastCommit(at=at, turn=turn, **{**on_result, **more})


def test_the_sources_are_merged_by_time_oldest_first():
    found = build_timeline(
        [run(request(at=T + 1)), run(request("reactivate", T + 5.5, key="k2"))],
        [event("updated", T + 4), event("deactivated", T + 2)],
        [commit(T + 3), commit(T)],
    )
    assert [moment.at - T for moment in found] == [0, 1, 2, 3, 4, 5.5]
    assert [str(moment.source)[0] for moment in found] == list("cjecej")


def test_events_of_one_second_stay_in_their_order():
    found = build_timeline([], [event("reactivated"), event("deactivated")], [])
    assert [moment.kind for moment in found] == [
        "billing.meter.deactivated",
        "billing.meter.reactivated",
    ]


@pytest.mark.parametrize(
    "on_result",
    [
        event(request="req_1"),
        event(key=KEY),
        event(request="req_of_an_earlier_try", key=KEY),
        event(request="req_1", key="another"),
    ],
)
def test_the_event_of_a_recorded_request_is_part_of_it(on_result):
    """By the request id, or by the idempotency key."""
    (found,) = build_timeline([run(request(request_id="req_1"))], [on_result], [])
    assert found.source is Source.JOURNAL
    assert found.what == "deactivate: done; billing.meter.deactivated"
    assert (found.who, found.origin) == ("ada", "ours")
    assert (found.request_id, found.meter_id) == ("req_1", "mtr_1")
    assert (found.plan_id, found.commit) == (PLAN, "c" * 40)
    assert found.event_ids == (on_result[1].id,)


@pytest.mark.parametrize(
    "on_result", [event(request="req_2"), event(), event(key=KEY[:-1] + "2"), event(key="")]
)
def test_any_other_event_is_a_moment_of_its_own(on_result):
    found = build_timeline([run(request(request_id="req_1"))], [on_result], [])
    assert [moment.source for moment in found] == [Source.JOURNAL, Source.EVENT]


def test_one_request_can_have_several_events():
    events = [event("updated", T + 1, key=KEY, display_name="Chairs"), event(key=KEY)]
    (found,) = build_timeline([run(request())], events, [])
    assert found.what == "deactivate: done; billing.meter.deactivated; billing.meter.updated"
    assert found.note == 'display_name: "Chairs" → "Seats"'
    assert len(found.event_ids) == 2


def test_a_run_that_was_killed_is_explained_by_the_event():
    (found,) = build_timeline([run(request(result=None))], [event(request="req_9", key=KEY)], [])
    assert found.what == ("deactivate: no response recorded; billing.meter.deactivated")
    assert found.request_id == "req_9"


@pytest.mark.parametrize("result", ["rejected", "not_sent"])
def test_of_two_jobs_with_one_plan_the_event_is_of_the_one_that_did_it(result):
    """They use the same keys; one request was not sent, or rejected."""
    idle, busy = request(at=T, result=result), request(at=T + 1, result="indeterminate")
    found = build_timeline([run(idle), run(busy)], [event(at=T + 2, key=KEY)], [])
    assert [moment.event_ids for moment in found] == [(), ("evt_deactivated_1790000002",)]


def test_a_stored_response_leaves_the_event_with_the_first_request():
    first = request(at=T, result=None)
    again = request(at=T + 9, replayed=True, request_id="req_2")
    found = build_timeline([run(first), run(again)], [event(request="req_1", key=KEY)], [])
    assert [len(moment.event_ids) for moment in found] == [1, 0]
    assert found[1].what == "deactivate: done, a replayed response"


@pytest.mark.parametrize(
    ("key", "origin", "who", "plan"),
    [
        (KEY, "ours", "reconciler, by a run that is not in this journal", PLAN),
        (
            "f47ac10b",
            "another_client",
            "another API client: the idempotency key is not from reconciler",
            None,
        ),
        (None, "outside", "not reconciler: no idempotency key was sent; possibly", None),
    ],
)
def test_the_origin_of_an_event(key, origin, who, plan):
    (found,) = build_timeline([], [event(request="req_1", key=key)], [])
    assert found.origin == origin
    assert found.who.startswith(who)
    assert (found.plan_id, found.commit) == (plan, "c" * 12 if plan else None)
    assert (found.account, found.meter_id, found.request_id) == ("sandbox", "mtr_1", "req_1")


FAILED = {"action": "replace", "status": "failed", "code": "A006", "message": "no", "at": T + 3}


@pytest.mark.parametrize(
    ("line", "requests", "kinds"),
    [
        ({"action": "update", "status": "done"}, [request("update")], ["update"]),
        ({"action": "update", "status": "already"}, [], ["update"]),
        ({"action": "update", "status": "skipped"}, [], ["update"]),
        ({}, [request("update")], ["update"]),
        (FAILED, [request("deactivate"), request("create")], ["deactivate", "create", "replace"]),
        ({}, [], []),
    ],
)
def test_a_result_is_a_moment_if_it_adds_to_its_requests(line, requests, kinds):
    found = build_timeline([run(*requests, **line)], [], [])
    assert [moment.kind for moment in found] == kinds


def test_a_failure_is_dated_and_explained():
    """Without a date, it has that of the run."""
    (found,) = build_timeline([run(**FAILED)], [], [])
    assert (found.at, found.what, found.note) == (T + 3, "replace: failed", "A006: no")
    (found,) = build_timeline([run(**{**FAILED, "at": None})], [], [])
    assert found.at == T


@pytest.mark.parametrize(
    ("turn", "what"),
    [
        (DeclarationChange.ADDED, "added to m.yaml"),
        (DeclarationChange.CHANGED, "changed in m.yaml"),
        (DeclarationChange.REMOVED, "removed from m.yaml"),
    ],
)
def test_the_moment_of_a_commit(turn, what):
    (found,) = build_timeline([], [], [commit(turn=turn)])
    assert (found.kind, found.what, found.note, found.who) == (turn, what, "Declare", "Ada")
    assert (found.origin, found.account, found.commit) == (None, None, "d" * 40)


@given(texts(), texts(), st.integers(0, 253_402_300_799))
def test_hostile_values_never_break_a_line_or_the_document(word, other, at):
    moments = build_timeline(
        [run(request(at=at, error=word, meter_id=other), action=word, status=other, code=word)],
        [event(word, at, other, word, other, display_name=word)],
        [
            commit(
                at,
                DeclarationChange.CHANGED,
                author=word,
                subject=other,
                files=(word,),
            )
        ],
    )
    on_result = History(meter=word, timeline=moments)
    assert len(held(render(on_result, "json"))["timeline"]) == len(moments)
    text = render(on_result, "text")
    assert all(line.isprintable() for line in text.splitlines())
    assert sum(not line.startswith(" ") for line in text.splitlines()) == 1 + len(moments)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_unknown_name_is_quoted(name):
    text = render(History(meter=name, timeline=()), "text")
    assert text.replace("\n", "").isprintable()
    assert "No history for" in text
