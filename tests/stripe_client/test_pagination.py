"""Lists over real HTTP: pages that end, and every meter of an account exactly once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, partial
from typing import Generic, TypeVar

import pytest
from builders.in_process import reached_in_process
from stripe_client.scripted import KEY, PATH, Scripted, a_list, a_meter, http, to

from reconciler.emulator import Phase, Server, Settings, open_state
from reconciler.stripe import pagination
from reconciler.stripe.client import Meters
from reconciler.stripe.codec import Page, parse_meter
from reconciler.stripe.errors import UnexpectedAnswerError
from reconciler.stripe.http.connection import Limits

T = TypeVar("T")
DECLARED = {"display_name": "A meter", "default_aggregation": {"formula": "sum"}}


def seeded(active: int, inactive: int = 0, first: int = 1_700_000_000):
    """Meters of which the inactive ones are spread among the active ones."""
    every = (active + inactive) // inactive if inactive else 0
    meters, stopped = [], 0
    for n in range(active + inactive):
        stop = bool(every) and n % every == 0 and stopped < inactive
        stopped += stop
        meters.append(
            {
                "id": f"mtr_{n:04}",
                "event_name": f"name_{n}",
                "display_name": "A meter",
                "default_aggregation": {"formula": "sum"},
                "status": "inactive" if stop else "active",
                "created": first + n,
                "updated": first + n,
            }
        )
    return {"meters": meters}


def client(server, clock):
    return Meters(KEY, api_base=server.url, clock=clock, rate_limit=None)


SCOPES = pytest.mark.parametrize("scope", ["both", "active"])
IN_PAIRS = pytest.mark.parametrize("in_pairs", [False, True])


@IN_PAIRS
@SCOPES
@pytest.mark.parametrize(
    ("active", "inactive"),
    [(0, 0), (1, 0), (0, 1), (100, 0), (101, 0), (250, 120), (120, 250), (3, 205)],
)
def test_every_meter_is_found_once(active, inactive, scope, in_pairs, clock):
    """Whether or not an unfiltered list includes inactive meters."""
    seed = seeded(active, inactive)
    settings = Settings(list_scope=scope)
    with open_state(None, seed) as store, Server(store, settings) as server:
        with client(server, clock) as meters:
            found = meters.everything(in_pairs=in_pairs)
        assert [existing.id for existing in found] == [m["id"] for m in reversed(seed["meters"])]
        assert sum(existing.active for existing in found) == active


@IN_PAIRS
@SCOPES
@pytest.mark.parametrize(("active", "inactive", "most"), [(1000, 0, 12), (600, 400, 11)])
def test_a_thousand_meters_take_a_dozen_requests(active, inactive, most, scope, in_pairs, clock):
    if scope == "active" and inactive:
        most = 1 + 6 + 4 + 6  # where the plain list is of no use, right goes before cheap
    if in_pairs and not (scope == "both" and inactive):
        most += 1  # its first page once more
    settings = Settings(list_scope=scope)
    with open_state(None, seeded(active, inactive)) as store, Server(store, settings) as server:
        with client(server, clock) as meters:
            assert len(meters.everything(in_pairs=in_pairs)) == 1000
        assert len(server.log) <= most


def run_before(work: Callable[[], T]) -> Future[T]:
    """Run what belongs into a thread at once: before the other one of two requests."""
    future: Future[T] = Future()
    future.set_result(work())
    return future


class RunAfter(Generic[T]):
    """Runs what belongs into a thread when its result is wanted: after the other request."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.result = cache(work)

    def done(self) -> bool:
        """Whether it has run: now, at the latest."""
        self.result()
        return True


def seeded_with(count: int, inactive: int) -> dict[str, list[dict[str, object]]]:
    """Meters of which one is inactive, by its number; the last one is the newest."""
    seed = seeded(count)
    seed["meters"][inactive]["status"] = "inactive"
    return seed


ACCOUNTS = {
    "two inactive pages": seeded(4, 3),
    "among the newest": seeded_with(6, 4),
    "below a full page": seeded_with(3, 0),
}
ORDERS = {"one by one": None, "pairs": RunAfter, "pairs the other way round": run_before}


