"""Asks the emulator's core without HTTP, as a client with a key would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from reconciler.emulator import Settings, open_state
from reconciler.emulator.handle_request import Ticket, begin, finish
from reconciler.emulator.messages import Request
from reconciler.emulator.state import Answer, State

METERS = "/v1/billing/meters"
START = 1_790_000_000.0
AUTHORIZATION = {"authorization": "Bearer sk_test_emulator"}


def form(params: dict[str, Any], within: str = "") -> str:
    """A nested form: `{"a": {"b": 1}, "c": ["x"]}` is `a[b]=1&c[]=x`."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        full = f"{within}[{name}]" if within else name
        if isinstance(value, dict):
            pairs.append(("", form(value, full)))
        elif isinstance(value, list):
            pairs += [("", urlencode({f"{full}[]": each})) for each in value]
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            pairs.append(("", urlencode({full: text})))
    return "&".join(text for _, text in pairs)


def meter(event_name: str = "searches", **more: Any) -> dict[str, Any]:
    """The parameters of an ordinary meter."""
    return {
        "event_name": event_name,
        "display_name": f"The {event_name}",
        "default_aggregation": {"formula": "sum"},
    } | more


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, its body parsed."""

    answer: Answer

    @property
    def status(self) -> int | None:
        return self.answer.response.status if self.answer.response else None

    @property
    def headers(self) -> dict[str, str]:
        assert self.answer.response
        return dict(self.answer.response.headers)

    @property
    def json(self) -> Any:
        assert self.answer.response
        return json.loads(self.answer.response.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def ids(self) -> list[str]:
        return [thing["id"] for thing in self.json["data"]]


@dataclass(slots=True)
class Account:
    """An emulated account at a moment that tests move by hand."""

    state: State
    now: float = START
    headers: dict[str, str] = field(default_factory=lambda: dict(AUTHORIZATION))

    def get(self, path: str = METERS, **params: Any) -> Said:
        return self.ask(Request("GET", path, form(params), self.headers))

    def post(self, path: str = METERS, key: str | None = None, **params: Any) -> Said:
        return self.ask(self.posting(path, key, **params))

    def posting(self, path: str = METERS, key: str | None = None, **params: Any) -> Request:
        headers = self.headers | ({"idempotency-key": key} if key is not None else {})
        return Request("POST", path, "", headers, form(params).encode())

    def ask(self, request: Request) -> Said:
        begun = self.begin(request)
        return self.finish(begun) if isinstance(begun, Ticket) else Said(begun)

    def begin(self, request: Request) -> Any:
        return begin(self.state, request, self.now)

    def finish(self, ticket: Any) -> Said:
        return Said(finish(self.state, ticket, self.now))

    @property
    def meters(self) -> list[dict[str, Any]]:
        return list(self.state.ledger.meters.values())

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.state.ledger.events.values())


def account(*faults: Any, seed: Any = None, chance: int = 0, **switches: Any) -> Account:
    """An account in memory with these faults and switches; `chance` seeds the faults."""
    settings = Settings(chance_seed=chance, **switches)
    return Account(State(open_state(None, seed).ledger, settings, faults))
