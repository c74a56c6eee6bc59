"""Without a socket the client receives what it receives over HTTP, whatever fails."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from builders.in_process import InProcess
from faults.scenarios import FAULTS, OLD
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.emulator import Server, open_state
from reconciler.stripe.api_key import Key
from reconciler.stripe.http.connection import Connection, Limits, Request, Response

KEY = Key("sk_test_emulator")
REQUESTS = {
    "list": Request("GET", "/v1/billing/meters", (("status", "active"), ("limit", "10")), {}),
    "update": Request(
        "POST",
        "/v1/billing/meters/mtr_o",
        (("display_name", "Ä & b=c"),),
        {"Idempotency-Key": "k", "Content-Type": "application/x-www-form-urlencoded"},
    ),
    "unknown path": Request("GET", "/v1/nothing", (), {}),
}
OF_HTTP = {"connection", "content-length", "date", "server"}


@contextmanager
def emulated(fault):
    with Server(
        open_state(None, seed={"meters": [OLD.as_known()]}), clock=VirtualClock()
    ) as server:
        server.arm(*fault)
        yield server


def plain(received):
    """What was received, without the headers that HTTP adds and the address that was used."""
    headers = {k: v for k, v in received.headers.items() if k not in OF_HTTP}
    if isinstance(received, Response):
        return replace(received, headers=headers)
    return replace(received, headers=headers, message=received.message.rpartition(": ")[2])


@pytest.mark.parametrize("fault", [(), *((fault,) for fault in FAULTS)], ids=str)
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_fault_reaches_the_client_as_it_does_over_http(request_, fault):
    """Twice, since a stored response is replayed; the effects are the same too."""
    with emulated(fault) as served, emulated(fault) as called:
        by_http = Connection(served.url, KEY, Limits())
        direct = InProcess(called, called.url, KEY, Limits())
        try:
            for _ in range(2):
                assert plain(direct.send(request_)) == plain(by_http.send(request_))
        finally:
            by_http.close()
        assert called.state.ledger.export() == served.state.ledger.export()
