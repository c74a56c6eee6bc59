"""Steps as requests, and their answers, which are never exceptions."""

from __future__ import annotations

import pytest
from stripe_client.scripted import Scripted, a_meter, http, in_turn, refusal, to
from virtual import VirtualClock

from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import AuthError, ServiceError
from reconciler.emulator import Server, Settings, open_state
from reconciler.execution.steps import Operation, Step
from reconciler.model.change import Action, Change
from reconciler.model.meter import DefaultAggregation, Meter
from reconciler.model.project import MeterConfig
from reconciler.model.request import Outcome
from reconciler.stripe.meter_writer import AccountMeters, request_for
from reconciler.stripe.retry import ATTEMPTS

WANT = Meter(
    event_name="api_calls", display_name="Calls", default_aggregation=DefaultAggregation("sum")
)


def step(operation=Operation.CREATE, meter_id=None, desired=WANT):
    """One request of a plan."""
    declared = desired and MeterConfig(meter=desired, location=Location("meters.yaml", 1))
    change = Change(action=Action.CREATE, event_name="api_calls", reason="", desired=declared)
    return Step(1, operation, change, meter_id)


BLOCKS = {
    "default_aggregation": {"formula": "sum"},
    "value_settings": {"event_payload_key": "value"},
    "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
}


@pytest.mark.parametrize(
    ("asked", "path", "params"),
    [
        (
            step(),
            "/v1/billing/meters",
            {
                "event_name": "api_calls",
                "display_name": "Calls",
                "event_time_window": None,
                **BLOCKS,
            },
        ),
        (step(Operation.UPDATE, "mtr_1"), "/v1/billing/meters/mtr_1", {"display_name": "Calls"}),
        (step(Operation.DEACTIVATE, "mtr_1", None), "/v1/billing/meters/mtr_1/deactivate", {}),
        (step(Operation.REACTIVATE, "mtr_1"), "/v1/billing/meters/mtr_1/reactivate", {}),
    ],
)
def test_a_step_as_a_request(asked, path, params):
    """Every block of a new meter is explicit."""
    assert request_for(asked) == (path, params)


def test_a_window_that_is_not_declared_is_not_sent(clock):
    with Scripted(in_turn(http(200, a_meter()))) as server, to(server, clock) as transport:
        AccountMeters(transport).send(step(), "key-1")
    assert "event_time_window" not in server.asked[0].params
    assert server.asked[0].params["value_settings[event_payload_key]"] == "value"
    assert server.asked[0].headers["idempotency-key"] == "key-1"


GOOD = http(200, a_meter())
CONFIRMED, REJECTED, INDETERMINATE = Outcome
REPLAY = {"Idempotent-Replayed": "true"}


@pytest.mark.parametrize(
    ("answers", "kind", "status", "attempts", "replayed"),
    [
        ([GOOD], CONFIRMED, 200, 1, False),
        ([http(200, a_meter(), **REPLAY)], CONFIRMED, 200, 1, True),
        ([refusal(500), GOOD], CONFIRMED, 200, 2, False),
        ([None, http(200, a_meter(), **REPLAY)], CONFIRMED, 200, 2, True),
        ([http(200, "<html>"), http(200, a_meter(), **REPLAY)], CONFIRMED, 200, 2, True),
        *(([refusal(status)], REJECTED, status, 1, False) for status in (400, 402, 404)),
        *(([refusal(status)], INDETERMINATE, status, 1, False) for status in (401, 403)),
        ([refusal(400, headers=REPLAY)], REJECTED, 400, 1, True),
        ([refusal(400, type="idempotency_error")], REJECTED, 400, 1, False),
        ([None], INDETERMINATE, None, ATTEMPTS, False),
        ([refusal(409)], INDETERMINATE, 409, ATTEMPTS, False),
        ([refusal(429)], INDETERMINATE, 429, ATTEMPTS, False),
        ([refusal(500)], INDETERMINATE, 500, ATTEMPTS, False),
        ([refusal(500, headers=REPLAY)], INDETERMINATE, 500, 1, True),
        ([refusal(424)], INDETERMINATE, 424, 1, False),
        ([http(302, "")], INDETERMINATE, 302, 1, False),
        ([http(200, "<html>")], INDETERMINATE, 200, ATTEMPTS, False),
        ([http(200, b"\x1f\x8b", Content_Encoding="gzip")], INDETERMINATE, 200, 1, False),
        ([http(200, {"id": "mtr_1"})], INDETERMINATE, 200, 1, False),
        ([http(200, a_meter("mtr/1"))], INDETERMINATE, 200, 1, False),
        ([refusal(500), refusal(400)], REJECTED, 400, 2, False),
    ],
)
def test_the_record_of_a_request(answers, kind, status, attempts, replayed, clock):
    with Scripted(in_turn(*answers)) as server, to(server, clock) as transport:
        answer = AccountMeters(transport).send(step(), "key-1")
    record = answer.record
    assert (record.result, record.status) == (kind, status)
    assert (answer.existing is None) is (answer.error is not None) is (kind is not CONFIRMED)
    assert (record.attempts, record.replayed) == (attempts, replayed)
    assert record.request_id == (None if answers == [None] else "req_1")
    assert {asked.headers["idempotency-key"] for asked in server.asked} == {"key-1"}


