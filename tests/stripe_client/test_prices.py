"""Prices and events of an account, as far as the key may read them."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from builders.in_process import InTurn
from stripe_client.scripted import KEY, Scripted, a_list, http, make, refusal, to

from reconciler.diagnostics.errors import StoppedError
from reconciler.emulator import Key, Server, Settings, open_state
from reconciler.execution.protocol import SIDE_BY_SIDE
from reconciler.model.meter import Unreadable
from reconciler.model.price import Price
from reconciler.stripe.client import METER_EVENTS, SUBSCRIPTIONS, Events, Prices, run_concurrently
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
    """300 prices on three meters; of the archived ones every second has a subscription."""
    archived = range(0, 300, 7)
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
        "subscriptions": [{"items": [{"price": f"price_{n}"}]} for n in archived if n % 2],
    }


@pytest.fixture
def selling(clock):
    """An account with 300 prices on three of nine meters, and keys that may read more or less."""
    few = frozenset({"billing_meter_read"})
    no_subscriptions = frozenset({"billing_meter_read", "plan_read"})
    keys = (Key(KEY), Key("rk_test_few", few), Key("rk_test_some", no_subscriptions))
    with (
        open_state(None, seed()) as store,
        Server(store, Settings(keys=keys), clock=clock) as server,
    ):
        yield server


def in_use(meters):
    """The ids of the prices in use on meters of the seed, by their numbers."""
    return {f"price_{n}" for n in range(300) if n % 3 in meters and (n % 7 or n % 2)}


def test_prices_of_some_meters(selling, clock):
    """Active ones and archived ones with a subscription: two lists for each meter, to the last
    page, and one request for each archived price.
    """
    with to(selling, clock) as transport:
        found = Prices(transport).in_use(("mtr_1", "mtr_2", "mtr_8"))
    assert {price.id for price in found} == in_use((1, 2))
    assert {price.meter for price in found} == {"mtr_1", "mtr_2"}
    assert {price.active for price in found} == {True, False}
    assert {price.missing_permission for price in found} == {None}
    assert isinstance(found[0], Price)
    assert found[0].nickname
    assert found[0].product
    archived = sum(1 for n in range(0, 300, 7) if n % 3)
    assert len(selling.log) == 2 * 3 + archived
    assert {entry.params["limit"] for entry in selling.log.matching("GET", SUBSCRIPTIONS)} == {"1"}


def test_prices_of_the_whole_account(selling, clock):
    """One list, a hundred per page; archived prices only of the meters given."""
    with to(selling, clock) as transport:
        found = Prices(transport).all_in_use(())
        assert len(found) == len([n for n in range(300) if n % 7])
        assert len(selling.log) == 3
        more = Prices(transport).all_in_use(("mtr_1",))
    assert {price.id for price in more} - {price.id for price in found} == {
        f"price_{n}" for n in range(0, 300, 7) if n % 3 == 1 and n % 2
    }


def test_the_prices_of_many_meters_are_listed_once(selling, clock):
    """Beyond fifty meters, the active and the archived prices of the account."""
    with to(selling, clock) as transport:
        found = Prices(transport).in_use(tuple(f"mtr_{n}" for n in range(1, 60)))
    assert {price.id for price in found} == in_use((1, 2))
    assert len(selling.log.matching("GET", "/v1/prices")) == 3 + 1


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        (("active",), True),
        (("past_due", "incomplete_expired"), True),
        (("incomplete_expired",), False),
        (("canceled", "incomplete_expired"), False),
        (("incomplete_expired",) * 12, False),
        (("trialing", *("incomplete_expired",) * 120), True),
        ((), False),
    ],
)
def test_a_price_is_in_use_while_a_subscription_has_not_ended(statuses, counts, clock):
    """Expired ones are listed as well: behind them there may be one that goes on."""
    account = seed(1) | {
        "prices": [{"id": "price_1", "meter": "mtr_0", "active": False}],
        "subscriptions": [
            {"items": [{"price": "price_1"}], "status": status} for status in statuses
        ],
    }
    with open_state(None, account) as store, Server(store, clock=clock) as server:
        with to(server, clock) as transport:
            found = Prices(transport).in_use(("mtr_0",))
        assert [price.id for price in found] == (["price_1"] if counts else [])


def test_archived_prices_count_where_subscriptions_may_not_be_read(selling, clock):
    """Each carries the permission that would tell."""
    with to(selling, clock, "rk_test_some") as transport:
        found = Prices(transport).in_use(("mtr_1",))
    assert {price.id for price in found} == {f"price_{n}" for n in range(1, 300, 3)}
    told = {(price.active, price.missing_permission) for price in found}
    assert told == {(True, None), (False, "subscription_read")}


def test_a_denied_read_is_not_repeated_for_each_price(clock):
    """Only the requests that are on their way by then are sent."""
    many = SIDE_BY_SIDE + 50
    prices = [{"id": f"price_{n}", "meter": "mtr_0", "active": False} for n in range(many)]
    keys = (Key(KEY, frozenset({"billing_meter_read", "plan_read"})),)
    with (
        open_state(None, seed(1) | {"prices": prices, "subscriptions": []}) as store,
        Server(store, Settings(keys=keys), clock=clock) as server,
        to(server, clock) as transport,
    ):
        assert len(Prices(transport).in_use(("mtr_0",))) == many
    assert len(server.log.matching("GET", SUBSCRIPTIONS)) <= SIDE_BY_SIDE


def test_a_price_archived_between_two_lists_counts_once(clock):
    """Active prices are listed first: one that is archived meanwhile is in both lists."""
    account = seed(1) | {
        "prices": [{"id": "price_1", "meter": "mtr_0"}],
        "subscriptions": [{"items": [{"price": "price_1"}]}],
    }
    with open_state(None, account) as store, Server(store, clock=clock) as server:

        def archive(moment):
            if moment.request.path == "/v1/prices" and moment.phase == "after":
                server.reached = lambda _: None
                server.edit("/v1/prices/price_1", {"active": "false"})

        server.reached = archive
        with to(server, clock) as transport:
            found = Prices(transport).in_use(("mtr_0",))
        assert len(server.log.matching("GET", "/v1/prices")) == 2
    assert [price.id for price in found] == ["price_1"]


def test_a_missing_permission_is_returned(selling, clock):
    """In Stripe's own term; plans continue without."""
    with to(selling, clock, "rk_test_few") as transport:
        assert isinstance(Prices(transport).all_in_use(()), Unreadable)
        assert Prices(transport).in_use(("mtr_1",)).permission == "plan_read"
        with pytest.raises(PermissionDeniedError) as caught:
            list(Events(transport).all())
        assert caught.value.permission == "event_read"


