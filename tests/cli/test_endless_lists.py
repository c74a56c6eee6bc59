"""A server that never stops listing: bounded in entries, pages, bytes and time, for every list."""

from __future__ import annotations

import json
from functools import partial
from itertools import count

import pytest
from cli.world import RETIRED, SEATS
from stripe_client.scripted import Scripted, a_list, a_meter, http, refusal

from reconciler.stripe.http.connection import Limits

METERS, PRICES, EVENTS = "/v1/billing/meters", "/v1/prices", "/v1/events"
SEAT = {"event_name": "seats", "display_name": "Seats", "default_aggregation": {"formula": "count"}}


def a_price(number):
    recurring = {"meter": "mtr_1", "usage_type": "metered"}
    return {"id": f"price_{number}", "active": True, "product": "prod_1", "recurring": recurring}


def an_event(number):
    data = {"object": a_meter(f"mtr_other_{number}", event_name="others")}
    return {"id": f"evt_{number}", "type": "billing.meter.created", "created": 1, "data": data}


CASES = {
    METERS: (SEATS, ["plan"], lambda n: a_meter(f"mtr_{n}", event_name=f"e{n}")),
    PRICES: (RETIRED, ["plan"], a_price),
    EVENTS: (SEATS, ["drift"], an_event),
}


class Endless:
    """Answers the list of one path with fresh entries for ever, `per_page` on each page."""

    def __init__(self, path, make, per_page=1, before=None):
        self.path, self.make, self.per_page, self.before = path, make, per_page, before
        self.fresh, self.pages, self.tries = count(1), 0, count(1)

    def __call__(self, asked):
        if asked.path == "/v1/account":
            return http(200, {"id": "acct_1"})
        if asked.path != self.path:
            meters = (a_meter("mtr_1", **SEAT), a_meter("mtr_2", event_name="undeclared"))
            return http(200, a_list(*(meters if asked.path == METERS else ())))
        if self.before and next(self.tries) % 2:
            return self.before
        self.pages += 1
        entries = (self.make(next(self.fresh)) for _ in range(self.per_page))
        return http(200, a_list(*entries, has_more=True))


@pytest.fixture
def read(run, world):
    """`read(path, ...)`: the code and the diagnostic of a run against an endless list."""

    def _read(path, **facts):
        meters, command, make = CASES[path]
        endless = Endless(path, make, **facts)
        with Scripted(endless) as server:
            made = world(meters, api_base=server.url, rate_limit=1000)
            ran = run(*command, made.folder, "--format", "json")
        (account,) = json.loads(ran.out)["accounts"]
        (said,) = [each for each in account["diagnostics"] if each["code"] in ("S021", "S024")]
        return ran.code, said, endless

    return _read


@pytest.mark.parametrize("path", CASES)
def test_a_page_longer_than_its_limit_is_an_error(path, read):
    """It is not read on: a server that ignores the limit may send anything.

    Two lists of meters are read at a time.
    """
    code, said, endless = read(path, per_page=101)
    assert (code, said["code"], endless.pages) == (1, "S021", 2 if path == METERS else 1)
    assert said["message"].startswith("a page has 101 entries; 100 were asked for")


@pytest.mark.parametrize("path", CASES)
@pytest.mark.parametrize(
    ("limits", "excess"),
    [
        ({"list_entries": 250}, "it exceeds 250 entries"),
        ({"list_size": 120_000}, "it exceeds 120,000 bytes"),
    ],
)
def test_a_list_is_bounded_in_size(path, limits, excess, read, monkeypatch):
    """Over all of its pages."""
    monkeypatch.setattr("reconciler.stripe.transport.Limits", partial(Limits, **limits))
    code, said, endless = read(path, per_page=100)
    assert (code, said["code"]) == (1, "S024")
    assert said["message"].startswith(f"GET {path}: {excess}")
    assert 3 <= endless.pages <= 11


@pytest.mark.parametrize("path", CASES)
def test_a_list_is_bounded_in_time(path, read):
    """An hour of requests: here each page takes half a minute."""
    reason = {"Retry-After": "30", "Stripe-Rate-Limited-Reason": "global-rate"}
    code, said, endless = read(path, before=refusal(429, headers=reason))
    assert (code, said["code"]) == (1, "S024")
    assert 100 <= endless.pages <= 123  # the last was requested ahead
    assert said["message"].startswith(f"GET {path}: it exceeds 3,600 seconds")


def test_a_list_is_bounded_by_default():
    """The defaults are those that `explain S024` gives."""
    limits = Limits()
    assert (limits.list_entries, limits.list_size, limits.list_time) == (10**6, 2**30, 3600)
