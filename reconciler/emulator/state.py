"""The state of a running emulator: the account's data, and what a restart loses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from .errors import RequestError
from .messages import Json, Phase, Request, Response
from .requests.faults import Armed, Fault, Kind, draw
from .requests.ids import generate_request_id
from .requests.rate_limit import Bucket
from .settings import Settings
from .storage.database import OBJECTS, Ledger, build_event


class Arrival(Struct, frozen=True):
    """A request, its number (from 1, in order of arrival) and id, and the faults that apply."""

    number: int
    request_id: str
    request: Request
    faults: tuple[Fault, ...]

    def sum_latency(self, *phases: Phase) -> float:
        """Return the seconds that its latency faults of these phases add up to."""
        if not self.faults:
            return 0.0
        latencies = (f for f in self.faults if f.kind is Kind.LATENCY and f.phase in phases)
        return sum(fault.wait for fault in latencies)

    def find_fault(self, *phases: Phase) -> Fault | None:
        """Find the first fault of these phases that breaks the answer."""
        if not self.faults:
            return None
        whole = (Kind.LATENCY, Kind.DUPLICATE)
        broken = (f for f in self.faults if f.kind not in whole and f.phase in phases)
        return next(broken, None)

    @property
    def is_duplicated(self) -> bool:
        """Whether the network delivers the request twice."""
        return any(fault.kind is Kind.DUPLICATE for fault in self.faults)


class Answer(Struct, frozen=True):
    """The result of a request, to be sent after `delay` seconds.

    `response` is None when the connection is reset; `error` is what went wrong inside the
    emulator.
    """

    arrival: Arrival
    response: Response | None
    delay: float
    error: Exception | None = None


class State:
    """The mutable state of an emulator. Hold a lock while using it from several threads."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings | None = None,
        faults: Iterable[Fault] = (),
        connected: Iterable[Ledger] = (),
    ) -> None:
        self.load(ledger, *connected)
        self.settings = settings or Settings()
        self.number = 0
        self.running: Counter[str] = Counter()
        self.in_use: set[tuple[str, str]] = set()
        self._buckets: dict[str, Bucket] = {}
        self.armed = [Armed(fault) for fault in faults]

    def load(self, ledger: Ledger, *connected: Ledger) -> None:
        """Use the data of these accounts from now on."""
        self.ledger = ledger
        self.ledgers = {each.account.id: each for each in (ledger, *connected)}
        self._history: dict[tuple[str, str], list[tuple[float, Json | None]]] = {}

    def arm(self, fault: Fault) -> None:
        """Activate a fault; it counts from the next request on."""
        self.armed.append(Armed(fault))

    def disarm(self) -> None:
        """Deactivate every fault."""
        self.armed.clear()

    def register(self, request: Request) -> Arrival:
        """Number a request and find the faults that apply to it."""
        self.number += 1
        faults = tuple(
            armed.fault
            for n, armed in enumerate(self.armed)
            if armed.count(self.number, request, self._chance(n, armed))
        )
        ledger = self.ledger
        request_id = generate_request_id(ledger.account.id, ledger.opened, self.number)
        return Arrival(self.number, request_id, request, faults)

    def limit_rate(self, name: str, rate: float | None, now: float, reason: str) -> None:
        """Count one more request under a name; raises RequestError (429) above the rate."""
        if rate is not None:
            bucket = self._buckets.setdefault(name, Bucket(max(1.0, rate), now))
            if not bucket.take(rate, now):
                raise RequestError.rate_limited(reason)

    def limit_parallel(self, name: str) -> None:
        """Raise RequestError (429) while as many calls of a name as are allowed are executed."""
        limit = self.settings.parallel_limit
        if limit is not None and self.running[name] >= limit:
            raise RequestError.rate_limited("endpoint-concurrency")

    def _chance(self, n: int, armed: Armed) -> float:
        """Draw for the n-th fault and this request, if the fault depends on it."""
        chance = armed.fault.chance
        return 0.0 if chance is None else draw(self.settings.chance_seed, n, self.number)

    def store(self, ledger: Ledger, change: Mapping[str, list[Json]], now: float) -> None:
        """Apply what one request changed; lists may show it later. Raises StateError."""
        if self.settings.list_lag > 0:
            for name in OBJECTS:
                self._keep_versions(ledger, name, change.get(name, []), now)
        ledger.store(change)

    def _keep_versions(self, ledger: Ledger, name: str, things: list[Json], now: float) -> None:
        """Keep the versions that lists still show for a while."""
        held: dict[str, Json] = getattr(ledger, name)
        horizon = now - self.settings.list_lag
        for thing in things:
            place = (ledger.account.id, thing["id"])
            shown = [past for past in self._history.get(place, ()) if past[0] > horizon]
            self._history[place] = [*shown, (now, held.get(thing["id"]))]

    def list_objects(self, ledger: Ledger, name: str, now: float) -> list[Json]:
        """Return the objects of a kind as lists show them at `now`, newest first."""
        held: dict[str, Json] = getattr(ledger, name)
        newest_first = list(reversed(held.values()))
        if not self._history:
            return newest_first
        horizon = now - self.settings.list_lag
        account = ledger.account.id
        versions = (self._find_version(account, thing, horizon) for thing in newest_first)
        return [thing for thing in versions if thing is not None]

    def _find_version(self, account: str, thing: Json, horizon: float) -> Json | None:
        """Return the version of an object at a time; None where it did not exist yet."""
        history = self._history.get((account, thing["id"]), ())
        return next((old for at, old in history if at > horizon), thing)


class Call(Struct):
    """One execution of an endpoint: its input, and the change that it makes.

    `ledger` is the data of its account before the call. `request_id` and `key` are None for an
    edit in the dashboard.
    """

    state: State
    ledger: Ledger
    now: float
    object_id: str
    params: dict[str, Any]
    request_id: str | None = None
    key: str | None = None
    change: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))

    @property
    def settings(self) -> Settings:
        """The settings of the emulator."""
        return self.state.settings

    def find(self, name: str, noun: str) -> Json:
        """Find the object of the call's id; raises RequestError (404), also for a deleted one."""
        found = self.get(name, self.object_id)
        if found is None or found.get("deleted"):
            param = "price" if name == "prices" else "id"
            raise RequestError.no_such(noun, self.object_id, param)
        return found

    def get(self, name: str, object_id: str) -> Json | None:
        """Return the object of an id as this call leaves it, also a deleted one."""
        for thing in reversed(self.change.get(name, [])):
            if thing["id"] == object_id:
                return thing
        held: dict[str, Json] = getattr(self.ledger, name)
        return held.get(object_id)

    def put(self, name: str, thing: Json, event: str, previous: Json | None = None) -> None:
        """Store an object and emit its event, after every check."""
        self.change[name].append(thing)
        self.emit(thing, event, previous)

    def emit(self, thing: Json, event: str, previous: Json | None = None) -> None:
        """Record an event."""
        new = build_event(
            self.ledger.account,
            thing,
            previous,
            id=self.ledger.create_id("evt"),
            created=int(self.now),
            request={"id": self.request_id, "idempotency_key": self.key},
            type=event,
        )
        self.change["events"].append(new)
