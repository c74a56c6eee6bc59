"""An emulated account with one meter, and what its customers used of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from builders.in_process import reached_in_process
from stripe_client.scripted import KEY, Scripted, Sent, in_turn, make
from virtual import VirtualClock

from reconciler import MeterEvents, MeterEventsV2, Meters, UsageEvent
from reconciler.emulator import Server, Settings, open_state

MINUTE = 60

Client = TypeVar("Client", MeterEvents, MeterEventsV2)


@dataclass(frozen=True, slots=True)
class World:
    """An account with the meter `searches`, and the options that reach it."""

    server: Server
    clock: VirtualClock
    options: dict[str, Any]
    meter_id: str

    def used(self, customer: str = "cus_1", **more: Any) -> float:
        """The sum of a customer, read with all faults disarmed."""
        self.server.disarm()
        now = int(self.clock.now()) // MINUTE * MINUTE
        period = {"start_time": now - 40 * 86_400, "end_time": now + 10 * MINUTE}
        with Meters(KEY, **self.options) as meters:
            sums = list(meters.event_summaries(self.meter_id, customer=customer, **period | more))
        return sum(each.aggregated_value for each in sums)


@contextmanager
def world(*, in_process: bool = True, **settings: Any) -> Iterator[World]:
    """Yield an account, reached without a socket unless told otherwise."""
    clock = VirtualClock()
    seed = {"customers": [{"id": f"cus_{n}"} for n in range(1, 4)]}
    with open_state(None, seed=seed) as store:
        server = Server(store, settings=Settings(**settings), clock=clock)
        with reached_in_process(server) if in_process else by_http(server) as url:
            options = {"api_base": url, "clock": clock, "rate_limit": None}
            with Meters(KEY, **options) as meters:
                meter_id = make(meters, "searches").id
            yield World(server, clock, options, meter_id)


@contextmanager
def by_http(server: Server) -> Iterator[str]:
    """Serve on a loopback port."""
    with server:
        yield server.url


@contextmanager
def answered(
    kind: type[Client], clock: VirtualClock, *answers: Sent
) -> Iterator[tuple[Scripted, Client]]:
    """Yield a server with these responses in turn, and a client of it."""
    with (
        Scripted(in_turn(*answers)) as server,
        kind(KEY, api_base=server.url, clock=clock) as client,
    ):
        yield server, client


def event(value: Any = 1, customer: str = "cus_1", **more: Any) -> UsageEvent:
    """An event of a customer."""
    payload = {"stripe_customer_id": customer, "value": value}
    return UsageEvent(**{"event_name": "searches", "payload": payload} | more)
