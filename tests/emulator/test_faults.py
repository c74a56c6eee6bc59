"""Faults: their text, whom they strike, and what each makes of an answer."""

import json

import pytest
from emulator.asking import METERS, account, meter

from reconciler.emulator import Fault, Kind, Phase, SettingError, Settings, parse_settings

TEXTS = [
    ("500:after:post=3", Fault(kind=Kind.FAILURE, phase=Phase.AFTER, method="POST", nth=3)),
    ("reset:before:n=7", Fault(kind=Kind.RESET, number=7)),
    ("429:chance=0.1", Fault(kind=Kind.RATE_LIMITED, chance=0.1)),
    ("429:reason=global-rate:times=2",
     Fault(kind=Kind.RATE_LIMITED, reason="global-rate", times=2)),
    ("latency=250ms", Fault(kind=Kind.LATENCY, wait=0.25)),
    ("timeout=1.5s:after:method=post", Fault(
        kind=Kind.TIMEOUT, phase=Phase.AFTER, wait=1.5, method="POST")),
    ("409:code=idempotency_key_in_use", Fault(kind=Kind.CONFLICT, code="idempotency_key_in_use")),
    ("garbage:status=502:path=/v1/billing/meters/*/deactivate:nth=2", Fault(
        kind=Kind.GARBAGE, status=502, path=f"{METERS}/*/deactivate", nth=2)),
    ("503:should_retry=false", Fault(kind=Kind.UNAVAILABLE, should_retry="false")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), TEXTS, ids=[text for text, _ in TEXTS])
def test_a_fault_has_a_text(text, fault):
    """Kind, side of the effect, selectors, details."""
    assert Fault.parse(text) == fault


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
        (
            "409:code=other",
            "'other' is not one of lock_timeout, idempotency_key_in_use, rate_limit",
        ),
    ],
)
def test_a_wrong_text_says_what_is_wrong(text, complaint):
    """With the whole text, the word, and what it could be."""
    with pytest.raises(SettingError) as caught:
        Fault.parse(text)
    assert str(caught.value).startswith(f"fault {text!r}: {complaint}")


def test_switches_can_be_given_as_words():
    """As a command line has them."""
    words = {"name-scope": "all", "latency": "20ms", "rate_limit": "25", "chance-seed": "7"}
    settings = parse_settings(words | {"reactivate_active": "error", "updated-moves": "off"})
    assert settings == Settings(
        name_scope="all",
        latency=0.02,
        rate_limit=25.0,
        chance_seed=7,
        reactivate_active="error",
        updated_moves="off",
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"name-scope": "both"}, "name-scope: 'both' is not one of active, all"),
        ({"rate-limit": "0"}, "rate-limit: '0' is not a number above 0"),
        ({"list-lag": "5"}, "list-lag: '5' is not a duration"),
        ({"chance-seed": "x"}, "chance-seed: 'x' is not a whole number"),
        ({"colour": "red"}, "unknown switch 'colour'; choose from name_scope,"),
        ({"keys": "sk_test_1"}, "unknown switch 'keys'"),
    ],
)
def test_a_wrong_switch_says_what_it_could_be(words, complaint):
    """The name of the switch and its choices."""
    with pytest.raises(SettingError) as caught:
        parse_settings(words)
    assert str(caught.value).startswith(complaint)


STATUSES = [
    ("429", 429), ("409", 409), ("500", 500), ("503", 503), ("garbage", 200),
    ("garbage:status=502", 502), ("truncated", 200), ("reset", None), ("timeout=9s", None),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "status"), STATUSES)
@pytest.mark.parametrize(("phase", "effects"), [("before", 0), ("after", 1)])
def test_a_fault_breaks_the_answer_on_its_side_of_the_effect(spec, status, phase, effects):
    """Before: nothing has happened. After: it has, once, with its event."""
    kind, *more = spec.split(":")
    emulated = account(Fault.parse(":".join([kind, phase, *more])))
    said = emulated.post(**meter())
    assert said.status == status
    assert said.answer.delay == (9.0 if kind == "timeout=9s" else 0.0)
    assert len(emulated.meters) == len(emulated.events) == effects


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("kind", ["garbage", "truncated"])
def test_garbage_is_no_json(kind, phase):
    """A page of HTML, or the right answer cut short; the request id is there."""
    said = account(Fault.parse(f"{kind}:{phase}")).post(**meter())
    with pytest.raises(json.JSONDecodeError):
        _ = said.json
    assert said.headers["Request-Id"].startswith("req_")
    assert said.headers["Content-Type"] == (
        "text/html" if kind == "garbage" else "application/json"
    )