def test_prices_are_filtered_again(clock):
    """Prices of other meters, of none, or of the other state do not count."""
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

    def answer(asked):
        return http(200, a_list(*(prices if "/prices" in asked.path else ())))

    with Scripted(answer) as server, to(server, clock) as transport:
        assert Prices(transport).in_use(("mtr_1",)) == (Price("price_1", "mtr_1", product="prod"),)
        assert [price.id for price in Prices(transport).all_in_use(())] == ["price_1", "price_2"]


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
        Prices(transport).in_use(("mtr_1", "mtr_2"))


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


class Reversed(InTurn):
    """Does what is submitted in the opposite order, as threads may, once the last is there."""

    def __init__(self, **_):
        self.waiting = []

    def submit(self, work, item):
        self.waiting.append((Future(), work, item))
        if item == "last":
            for future, each, given in reversed(self.waiting):
                try:
                    future.set_result(each(given))
                except BaseException as error:
                    future.set_exception(error)
        return self.waiting[-1][0]


def test_an_item_that_begins_after_the_failure_of_a_later_one_does_not_hide_it(monkeypatch):
    """Threads begin in any order."""
    monkeypatch.setattr("reconciler.stripe.client.ThreadPoolExecutor", Reversed)
    begun = []

    def work(item):
        begun.append(item)
        raise PermissionError(item)

    with pytest.raises(PermissionError, match="last"):
        run_concurrently(work, ["first", "second", "last"])
    assert begun == ["last"]


def test_nested_requests_share_the_connections(clock):
    """As when several deactivations ask for the subscriptions of many prices at once."""
    lock, at_once, most = threading.Lock(), [], []
    enough, too_many = threading.Event(), threading.Event()

    def answer(_):
        with lock:
            at_once.append(1)
            most.append(len(at_once))
        if len(at_once) == SIDE_BY_SIDE:
            enough.set()
        if len(at_once) > SIDE_BY_SIDE:
            too_many.set()
        assert enough.wait(10)  # all that are allowed come together
        too_many.wait(0.05)
        with lock:
            at_once.pop()
        return http(200, a_list())

    with Scripted(answer) as server, to(server, clock) as transport:
        prices = Prices(transport)
        run_concurrently(lambda _: prices.in_use(tuple("abcdefgh")), map(str, range(9)))
    assert max(most) == SIDE_BY_SIDE


def test_a_stop_cancels_the_prices_not_yet_requested(clock):
    with (
        Scripted(lambda _: http(200, a_list())) as server,
        to(server, clock, stopped=lambda: len(server.asked) >= 3) as transport,
        pytest.raises(StoppedError),
    ):
        Prices(transport).in_use(tuple(f"mtr_{n}" for n in range(50)))
    assert len(server.asked) <= 3 + SIDE_BY_SIDE


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