def moved_at(
    number: int, phase: Phase, seed, meter: str, settings: Settings, clock, *, created, pairs
) -> bool:
    """List an account while one meter changes its status; return False if it changed too late.

    Pages have two meters, so that there are many moments. At the same time another one can be
    created, which moves all others down by one.
    """
    happened = False

    def reached(moment) -> None:
        nonlocal happened
        if (moment.number, moment.phase) == (number, phase) and not happened:
            happened = True
            status = server.state.ledger.meters[meter]["status"]
            server.edit(f"{PATH}/{meter}/{'de' if status == 'active' else 're'}activate")
            if created:
                server.edit(PATH, {"event_name": "new", **DECLARED})

    declared = [each["id"] for each in seed["meters"]]
    server = Server(open_state(None, seed), settings, reached=reached)
    with (
        reached_in_process(server) as url,
        Meters(KEY, api_base=url, clock=clock, rate_limit=None) as meters,
    ):
        found = [
            existing.id
            for existing in pagination.list_every_meter(
                lambda status: meters.list(status=status, limit=2),
                partial(list_ahead, meters),
                in_pairs=pairs,
            )
        ]
        old = sorted(each for each in found if each in declared)
        assert old == declared, (number, phase, meter, found)
        return happened


def list_ahead(meters, status, ahead):
    """All meters, in pages of two."""
    params = {"status": status, "limit": 2}
    for page in pagination.iterate_pages(meters._transport, PATH, params, parse_meter, ahead=ahead):
        yield from page.data