@pytest.mark.parametrize("reason", [None, "global-rate", "resource-specific"])
def test_a_429_gives_its_reason_or_none(reason):
    """Without the header it is a lock, or something unknown."""
    said = account(Fault(kind=Kind.RATE_LIMITED, reason=reason)).get()
    assert said.headers.get("Stripe-Rate-Limited-Reason") == reason


def test_a_429_may_be_a_lock():
    """Then its code says so, and there is no reason."""
    said = account(Fault.parse("429:code=lock_timeout")).get()
    assert (said.status, said.error["code"]) == (429, "lock_timeout")
    assert "Stripe-Rate-Limited-Reason" not in said.headers


@pytest.mark.parametrize("code", ["lock_timeout", "idempotency_key_in_use"])
def test_a_409_is_a_lock_or_a_key_in_use(code):
    """By its code."""
    said = account(Fault(kind=Kind.CONFLICT, code=code)).post(key="k", **meter())
    assert (said.status, said.error["code"]) == (409, code)


@pytest.mark.parametrize("advice", ["true", "false"])
def test_a_fault_may_advise_the_client(advice):
    """Stripe-Should-Retry, on whatever the fault answers."""
    said = account(Fault(kind=Kind.FAILURE, should_retry=advice)).get()
    assert said.headers["Stripe-Should-Retry"] == advice
    assert "Stripe-Should-Retry" not in account().get().headers


def test_latency_is_waited_on_its_side_of_the_effect():
    """Before it the key is in use meanwhile; all latencies add up."""
    emulated = account(Fault.parse("latency=2s"), Fault.parse("latency=3s:after"), latency=0.5)
    ticket = emulated.begin(emulated.posting(**meter()))
    assert ticket.delay == 2.5
    assert emulated.finish(ticket).answer.delay == 3.0
    refused = emulated.get("/v1/nope")
    assert refused.answer.delay == 5.5


def struck(emulated, requests):
    """The numbers, from 1, of the requests that did not get a 2xx or 404."""
    return [n for n, ask in enumerate(requests, 1) if ask(emulated).status == 503]


def read(emulated):
    return emulated.get()


def write(emulated):
    return emulated.post(f"{METERS}/mtr_1/deactivate")


MIXED = [read, write, read, read, write, write]


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
def test_a_fault_strikes_whom_its_selectors_match(selectors, expected):
    """By number, by the k-th POST, by method and path, so many times."""
    assert struck(account(Fault.parse(f"503{selectors}")), MIXED) == expected


def test_chance_comes_from_the_seed():
    """The same seed strikes the same requests, another one others, about as many as said."""
    fault = Fault.parse("503:chance=0.3")
    runs = [struck(account(fault, chance=n), [read] * 200) for n in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 40 < len(runs[0]) < 80


def test_a_fault_strikes_refused_and_replayed_requests_too():
    """The k-th POST is the k-th POST, whatever would have been answered."""
    emulated = account(Fault.parse("500:post=2"), Fault.parse("reset:after:post=3"))
    emulated.post(key="k", **meter())
    assert emulated.post(key="k", **meter()).status == 500
    assert emulated.post(key="k", **meter()).status is None
    assert emulated.post(key="k", **meter()).status == 200


def test_faults_come_and_go_while_it_runs():
    """A fault counts from when it is armed."""
    emulated = account()
    write(emulated)
    emulated.state.arm(Fault.parse("503:post=1:times=1"))
    assert struck(emulated, [write, write]) == [1]
    emulated.state.arm(Fault.parse("503"))
    emulated.state.disarm()
    assert struck(emulated, [read]) == []