def stopped_after_the_first(server):
    """A transport of a run that is stopped during the first request."""
    clock = VirtualClock(stopped=lambda: bool(server.asked))
    return clock, to(server, clock, stopped=clock.stopped)


@pytest.mark.parametrize("first", [refusal(500), refusal(503), refusal(409), None])
def test_a_stop_does_not_end_the_retries_of_a_possible_effect(first):
    """They keep their waits, `Retry-After` included, to outlast an outage."""
    asks = refusal(429, headers={"Retry-After": "7"})
    with Scripted(in_turn(first, asks, GOOD)) as server:
        clock, stopped = stopped_after_the_first(server)
        with stopped as transport:
            answer = AccountMeters(transport).send(step(), "key-1")
    assert (answer.record.result, answer.record.attempts) == (CONFIRMED, 3)
    assert clock.monotonic() == sum(clock.slept) > 7


def test_a_stop_ends_the_retries_of_what_only_a_rate_limit_rejected():
    with Scripted(in_turn(refusal(429, headers={"Retry-After": "7"}), GOOD)) as server:
        clock, stopped = stopped_after_the_first(server)
        with stopped as transport:
            answer = AccountMeters(transport).send(step(), "key-1")
    assert (answer.record.result, answer.record.doubts) == (INDETERMINATE, 0)
    assert len(server.asked) == 1
    assert clock.monotonic() == 0


def test_ignoring_a_stop_keeps_the_waits():
    """Those between attempts and those of the rate limit."""
    with Scripted(in_turn(GOOD, refusal(503), refusal(503), GOOD)) as server:
        clock = VirtualClock(stopped=lambda: True)
        with to(server, clock, stopped=lambda: True, rate_limit=1) as transport:
            meters = AccountMeters(transport).ignoring_stop()
            for _ in range(3):
                meters.read("mtr_1")
    assert len(server.asked) == 5
    assert clock.monotonic() > 3


def test_read(clock):
    """The meter; None for an unknown one; an error if it cannot be read."""
    answers = in_turn(GOOD, refusal(404), refusal(401), http(200, {}))
    with Scripted(answers) as server, to(server, clock) as transport:
        meters = AccountMeters(transport)
        assert meters.read("mtr_1").id == "mtr_1"
        assert meters.read("mtr_1") is None
        with pytest.raises(AuthError):
            meters.read("mtr_1")
        with pytest.raises(ServiceError):
            meters.read("mtr_1")


@pytest.mark.parametrize("scope", ["both", "active"])
def test_find_reads_no_older_pages(scope, clock):
    settings = {"default_aggregation": {"formula": "sum"}, "display_name": "x"}
    seed = {
        "meters": [
            {"id": f"mtr_{n}", "event_name": f"old_{n}", "created": 1000 + n, **settings}
            for n in range(400)
        ]
        + [
            {"id": "mtr_a", "event_name": "one", "created": 5000, **settings},
            {"id": "mtr_b", "event_name": "new", "created": 6000, **settings},
            {"id": "mtr_c", "event_name": "other", "created": 7000, **settings},
        ]
    }
    with (
        open_state(None, seed) as store,
        Server(store, Settings(list_scope=scope)) as server,
        to(server, clock) as transport,
    ):
        meters = AccountMeters(transport)
        known = {f"mtr_{n}" for n in range(400)}
        assert [existing.id for existing in meters.find("new", known)] == ["mtr_b"]
        assert meters.find("none", known) == ()
        assert meters.find("new", {*known, "mtr_b"}) == ()
        assert len(server.log) == 3
        assert [existing.id for existing in meters.find("old_7", {"mtr_a"})] == []
        assert [existing.id for existing in meters.find("old_7", ())] == ["mtr_7"]
        assert len(server.log) == 3 + 1 + 5


def test_find_reads_all_meters_of_one_second(clock):
    """Their order is undefined: the newest may follow a known one."""
    settings = {"default_aggregation": {"formula": "sum"}, "display_name": "x", "created": 1000}
    seed = {"meters": [{"id": f"mtr_{n}", "event_name": f"m{n}", **settings} for n in range(250)]}
    with open_state(None, seed) as store, Server(store) as server, to(server, clock) as transport:
        meters = AccountMeters(transport)
        for n in (0, 120, 249):
            known = {f"mtr_{k}" for k in range(250) if k != n}
            assert [existing.id for existing in meters.find(f"m{n}", known)] == [f"mtr_{n}"]
