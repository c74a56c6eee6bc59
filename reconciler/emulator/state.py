"""One running emulator: the account's ledger, and what a restart loses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .database import OBJECTS, Ledger
from .faults import Armed, Fault, draw
from .ids import request_id
from .messages import Json, Phase, Request
from .rate_limit import Limiter
from .settings import API_VERSION, Settings


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request, its number (from 1, in order of arrival) and id, and the faults that apply."""

    number: int
    request_id: str
    request: Request
    faults: tuple[Fault, ...]

    def delay(self, *phases: Phase) -> float:
        """Seconds that its latency faults of these phases add up to."""
        return sum(f.wait for f in self.faults if f.silent and f.phase in phases)

    def breaks(self, *phases: Phase) -> Fault | None:
        """The first fault of these phases that does more than delay."""
        return next((f for f in self.faults if not f.silent and f.phase in phases), None)


class State:
    """The mutable state of an emulator. Hold a lock while using it from several threads."""

    def __init__(
        self, ledger: Ledger, settings: Settings | None = None, faults: Iterable[Fault] = ()
    ) -> None:
        self.ledger = ledger
        self.settings = settings or Settings()
        self.number = 0
        self.in_use: set[str] = set()
        self.limiter = Limiter()
        self._armed = [Armed(fault) for fault in faults]
        self._history: dict[str, list[tuple[float, Json | None]]] = {}

    def arm(self, fault: Fault) -> None:
        """Activate a fault; it counts from the next request on."""
        self._armed.append(Armed(fault))

    def disarm(self) -> None:
        """Deactivate every fault."""
        self._armed.clear()

    def arrive(self, request: Request) -> Arrival:
        """Number a request and find the faults that apply to it."""
        self.number += 1
        faults = tuple(
            armed.fault
            for n, armed in enumerate(self._armed)
            if armed.count(self.number, request, self._chance(n, armed))
        )
        ledger = self.ledger
        new_id = request_id(ledger.account.id, ledger.opened, self.number)
        return Arrival(self.number, new_id, request, faults)

    def _chance(self, n: int, armed: Armed) -> float:
        """Draw for the n-th fault and this request, if the fault depends on it."""
        chance = armed.fault.chance
        return 0.0 if chance is None else draw(self.settings.chance_seed, n, self.number)

    def commit(self, change: Mapping[str, list[Json]], now: float) -> None:
        """Apply what one request changed; lists may show it later."""
        if self.settings.list_lag > 0:
            for name in OBJECTS:
                self._remember(name, change.get(name, []), now)
        self.ledger.commit(change)

    def _remember(self, name: str, things: list[Json], now: float) -> None:
        """Keep the versions that lists go on showing for a while."""
        held: dict[str, Json] = getattr(self.ledger, name)
        horizon = now - self.settings.list_lag
        for thing in things:
            shown = [past for past in self._history.get(thing["id"], ()) if past[0] > horizon]
            self._history[thing["id"]] = [*shown, (now, held.get(thing["id"]))]

    def listed(self, name: str, now: float) -> list[Json]:
        """The objects of a kind as lists show them at `now`, newest first."""
        held: dict[str, Json] = getattr(self.ledger, name)
        newest_first = list(reversed(held.values()))
        if not self._history:
            return newest_first
        horizon = now - self.settings.list_lag
        seen = (self._as_of(thing, horizon) for thing in newest_first)
        return [thing for thing in seen if thing is not None]

    def _as_of(self, thing: Json, horizon: float) -> Json | None:
        """The version of an object at a moment; None where it did not exist yet."""
        later = (old for at, old in self._history.get(thing["id"], ()) if at > horizon)
        return next(later, thing)


@dataclass(slots=True)
class Call:
    """One execution of an endpoint: its input, and the change that it makes.

    `request_id` and `key` are None for an edit in the dashboard.
    """

    state: State
    now: float
    object_id: str
    params: dict[str, Any]
    request_id: str | None = None
    key: str | None = None
    change: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ledger(self) -> Ledger:
        """What the account holds before this call."""
        return self.state.ledger

    @property
    def settings(self) -> Settings:
        """The switches in force."""
        return self.state.settings

    def put(self, name: str, thing: Json, event: str, previous: Json | None = None) -> None:
        """Store an object and emit its event, once nothing can be refused."""
        self.change[name].append(thing)
        self.emit(thing, event, previous)

    def emit(self, thing: Json, event: str, previous: Json | None = None) -> None:
        """Record an event; only `*.updated` ones have previous attributes."""
        data = {"object": thing} | ({"previous_attributes": previous} if previous else {})
        self.change["events"].append(
            {
                "id": self.ledger.new_id("evt"),
                "object": "event",
                "api_version": API_VERSION,
                "created": int(self.now),
                "data": data,
                "livemode": self.ledger.account.livemode,
                "pending_webhooks": 0,
                "request": {"id": self.request_id, "idempotency_key": self.key},
                "type": event,
            }
        )
