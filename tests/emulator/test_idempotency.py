"""Idempotency keys: what is stored, what is replayed, what is refused."""

import pytest
from emulator.asking import METERS, Said, account, meter

from reconciler.emulator import Fault

DAY = 24 * 3600


def test_a_key_replays_its_first_answer_and_has_no_second_effect():
    """Same status and body, marked as replayed, under a request id of its own."""
    emulated = account()
    first = emulated.post(key="k", **meter())
    second = emulated.post(key="k", **meter())
    assert second.json == first.json
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["Idempotency-Key"] == "k"
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert len(emulated.meters) == len(emulated.events) == 1


def test_an_old_success_is_replayed_though_the_world_has_moved():
    """The trap of deterministic keys: the second deactivation does nothing."""
    emulated = account()
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    emulated.post(f"{path}/deactivate", "stop")
    emulated.post(f"{path}/reactivate", "start")
    said = emulated.post(f"{path}/deactivate", "stop")
    assert said.json["status"] == "inactive"
    assert emulated.meters[0]["status"] == "active"


def test_the_order_of_parameters_does_not_matter():
    """The same parameters are the same request."""
    emulated = account()
    asked = meter()
    emulated.post(key="k", **asked)
    assert emulated.post(key="k", **dict(reversed(asked.items()))).status == 200


@pytest.mark.parametrize(
    ("path", "params"),
    [(METERS, meter(display_name="Other")), (f"{METERS}/mtr_1/deactivate", {})],
)
def test_a_key_means_one_request(path, params):
    """Other parameters, or another endpoint, are a 400 of type idempotency_error."""
    emulated = account()
    emulated.post(key="k", **meter())
    said = emulated.post(path, "k", **params)
    assert (said.status, said.error["type"]) == (400, "idempotency_error")
    assert "Try using a key other than 'k'" in said.error["message"]


def test_a_key_is_in_use_until_its_request_ends():
    """409 in the meantime, nothing stored for it, then a replay."""
    emulated = account()
    request = emulated.posting(key="k", **meter())
    ticket = emulated.begin(request)
    said = emulated.ask(request)
    assert (said.status, said.error["code"]) == (409, "idempotency_key_in_use")
    assert emulated.post(key="other", **meter("b")).status == 200
    made = emulated.finish(ticket)
    assert emulated.ask(request).json == made.json


@pytest.mark.parametrize("key", ["duplicate", "missing"])
def test_refusals_during_execution_are_replayed(key):
    """A duplicate name and an unknown id stay refused under their key, whatever has changed."""
    emulated = account()
    taken = emulated.post(**meter()).json["id"]
    if key == "duplicate":
        first = emulated.post(key=key, **meter())
        emulated.post(f"{METERS}/{taken}/deactivate")
        second = emulated.post(key=key, **meter())
    else:
        first = emulated.post(f"{METERS}/mtr_nope/deactivate", key)
        second = emulated.post(f"{METERS}/mtr_nope/deactivate", key)
    assert first.status == second.status
    assert second.headers["idempotent-replayed"] == "true"
    assert second.json == first.json


def test_refusals_before_execution_are_not_stored():
    """After a validation error the key is free for the right request."""
    emulated = account()
    assert emulated.post(key="k", event_name="a").status == 400
    assert emulated.post(key="k", **meter()).status == 200


@pytest.mark.parametrize("spec", ["429:post=1", "409:post=1", "503:post=1", "reset:post=1"])
def test_what_never_reached_the_api_is_not_stored(spec):
    """The same key then executes."""
    emulated = account(Fault.parse(spec))
    assert emulated.post(key="k", **meter()).status != 200
    said = emulated.post(key="k", **meter())
    assert said.status == 200
    assert "idempotent-replayed" not in said.headers


@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_a_500_is_stored_and_replayed(phase, effects):
    """Whether or not it had its effect."""
    emulated = account(Fault.parse(f"500:{phase}:post=1"))
    assert emulated.post(key="k", **meter()).status == 500
    said = emulated.post(key="k", **meter())
    assert (said.status, said.headers["idempotent-replayed"]) == (500, "true")
    assert len(emulated.meters) == len(emulated.events) == effects


@pytest.mark.parametrize("kind", ["reset", "timeout", "garbage", "truncated", "503", "429", "409"])
def test_an_answer_lost_after_the_effect_can_be_had_again(kind):
    """What was stored is the true answer."""
    emulated = account(Fault.parse(f"{kind}:after:post=1"))
    emulated.post(key="k", **meter())
    said = emulated.post(key="k", **meter())
    assert (said.status, said.headers["idempotent-replayed"]) == (200, "true")
    assert said.json == emulated.meters[0]
    assert len(emulated.events) == 1


def test_a_key_is_forgotten_after_a_day():
    """Then it executes anew."""
    emulated = account()
    path = f"{METERS}/{emulated.post(**meter()).json['id']}"
    emulated.post(path, "k", display_name="A")
    emulated.now += DAY - 1
    assert "idempotent-replayed" in emulated.post(path, "k", display_name="A").headers
    emulated.now += 1
    assert "idempotent-replayed" not in emulated.post(path, "k", display_name="A").headers
    emulated.now += DAY
    emulated.post(path, "other", display_name="B")
    assert list(emulated.state.ledger.replies) == ["other"]


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_a_key_has_at_most_255_characters(length, status):
    """A longer one is refused before anything happens."""
    emulated = account()
    assert emulated.post(key="k" * length, **meter()).status == status


def test_a_read_ignores_its_key():
    """Only a POST has one."""
    emulated = account()
    emulated.headers["idempotency-key"] = "k"
    assert "Idempotency-Key" not in emulated.get().headers
    assert emulated.post(**meter()).status == 200


def test_a_failed_execution_gives_its_key_back(monkeypatch):
    """Even if the emulator itself fails."""
    emulated = account()
    ticket = emulated.begin(emulated.posting(key="k", **meter()))
    monkeypatch.setattr(type(emulated.state.ledger), "create_id", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        emulated.finish(ticket)
    monkeypatch.undo()
    assert isinstance(emulated.post(key="k", **meter()), Said)
    assert emulated.meters
