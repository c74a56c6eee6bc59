"""Idempotency keys: what is stored, what is replayed, what is refused."""

import pytest
from emulator.client import DAY, METERS, account, meter

from reconciler.emulator import Fault


def test_a_key_replays_its_first_answer_without_a_second_effect():
    emulated = account()
    asked = meter()
    first = emulated.post(key="k", **asked)
    second = emulated.post(key="k", **dict(reversed(asked.items())))
    assert (second.status, second.json) == (200, first.json)
    assert not first.replayed
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["Idempotency-Key"] == "k"
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert len(emulated.meters) == len(emulated.events) == 1


def test_a_success_is_replayed_although_the_meter_has_changed_since():
    """A second deactivation under the same key has no effect."""
    emulated = account()
    path = emulated.create()
    emulated.post(f"{path}/deactivate", "first")
    emulated.post(f"{path}/reactivate", "second")
    assert emulated.post(f"{path}/deactivate", "first").json["status"] == "inactive"
    assert emulated.meters[0]["status"] == "active"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("", meter(display_name="Other")),
        ("/mtr_1/deactivate", {}),
    ],
)
def test_a_key_belongs_to_one_request(path, params):
    emulated = account()
    emulated.post(key="k", **meter())
    response = emulated.post(METERS + path, "k", **params)
    assert (response.status, response.error["type"]) == (400, "idempotency_error")
    assert "Try using a key other than 'k'" in response.error["message"]


@pytest.mark.parametrize("second", ["another meter", "another call"])
def test_a_key_belongs_to_one_path(second):
    """Two calls without parameters are not the same call."""
    emulated = account()
    first = emulated.create()
    path = f"{emulated.create(event_name='other')}/deactivate"
    assert emulated.post(f"{first}/deactivate", "k").status == 200
    response = emulated.post(path if second == "another meter" else f"{first}/reactivate", "k")
    assert (response.status, response.error["type"]) == (400, "idempotency_error")
    assert [each["status"] for each in emulated.meters].count("inactive") == 1


@pytest.mark.parametrize("kind", ["idempotency_error", "invalid_request_error"])
def test_a_key_is_in_use_until_its_request_ends(kind):
    """409 in the meantime, nothing stored for it, then a replay; the type is a setting."""
    emulated = account(key_in_use_error=kind)
    request = emulated.posting(key="k", **meter())
    ticket = emulated.begin(request)
    response = emulated.ask(request)
    assert (response.status, response.error["code"]) == (409, "idempotency_key_in_use")
    assert response.error["type"] == kind
    assert emulated.post(key="other", **meter("b")).status == 200
    made = emulated.finish(ticket)
    assert emulated.ask(request).json == made.json


@pytest.mark.parametrize("kind", ["idempotency_error", "invalid_request_error"])
def test_the_fault_of_a_key_in_use_has_the_same_type(kind):
    fault = Fault.parse("409:code=idempotency_key_in_use")
    assert account(fault, key_in_use_error=kind).post(key="k").error["type"] == kind


def test_a_refusal_of_the_execution_is_replayed():
    """A duplicate event_name and an unknown id, even after the cause is gone."""
    emulated = account()
    path = emulated.create()
    duplicate = emulated.post(key="duplicate", **meter())
    unknown = emulated.post(f"{METERS}/mtr_nope/deactivate", "unknown")
    emulated.post(f"{path}/deactivate")
    for first, again in [
        (duplicate, emulated.post(key="duplicate", **meter())),
        (unknown, emulated.post(f"{METERS}/mtr_nope/deactivate", "unknown")),
    ]:
        assert again.replayed
        assert (again.status, again.json) == (first.status, first.json)


def test_a_validation_error_is_not_stored():
    emulated = account()
    assert emulated.post(key="k", event_name="a").status == 400
    assert emulated.post(key="k", **meter()).status == 200


@pytest.mark.parametrize("spec", ["429:post=1", "409:post=1", "503:post=1", "reset:post=1"])
def test_a_request_that_did_not_reach_the_api_is_not_stored(spec):
    emulated = account(Fault.parse(spec))
    assert emulated.post(key="k", **meter()).status != 200
    again = emulated.post(key="k", **meter())
    assert (again.status, again.replayed) == (200, False)


@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_a_500_is_stored_and_replayed(phase, effects):
    emulated = account(Fault.parse(f"500:{phase}:post=1"))
    assert emulated.post(key="k", **meter()).status == 500
    again = emulated.post(key="k", **meter())
    assert (again.status, again.replayed) == (500, True)
    assert len(emulated.meters) == len(emulated.events) == effects


@pytest.mark.parametrize("kind", ["reset", "timeout", "garbage", "truncated", "503", "429", "409"])
def test_an_answer_lost_after_the_effect_is_replayed(kind):
    emulated = account(Fault.parse(f"{kind}:after:post=1"))
    emulated.post(key="k", **meter())
    again = emulated.post(key="k", **meter())
    assert (again.status, again.replayed, again.json) == (200, True, emulated.meters[0])
    assert len(emulated.events) == 1


def test_a_key_expires_after_a_day():
    emulated = account()
    path = emulated.create()
    emulated.post(path, "k", display_name="A")
    emulated.now += DAY - 1
    assert emulated.post(path, "k", display_name="A").replayed
    emulated.now += 1
    assert not emulated.post(path, "k", display_name="A").replayed
    emulated.now += DAY
    emulated.post(path, "other", display_name="B")
    assert list(emulated.state.ledger.replies) == ["other"]


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_a_key_has_at_most_255_characters(length, status):
    assert account().post(key="k" * length, **meter()).status == status


def test_the_key_of_a_read_is_ignored():
    emulated = account()
    emulated.headers["idempotency-key"] = "k"
    assert "Idempotency-Key" not in emulated.get().headers
    assert emulated.post(**meter()).status == 200


def test_a_failed_execution_releases_its_key(monkeypatch):
    emulated = account()
    ticket = emulated.begin(emulated.posting(key="k", **meter()))
    monkeypatch.setattr(type(emulated.state.ledger), "create_id", lambda *_: 1 / 0)
    failed = emulated.finish(ticket)
    assert (failed.status, failed.error["code"]) == (500, "emulator_error")
    monkeypatch.undo()
    assert emulated.post(key="k", **meter()).status == 200
    assert emulated.meters
