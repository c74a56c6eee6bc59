"""Faults: their text, which requests they apply to, and what each makes of an answer."""

import json

import pytest
from emulator.client import METERS, account, meter

from reconciler.emulator import Fault, Kind, Phase, SettingError, Settings, parse_settings

TEXTS = [
    ("500:after:post=3", {"phase": Phase.AFTER, "method": "POST", "nth": 3}),
    ("reset:before:n=7", {"number": 7}),
    ("429:chance=0.1", {"chance": 0.1}),
    ("429:reason=global-rate:times=2", {"reason": "global-rate", "times": 2}),
    ("latency=250ms", {"wait": 0.25}),
    ("timeout=1.5s:after:method=post", {"phase": Phase.AFTER, "wait": 1.5, "method": "POST"}),
    ("409:code=idempotency_key_in_use", {"code": "idempotency_key_in_use"}),
    ("garbage:status=502:path=/v1/*/deactivate:nth=2",
     {"status": 502, "path": "/v1/*/deactivate", "nth": 2}),
    ("503:should_retry=false", {"should_retry": "false"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), TEXTS, ids=[text for text, _ in TEXTS])
def test_a_fault_is_parsed(text, fields):
    kind = Kind(text.split(":")[0].split("=")[0])
    assert Fault.parse(text) == Fault(kind=kind, **fields)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is not one of latency, 429"),
        ("501", "'501' is not one of latency, 429"),
        ("500:during", "'during' is not one of before, after, post=K"),
        ("500:post", "'post' is not one of"),
        ("500:post=x", "'x' is not a whole number"),
        ("500:n=", "'n=' is not one of"),
        ("429:chance=2", "'2' is not a chance from 0 to 1"),
        ("429:chance=nan", "'nan' is not a chance from 0 to 1"),
        ("latency", "'' is not a duration: write it as 250ms or 1.5s"),
        ("latency=250", "'250' is not a duration"),
        ("500=3s", "a 500 takes no duration"),
        ("dup=3s", "a dup takes no duration"),
        ("dup:before", "a dup is neither before nor after the effect"),
        ("dup:post=1:after", "a dup is neither before nor after the effect"),
        ("409:code=x", "'x' is not one of lock_timeout, idempotency_key_in_use, rate_limit"),
    ],
)
def test_an_invalid_fault_is_reported_with_its_word(text, complaint):
    with pytest.raises(SettingError) as caught:
        Fault.parse(text)
    assert str(caught.value).startswith(f"fault {text!r}: {complaint}")


def test_settings_are_parsed():
    words = {"name-scope": "all", "latency": "20ms", "rate_limit": "25", "chance-seed": "7"}
    settings = parse_settings(words | {"reactivate_active": "error", "updated-moves": "off"})
    changed = {"name_scope": "all", "latency": 0.02, "rate_limit": 25.0, "chance_seed": 7}
    assert settings == Settings(**changed, reactivate_active="error", updated_moves="off")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"name-scope": "both"}, "name-scope: 'both' is not one of active, all"),
        ({"rate-limit": "0"}, "rate-limit: '0' is not a number above 0"),
        ({"list-lag": "5"}, "list-lag: '5' is not a duration"),
        ({"chance-seed": "x"}, "chance-seed: 'x' is not a whole number"),
        ({"noun": ""}, "noun: the text is empty"),
        ({"colour": "red"}, "unknown switch 'colour'; choose from name_scope,"),
        ({"keys": "sk_test_1"}, "unknown switch 'keys'"),
    ],
)
def test_an_invalid_setting_is_reported_with_its_values(words, complaint):
    with pytest.raises(SettingError) as caught:
        parse_settings(words)
    assert str(caught.value).startswith(complaint)


STATUSES = [
    ("401", 401), ("403", 403),
    ("429", 429), ("409", 409), ("500", 500), ("503", 503), ("garbage", 200),
    ("garbage:status=502", 502), ("truncated", 200), ("reset", None), ("timeout=9s", None),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "status"), STATUSES)
@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_a_fault_replaces_the_answer_before_or_after_the_effect(spec, status, phase, effects):
    kind, *more = spec.split(":")
    emulated = account(Fault.parse(":".join([kind, phase, *more])))
    response = emulated.post(**meter())
    assert response.status == status
    assert response.delay == (9.0 if kind == "timeout=9s" else 0.0)
    assert len(emulated.meters) == len(emulated.events) == effects


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("kind", ["garbage", "truncated"])
def test_garbage_is_not_json(kind, phase):
    """A page of HTML, or the correct answer cut short; the request id is there."""
    response = account(Fault.parse(f"{kind}:{phase}")).post(**meter())
    with pytest.raises(json.JSONDecodeError):
        _ = response.json
    assert response.headers["Request-Id"].startswith("req_")
    expected = "text/html" if kind == "garbage" else "application/json"
    assert response.headers["Content-Type"] == expected


