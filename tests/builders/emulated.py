"""The real client against the real emulator, over loopback HTTP or without a socket.

On a clock that never waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from builders.in_process import reached_in_process
from builders.meters import OWNING
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.emulator import Entry, Server, Settings, Store, open_state
from reconciler.emulator.storage.database import Account as EmulatedAccount
from reconciler.emulator.storage.database import Ledger
from reconciler.execution.steps import list_steps
from reconciler.model.meter import ExistingMeter
from reconciler.model.price import Price
from reconciler.model.project import Account, MeterConfig, Policy, Project, Undeclared
from reconciler.operations.apply_plan import OnRefused, apply_plan
from reconciler.operations.make_plan import Planned, make_plan
from reconciler.operations.revalidate import revalidate
from reconciler.operations.session import Session, connect
from reconciler.report.report import AccountReport
from reconciler.stripe.meter_writer import request_for

KEY = {"KEY": "sk_test_emulator"}


@dataclass(slots=True)
class Context:
    """An emulated account, and a project that declares meters for it."""

    server: Server
    clock: VirtualClock
    account: Account
    environ: dict[str, str] = field(default_factory=lambda: dict(KEY))

    @contextmanager
    def session(self, **more: Any) -> Iterator[Session]:
        """Open the session of one run."""
        with connect(self.account, environ=self.environ, clock=self.clock, **more) as session:
            yield session

    @property
    def project(self) -> Project:
        """The project as declared now."""
        return Project("/project", (self.account,))

    def declare(self, *declared: MeterConfig, **policy: Any) -> None:
        """Replace the declarations, and settings of the policy."""
        self.account = replace(
            self.account,
            declared=declared,
            policy=replace(self.account.policy, **policy),
        )

    def plan(self, **more: Any) -> Planned:
        """Make a plan."""
        with self.session() as session:
            return make_plan(self.project, session, **more)

    def apply(self, planned: Planned | None = None, **more: Any) -> AccountReport:
        """Apply a plan (default: a new one), without its refused changes."""
        with self.session() as session:
            planned = planned or make_plan(self.project, session)
            return apply_plan(planned, session, **{"on_refused": OnRefused.SKIP, **more})

    def revalidate(self, planned: Planned, **more: Any) -> AccountReport:
        """Revalidate a saved plan, and apply it."""
        with self.session() as session:
            return apply_plan(revalidate(planned.plan, session), session, **more)

    def list_all(self) -> dict[str, ExistingMeter]:
        """List every meter by id through the client, with all faults disarmed."""
        self.server.disarm()
        with self.session() as session:
            return {meter.id: meter for meter in session.meters.list_all()}

    def stored(self) -> dict[str, str]:
        """Return every meter by id as the emulator stores it."""
        with self.server.lock:
            held = self.server.state.ledger.meters
            return {id_: json.dumps(meter, sort_keys=True) for id_, meter in held.items()}

    def posts(self) -> list[Entry]:
        """Return the POST requests since the log was cleared."""
        return self.server.log.posts

    def edit(self, id_: str, operation: str = "", **params: str) -> None:
        """Change a meter as another client would."""
        self.server.edit(f"/v1/billing/meters/{id_}{operation and '/' + operation}", params)


@lru_cache
def seeded(
    meters: tuple[ExistingMeter, ...],
    prices: tuple[Price, ...],
    subscribed: tuple[str, ...],
    is_live: bool,
) -> str:
    """What an account holds that was seeded with these, as JSON: many cases share one seed."""
    seed = {
        "account": {"livemode": is_live},
        "meters": [meter.as_known() for meter in meters],
        "prices": [{"id": p.id, "meter": p.meter, "active": p.active} for p in prices],
        "subscriptions": [{"items": [{"price": price_id}]} for price_id in subscribed],
    }
    return json.dumps(open_state(None, seed=seed).ledger.export())


@contextmanager
def context(
    meters: Iterable[ExistingMeter] = (),
    prices: Iterable[Price] = (),
    declared: Iterable[MeterConfig] = (),
    *,
    subscribed: Iterable[str] = (),
    settings: Settings | None = None,
    policy: Policy = OWNING,
    clock: VirtualClock | None = None,
    is_live: bool = False,
    in_process: bool = False,
    **account: Any,
) -> Iterator[Context]:
    """Yield an emulated account with these meters and prices, and a project for it.

    `subscribed` are the ids of prices that have a subscription.
    With `in_process` no socket lies between client and emulator.
    """
    clock = clock or VirtualClock()
    store = Store(Ledger(EmulatedAccount(livemode=is_live)))
    store.ledger.load(json.loads(seeded(tuple(meters), tuple(prices), tuple(subscribed), is_live)))
    server = Server(store, settings=settings, clock=clock)
    with reached_in_process(server) if in_process else reached_by_http(server) as url:
        facts = {"api_key_env": "KEY", "api_base": url, "rate_limit": None, **account}
        entry = Account("test", policy=policy, declared=tuple(declared), **facts)
        yield Context(server, clock, entry)


@contextmanager
def reached_by_http(server: Server) -> Iterator[str]:
    """Serve the emulator on a loopback port; yields its address."""
    with server:
        yield server.url


def allowed_requests(planned: Planned) -> set[tuple[str, str, str]]:
    """Return every request that a plan may send: path, form, key without the attempt."""
    plan, found = planned.plan, set()
    for some in list_steps(plan).values():
        for step in some:
            path, params = request_for(step)
            key = f"reconciler-{(plan.commit or 'none')[:12]}-{plan.plan_id}-{step.n}"
            found.add((path, form(params), key))
    return found


def request_of(entry: Entry) -> tuple[str, str, str]:
    """Return a sent request in the same form."""
    return entry.path, form(entry.params), (entry.key or "").rpartition("-")[0]


def form(params: Any) -> str:
    """Return parameters for comparison, without those that are None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if v is not None}
        return value

    return json.dumps(plain(params), sort_keys=True)


def expected_meters(
    policy: Policy, project: Iterable[MeterConfig], existing: Iterable[ExistingMeter]
) -> dict[str, Any]:
    """Return the meter that should be active under each event_name, or None.

    Computed independently of the package, for changes that are neither blocked nor refused.
    """
    wanted = {desired.event_name: desired for desired in project}
    active = {meter.event_name: meter.meter for meter in existing if meter.active}
    ends: dict[str, Any] = {}
    for name in {meter.event_name for meter in existing} | set(wanted):
        desired = wanted.get(name)
        if desired:
            ends[name] = desired.meter if desired.status == "active" else None
        elif policy.undeclared is Undeclared.DEACTIVATE and _owned(name, policy):
            ends[name] = None
        else:
            ends[name] = active.get(name)
    return ends


def _owned(name: str, policy: Policy) -> bool:
    return any(name.startswith(pattern.removesuffix("*")) for pattern in policy.owns)
