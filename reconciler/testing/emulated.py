"""The emulator that serves a project's declared meters to the tests of an application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ..config import load
from ..diagnostics.codes import usage
from ..diagnostics.errors import UsageError
from ..emulator import Server, Settings, open_state
from ..emulator.usage.record import Rejection, UsageEvent, judge
from ..model.meter import Status
from ..model.project import MeterConfig, Project
from .usage import SentEvent, explain, explain_unknown, list_events, sum_up


class EmulatedMeters:
    """Stripe's API with the declared meters, and the usage that a test sent to it.

    `url` and `api_key` are for any client, `base_addresses` for the one of the `stripe` package.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._checked = 0

    @property
    def url(self) -> str:
        """The base address of the API, without a slash at the end."""
        return self._server.url

    @property
    def api_key(self) -> str:
        """A key that the emulator accepts; it is no secret."""
        return self._server.api_key

    @property
    def base_addresses(self) -> dict[str, str]:
        """The `base_addresses` of a `stripe.StripeClient`."""
        return {"api": self.url, "meter_events": self.url}

    def sent(self, event_name: str | None = None) -> list[SentEvent]:
        """Return the events that were sent, of one event_name or all, whatever became of them."""
        every = list_events(self._server.log)
        return [each for each in every if event_name in (None, each.event_name)]

    def totals(self, event_name: str) -> dict[str, Decimal]:
        """Return the usage of each customer, aggregated as the meter does.

        An identifier counts once. Raises KeyError for an event_name that is not declared.
        """
        return sum_up(self.sent(event_name), self._find_meter(event_name))

    def find_problems(self) -> list[str]:
        """Return what is wrong with the events that were sent so far.

        A test in which there are any fails; one that sends them on purpose calls this afterwards.
        """
        events = self.sent()
        self._checked = len(events)
        return self._judge_all(events)

    def find_unchecked(self) -> list[str]:
        """Return what is wrong with the events that were sent since `find_problems` was called."""
        return self._judge_all(self.sent()[self._checked :])

    def reset(self) -> None:
        """Forget what was sent and made: only the declared meters are left."""
        self._server.log.clear()
        self._server.reset()
        self._checked = 0

    def _find_meter(self, event_name: str) -> Mapping[str, Any]:
        meters = self._server.state.ledger.meters.values()
        by_name = {meter["event_name"]: meter for meter in meters}
        if event_name not in by_name:
            raise KeyError(explain_unknown(event_name, by_name))
        return by_name[event_name]

    def _judge_all(self, events: list[SentEvent]) -> list[str]:
        return list(dict.fromkeys(filter(None, map(self._judge, events))))

    def _judge(self, event: SentEvent) -> str | None:
        server = self._server
        with server.lock:
            ledger, now = server.state.ledger, server.now()
            when = now if event.timestamp is None else event.timestamp
            usage = UsageEvent(event.event_name, event.identifier or "", event.payload, when)
            found = judge(ledger, server.state.settings, now, usage)
            names = [meter["event_name"] for meter in ledger.meters.values()]
        if not isinstance(found, Rejection):
            return None
        if found.meter is None:
            return explain_unknown(event.event_name, names)
        return explain(event, found.meter, found.code, found.message)


@contextmanager
def serve_project(path: str, account: str | None = None) -> Iterator[EmulatedMeters]:
    """Serve the meters that a project declares.

    Raises ConfigError for files that are not valid, UsageError for an account that is not there.
    `account` selects one of several accounts; without it, the meters of all are served. Usage is
    accepted for any customer: applications under test make ids up.
    """
    seed = {"meters": [_build_seed(desired) for desired in _select(load(path), account)]}
    settings = Settings(unknown_customer="accept")
    with open_state(None, seed) as store, Server(store, settings) as server:
        yield EmulatedMeters(server)


def _select(project: Project, account: str | None) -> list[MeterConfig]:
    """Return one declaration for each event_name; raise UsageError for an unknown account."""
    chosen = [each for each in project.accounts if account in (None, each.name)]
    if not chosen and account:
        names = ", ".join(each.name for each in project.accounts)
        message = f"there is no account {account!r}"
        raise UsageError(usage.NO_ACCOUNT(message, hint=f"the project has {names}"))
    by_name = {each.event_name: each for one in reversed(chosen) for each in one.declared}
    return list(by_name.values())


def _build_seed(desired: MeterConfig) -> dict[str, Any]:
    return {**desired.meter.as_api(), "status": str(Status(desired.status))}