@pytest.mark.parametrize(
    ("spec", "code", "reason"),
    [
        ("429", "rate_limit", None),
        ("429:reason=global-rate", "rate_limit", "global-rate"),
        ("429:reason=resource-specific", "rate_limit", "resource-specific"),
        ("429:code=lock_timeout", "lock_timeout", None),
        ("409", "lock_timeout", None),
        ("409:code=idempotency_key_in_use", "idempotency_key_in_use", None),
    ],
)
def test_a_refusal_has_a_code_and_perhaps_a_reason(spec, code, reason):
    response = account(Fault.parse(spec)).post(key="k", **meter())
    assert (response.status, response.error["code"]) == (int(spec[:3]), code)
    assert response.headers.get("Stripe-Rate-Limited-Reason") == reason
    assert "Stripe-Should-Retry" not in response.headers


@pytest.mark.parametrize("advice", ["true", "false"])
def test_a_fault_may_advise_whether_to_retry(advice):
    response = account(Fault(kind=Kind.FAILURE, should_retry=advice)).get()
    assert response.headers["Stripe-Should-Retry"] == advice


def test_latency_applies_before_or_after_the_effect():
    emulated = account(Fault.parse("latency=2s"), Fault.parse("latency=3s:after"), latency=0.5)
    ticket = emulated.begin(emulated.posting(**meter()))
    assert ticket.delay == 2.5
    assert emulated.finish(ticket).delay == 3.0
    assert emulated.get("/v1/nope").delay == 5.5


def run(emulated, requests):
    """Return the numbers, from 1, of the requests that the fault applied to."""
    return [n for n, ask in enumerate(requests, 1) if ask(emulated).status == 503]


def read(emulated):
    return emulated.get()


def write(emulated):
    return emulated.post(f"{METERS}/mtr_1/deactivate")


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        (":n=3", [3]),
        (":post=2", [5]),
        (":method=GET", [1, 3, 4]),
        (":path=/v1/billing/meters/*", [2, 5, 6]),
        (":path=*/deactivate:nth=3", [6]),
        (":times=2", [1, 2]),
        (":method=POST:times=1", [2]),
        (":chance=0", []),
        (":chance=1", [1, 2, 3, 4, 5, 6]),
        (":n=2:method=GET", []),
    ],
)
def test_a_fault_applies_to_the_requests_that_its_selectors_match(selectors, expected):
    requests = [read, write, read, read, write, write]
    assert run(account(Fault.parse(f"503{selectors}")), requests) == expected


def test_chance_depends_on_the_seed():
    fault = Fault.parse("503:chance=0.3")
    runs = [run(account(fault, chance=n), [read] * 200) for n in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 40 < len(runs[0]) < 80


def test_a_fault_applies_to_refused_and_replayed_requests_too():
    """The k-th POST is the k-th POST, whatever would have been answered."""
    emulated = account(Fault.parse("500:post=2"), Fault.parse("reset:after:post=3"))
    statuses = [emulated.post(key="k", **meter()).status for _ in range(4)]
    assert statuses == [200, 500, None, 200]


def test_faults_can_be_armed_and_disarmed_at_any_time():
    emulated = account()
    write(emulated)
    emulated.state.arm(Fault.parse("503:post=1:times=1"))
    assert run(emulated, [write, write]) == [1]
    emulated.state.arm(Fault.parse("503"))
    emulated.state.disarm()
    assert run(emulated, [read]) == []


def test_a_duplicated_request_gets_the_answer_of_the_second_delivery():
    """With an idempotency key that is the stored one, without a key a request of its own."""
    emulated = account(Fault.parse("dup"))
    first = emulated.post(key="k", **meter())
    assert (first.status, first.headers["idempotent-replayed"]) == (200, "true")
    assert len(emulated.meters) == len(emulated.events) == 1
    refused = emulated.post(**meter(event_name="other"))
    assert (refused.status, "idempotent-replayed" in refused.headers) == (400, False)
    assert len(emulated.meters) == 2


def test_a_duplicated_request_may_lose_its_answer_too():
    emulated = account(Fault.parse("dup"), Fault.parse("reset:after"))
    assert emulated.post(key="k", **meter()).status is None
    assert len(emulated.meters) == 1


def test_a_request_that_is_refused_twice_is_not_stored():
    emulated = account(Fault.parse("dup"))
    refused = emulated.post(f"{METERS}/mtr_1/nope", key="k")
    assert (refused.status, "idempotent-replayed" in refused.headers) == (404, False)