@SCOPES
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("created", [False, True])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_meter_whose_status_changes_is_found_once(
    account, created, order, scope, clock, monkeypatch
):
    """Before and after every request, in either direction, at any position."""
    seed, settings = ACCOUNTS[account], Settings(list_scope=scope)
    monkeypatch.setattr(pagination, "PER_PAGE", 2)
    if in_thread := ORDERS[order]:
        monkeypatch.setattr(pagination, "start_thread", in_thread)
    move = partial(moved_at, settings=settings, clock=clock, created=created, pairs=bool(in_thread))
    for meter in (each["id"] for each in seed["meters"]):
        for phase in Phase:
            number = 1
            while move(number, phase, seed, meter):
                number += 1
            requests = 1 + -(-len(seed["meters"]) // 2)  # at the least
            assert number > requests, "the meter has to have moved in the midst of it"


@pytest.mark.parametrize("slow", ["first", "again"])
def test_a_signal_is_handled_while_the_other_one_of_a_pair_is_awaited(slow, monkeypatch):
    """One that does not interrupt the wait: here, another thread receives it."""
    monkeypatch.setattr("reconciler.threads.LONGEST_WAIT", 0.01)
    handled, in_time = threading.Event(), []

    def read_slowly():
        handled.wait(0.02)  # until the main thread waits
        signal.raise_signal(signal.SIGUSR1)
        in_time.append(handled.wait(5))

    def first_page(status):
        if slow == ("first" if status else "again"):
            read_slowly()
        return Page((), has_more=False)

    def every(_, may_go_on):
        may_go_on()
        return ()

    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    try:
        assert pagination.list_every_meter(first_page, every, in_pairs=True) == ()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert in_time == [True]


def test_the_newest_version_of_a_meter_counts(clock):
    """Lists may lag."""

    def script(asked):
        if asked.params.get("status") == "inactive":
            return http(200, a_list(a_meter(status="inactive", updated=1_800_000_000)))
        return http(200, a_list(a_meter(), a_meter("mtr_2", status="inactive")))

    with Scripted(script) as server:
        found = {existing.id: existing.status for existing in client(server, clock).everything()}
    assert found == {"mtr_1": "inactive", "mtr_2": "inactive"}


def test_of_two_versions_of_one_second_the_later_read_counts(clock):
    """`updated` is in whole seconds."""

    def script(asked):
        stopped = asked.params.get("status") == "inactive"
        return http(200, a_list(a_meter(status="inactive" if stopped else "active")))

    with Scripted(script) as server:
        transport = to(server, clock)
        found = pagination.list_every_meter(
            lambda status: Meters.over(transport).list(status=status),
            lambda status, _: [] if status else Meters.over(transport).all(),
        )
    assert [existing.status for existing in found] == ["active"]


# Lists without an end


def numbered(asked):
    """A page with a new meter, never the last one."""
    return http(200, a_list(a_meter(f"mtr_{asked.number}"), has_more=True))


def circling(asked):
    """A page with one of three meters, never the last one."""
    return http(200, a_list(a_meter(f"mtr_{asked.number % 3}"), has_more=True))


ENDLESS = {  # each with the number of its pages that are read
    "the same page again": (lambda _: http(200, a_list(a_meter(), has_more=True)), 2),
    "a circle": (circling, 4),
    "an empty page": (lambda _: http(200, a_list(has_more=True)), 1),
    "ever more": (numbered, 6),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_that_does_not_end_is_an_error(name, clock, monkeypatch):
    monkeypatch.setattr(pagination, "_MOST_PAGES", 5)
    script, pages = ENDLESS[name]
    with (
        Scripted(script) as server,
        client(server, clock) as meters,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        list(meters.all())
    assert caught.value.diagnostic.code == "S024"
    assert caught.value.request_id == "req_1"
    assert len(server.asked) == pages


def test_pages_are_read_on_demand(clock):
    with Scripted(numbered) as server, client(server, clock) as meters:
        each = meters.all()
        assert not server.asked
        assert next(each).id == "mtr_1"
        assert len(server.asked) == 1
        assert next(each).id == "mtr_2"
        assert server.asked[1].params["starting_after"] == "mtr_1"


MALFORMED = {
    "no data": {"object": "list", "has_more": False},
    "data of another type": {"data": {}, "has_more": False},
    "entries of another type": {"data": ["mtr_1"], "has_more": False},
    "no has_more": {"data": []},
    "has_more of another type": {"data": [], "has_more": "false"},
    "an entry without an id": a_list({}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_page_is_an_error(name, clock):
    with (
        Scripted(lambda _: http(200, MALFORMED[name])) as server,
        to(server, clock) as transport,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        next(pagination.iterate_pages(transport, PATH, {}, dict))
    assert (caught.value.diagnostic.code, caught.value.request_id) == ("S021", "req_1")


# Lists of API v2, whose pages are linked

LINKED = "/v2/core/events"


def linked(**fields):
    """A script of pages that are never the last one, each with one entry."""

    def script(asked):
        page = {"data": [{"id": "evt_1"}], "next_page_url": f"{LINKED}?page=p{asked.number}"}
        return http(200, page | fields)

    return script


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": None}, "data is not a list of objects"),
        ({"data": "events"}, "data is not a list of objects"),
        ({"data": [{}, "evt_1"]}, "data is not a list of objects"),
        ({"data": [{}] * 101}, "a page has 101 entries; 100 were asked for"),
        ({"next_page_url": 7}, "next_page_url is of type int instead of a string"),
        ({"next_page_url": f"{LINKED}?limit=1"}, "next_page_url has no page"),
    ],
)
def test_a_malformed_linked_page_is_an_error(fields, message, clock):
    with (
        Scripted(linked(**fields)) as server,
        to(server, clock) as transport,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        list(pagination.iterate_linked(transport, LINKED, {}, dict))
    assert caught.value.diagnostic.code == "S021"
    assert caught.value.diagnostic.message.startswith(message)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("fields", "limits", "message", "pages"),
    [
        ({}, {}, "it exceeds 5 pages", 6),
        ({}, {"list_entries": 3}, "it exceeds 3 entries", 4),
        ({"more": "x" * 1000}, {"list_size": 2500}, "it exceeds 2,500 bytes", 3),
        ({"next_page_url": f"{LINKED}?page=p"}, {}, "its pages do not come to an end", 2),
        ({"data": []}, {}, "its pages do not come to an end", 1),
    ],
)
def test_a_linked_list_that_does_not_end_is_an_error(
    fields, limits, message, pages, clock, monkeypatch
):
    monkeypatch.setattr(pagination, "_MOST_PAGES", 5)
    with (
        Scripted(linked(**fields)) as server,
        to(server, clock, limits=Limits(**limits)) as transport,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        list(pagination.iterate_linked(transport, LINKED, {}, dict))
    assert caught.value.diagnostic.code == "S024"
    assert caught.value.diagnostic.message.startswith(f"GET {LINKED}: {message}")
    assert len(server.asked) == pages
