"""Prices and events of an account, as far as the key may read them."""

from __future__ import annotations

import threading

import pytest
from stripe_client.scripted import KEY, Scripted, a_list, http, make, refusal, to

from reconciler.diagnostics.errors import StoppedError
from reconciler.emulator import Key, Server, Settings, open_state
from reconciler.model.meter import Unreadable
from reconciler.model.price import Price
from reconciler.stripe.client import METER_EVENTS, Events, Prices, run_concurrently
from reconciler.stripe.errors import (
    InvalidRequestError,
    PermissionDeniedError,
    ServerError,
    UnexpectedAnswerError,
)


def a_price(price_id, on, **fields):
    """The fields of a price that are read."""
    return {"id": price_id, "active": True, "recurring": {"meter": on}, **fields}


def seed(meters=9):
    return {
        "meters": [
            {
                "id": f"mtr_{n}",
                "event_name": f"name_{n}",
                "display_name": "A meter",
                "default_aggregation": {"formula": "sum"},
            }
            for n in range(meters)
        ],
        "prices": [
            {"id": f"price_{n}", "meter": f"mtr_{n % 3}", "active": n % 7 != 0, "nickname": f"n{n}"}
            for n in range(300)
        ],
    }


@pytest.fixture
def selling(clock):
    """An account with 300 prices on three of nine meters, and keys that may read more or less."""
    few = frozenset({"billing_meter_read"})
    settings = Settings(keys=(Key(KEY), Key("rk_test_few", few)))
    with open_state(None, seed()) as store, Server(store, settings, clock=clock) as server:
        yield server


def test_prices_of_some_meters(selling, clock):
    """Only active ones, to the last page, one list for each meter."""
    with to(selling, clock) as transport:
        found = Prices(transport).for_meters(("mtr_1", "mtr_2", "mtr_8"))
    expected = {f"price_{n}" for n in range(300) if n % 7 and n % 3 in (1, 2)}
    assert {price.id for price in found} == expected
    assert {price.meter for price in found} == {"mtr_1", "mtr_2"}
    assert isinstance(found[0], Price)
    assert found[0].nickname
    assert found[0].product
    assert len(selling.log) == 3


def test_prices_of_the_whole_account(selling, clock):
    """One list, a hundred per page."""
    with to(selling, clock) as transport:
        found = Prices(transport).all()
    assert len(found) == len([n for n in range(300) if n % 7])
    assert len(selling.log) == 3


def test_a_missing_permission_is_returned(selling, clock):
    """In Stripe's own term; plans continue without."""
    with to(selling, clock, "rk_test_few") as transport:
        assert isinstance(Prices(transport).all(), Unreadable)
        assert Prices(transport).for_meters(("mtr_1",)).permission == "plan_read"
        with pytest.raises(PermissionDeniedError) as caught:
            list(Events(transport).all())
        assert caught.value.permission == "event_read"


def test_prices_are_filtered_again(clock):
    """Prices of other meters, of none, or inactive ones do not count."""
    prices = [
        {
            "id": "price_1",
            "active": True,
            "recurring": {"meter": "mtr_1"},
            "product": {"id": "prod"},
        },
        {"id": "price_2", "active": True, "recurring": {"meter": "mtr_2"}, "product": "prod"},
        {"id": "price_3", "active": False, "recurring": {"meter": "mtr_1"}},
        {"id": "price_4", "active": True, "recurring": {"meter": None}},
        {"id": "price_5", "active": True, "recurring": None},
    ]
    with Scripted(lambda _: http(200, a_list(*prices))) as server, to(server, clock) as transport:
        assert Prices(transport).for_meters(("mtr_1",)) == (
            Price("price_1", "mtr_1", product="prod"),
        )
        assert [price.id for price in Prices(transport).all()] == ["price_1", "price_2"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(500), ServerError),
        (refusal(400), InvalidRequestError),
        (http(200, a_list(a_price(7, "mtr_1"))), UnexpectedAnswerError),
        (http(200, a_list(a_price("price_1", 7))), UnexpectedAnswerError),
        (http(200, a_list(a_price("price_1", "mtr_1", active=1))), UnexpectedAnswerError),
    ],
)
def test_other_failures_are_errors(answer, error, clock):
    """Only a 403 means a missing permission."""
    with (
        Scripted(lambda _: answer) as server,
        to(server, clock) as transport,
        pytest.raises(error),
    ):
        Prices(transport).for_meters(("mtr_1", "mtr_2"))


def test_a_failure_cancels_what_has_not_begun():
    """A rejected key is not sent two hundred times."""
    go_on, begun = threading.Event(), []

    def work(item):
        begun.append(item)
        if item == "0":
            raise PermissionError
        go_on.wait(10)

    before = set(threading.enumerate())
    with pytest.raises(PermissionError):
        run_concurrently(work, map(str, range(200)))
    go_on.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert len(begun) < 50


def test_a_stop_cancels_the_prices_not_yet_requested(clock):
    with (
        Scripted(lambda _: http(200, a_list())) as server,
        to(server, clock, stopped=lambda: len(server.asked) >= 3) as transport,
        pytest.raises(StoppedError),
    ):
        Prices(transport).for_meters(tuple(f"mtr_{n}" for n in range(200)))
    assert len(server.asked) <= 3 + 8


def test_events(server, clock, meters):
    """Type, object, request id and idempotency key."""
    born = make(meters, idempotency_key="mine")
    clock.sleep(100)
    began = int(clock.now())
    meters.update(born.id, display_name="Other", idempotency_key="second")
    with to(server, clock) as transport:
        every = list(Events(transport).all())
        recent = list(Events(transport).all(since=began))
        created = list(Events(transport).all(types=["billing.meter.created"]))
    assert [each.type for each in every] == ["billing.meter.updated", "billing.meter.created"]
    assert set(METER_EVENTS) > {each.type for each in every}
    assert [each.idempotency_key for each in recent] == ["second"]
    assert recent[0].previous_attributes["display_name"] == "API calls"
    assert recent[0].object["id"] == born.id
    assert created[0].request_id == server.log.posts[0].request_id
