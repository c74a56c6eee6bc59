"""Connections that are kept alive: which of them are used again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from stripe_client.scripted import KEY, PATH, Scripted, http, in_turn, to

from reconciler.diagnostics.codes import service
from reconciler.stripe.api_key import Secret
from reconciler.stripe.http import pool
from reconciler.stripe.http.connection import Connection, Limits, Request

OK = http(200, {"id": "x"})
GET = Request("GET", PATH, (), {})


@pytest.fixture
def opened(monkeypatch):
    """The addresses that were connected to."""
    found, connect = [], pool._connect

    def note(host, port, timeout):
        found.append((host, port))
        return connect(host, port, timeout)

    monkeypatch.setattr(pool, "_connect", note)
    return found


@pytest.mark.parametrize(("idle", "connections"), [(50.0, 1), (0.0, 3)])
def test_a_connection_is_not_used_after_a_long_pause(idle, connections, opened, clock, monkeypatch):
    """A firewall may have forgotten it, and would not say so: a request would wait in vain."""
    monkeypatch.setattr(pool, "_LONGEST_IDLE", idle)
    with Scripted(in_turn(OK)) as server, to(server, clock) as transport:
        assert [transport.get(PATH).body["id"] for _ in range(3)] == ["x"] * 3
    assert len(opened) == connections


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_network_that_lost_one_connection_is_not_asked_on_the_others(begins, opened):
    """Four are idle and none of them is served any more; the second request uses a new one.

    Before any response, and amid one.
    """
    together, over = threading.Barrier(4), threading.Event()
    served = set()

    def script(asked):
        if asked.number <= 4:
            served.add(threading.current_thread())
            together.wait(10)
        elif threading.current_thread() in served:
            return (begins if n == 0 else over.wait(10) and None for n in range(2))
        return OK

    limits = Limits(read=0.1)
    with (
        Scripted(script) as server,
        closing(Connection(server.url, Secret(KEY), limits)) as connection,
        ThreadPoolExecutor(4) as workers,
    ):
        statuses = [each.status for each in workers.map(connection.send, [GET] * 4)]
        lost, answered = connection.send(GET), connection.send(GET)
        over.set()
    assert statuses == [200] * 4
    assert (lost.rule, lost.permanent) == (service.UNREACHABLE, False)
    assert answered.status == 200
    assert (len(opened), len(server.asked)) == (5, 6)
